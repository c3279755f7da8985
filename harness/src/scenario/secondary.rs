//! What a user declares of a secondary environment: a copy of the system, at another site, that takes over and gives back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::system::Command;

/// A step at the secondary environment: the same nodes by the same names, in networks of its own. Exactly one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondaryStep {
    /// Make the installation anew: images, which must be those of the primary environment, and networks.
    pub install: Option<Nothing>,
    /// Lay disks there that hold what a backup of the array holds.
    pub disks: Option<DisksStep>,
    /// Make and start nodes, all at once, and wait until each is ready.
    pub start: Option<NodesStep>,
    /// Run a command there.
    pub run: Option<Command>,
    /// Run the checks of some levels there, and demand that all hold.
    pub check: Option<LevelsStep>,
    /// Shut it down cleanly: what uses data first, then what holds it.
    pub shut_down: Option<Nothing>,
}

/// There is nothing to be said: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Lay disks that hold what a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisksStep {
    /// The backup, as this scenario calls it. The array took it.
    pub backup: String,
    /// The nodes whose disks are laid.
    pub nodes: Vec<String>,
}

/// Some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodesStep {
    /// The nodes.
    pub nodes: Vec<String>,
}

/// Some levels of verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelsStep {
    /// The levels, 1 to 6.
    pub levels: Vec<u8>,
}

/// Send clients to another environment from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedirectStep {
    /// The environment.
    pub to: Environment,
}

/// An environment of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// The one in which the drill begins.
    Primary,
    /// The one that takes over.
    Secondary,
}

impl Environment {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}
