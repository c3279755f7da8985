//! Send clients to another environment from now on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, SHORT, Words};
use crate::scenario::{Scenario, System};

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

impl Declares for RedirectStep {
    fn words(&self, _: Option<&str>, _: &Scenario, _: &System) -> Result<Words, String> {
        Ok(Words::of(format!("redirect clients to the {} environment", self.to.name()), SHORT))
    }

    fn milestone(&self, _: &System) -> Option<&'static str> {
        (self.to == Environment::Secondary).then_some("redirected")
    }
}
