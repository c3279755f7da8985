//! Take a node's power away, out of band.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, SHORT, Words};
use crate::scenario::{
    Scenario, System,
    validate::{Note, names::unknown_node},
};

/// Take a node's power away, out of band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerOff {
    /// The node.
    pub node: String,
}

impl Declares for PowerOff {
    fn words(&self, _: Option<&str>, _: &Scenario, _: &System) -> Result<Words, String> {
        Ok(Words::of(format!("power off {}", self.node), SHORT))
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        unknown_node(format!("{key}.node"), &self.node, system).into_iter().collect()
    }
}
