//! What a node may do on its machine beyond what any program may, and how much of it it may take.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Size;

/// A right of root that a node may be given, by the kernel's name for it. All are about the node's own files and processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Capability {
    /// To give a file to another user.
    Chown,
    /// To read and write files of other users.
    DacOverride,
    /// To change what only the owner of a file may.
    Fowner,
    /// To send signals to processes of other users.
    Kill,
    /// To become another group.
    Setgid,
    /// To become another user.
    Setuid,
}

impl Capability {
    /// Every one of them.
    pub const ALL: [Self; 6] = [Self::Chown, Self::DacOverride, Self::Fowner, Self::Kill, Self::Setgid, Self::Setuid];
}

/// What a node may take of its machine. One that would take more is refused it, or killed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeLimits {
    /// Memory, swap included; 1GiB where nothing is said.
    pub memory: Option<Size>,
    /// Processes and threads at a time; 1024 where nothing is said.
    pub processes: Option<u32>,
}
