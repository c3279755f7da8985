//! How a backup, or a restore, is found in the middle of its work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The commands of a method as they are run to be interrupted, with the same texts to be filled in. In the middle of its
/// work such a command stands still, prints one line of JSON with `half_way` (what it has done by then, in words), and goes
/// on once it is sent a line. So what is interrupted is in its middle, however fast or slow the machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfWay {
    /// The command that takes a backup.
    pub take: Option<Vec<String>>,
    /// The command that restores one.
    pub restore: Option<Vec<String>>,
}
