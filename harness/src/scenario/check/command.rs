//! A command and what it must print.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Declares;
use crate::scenario::{
    System,
    validate::{Note, names::unknown_node, templates::left_as_it_stands, topology::no_command},
};

/// A command and what it must print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandCheck {
    /// The node.
    pub on: String,
    /// The command and its arguments; no shell reads it. It must change nothing.
    pub run: Vec<String>,
    /// Texts that it must print.
    #[serde(default)]
    pub contains: Vec<String>,
}

impl Declares for CommandCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let on = unknown_node(format!("{key}.on"), &self.on, system);
        let run = self.run.iter().enumerate();
        let left = run.flat_map(|(index, text)| left_as_it_stands(&format!("{key}.run[{index}]"), text));
        on.into_iter().chain(no_command(key, &self.run)).chain(left).collect()
    }
}
