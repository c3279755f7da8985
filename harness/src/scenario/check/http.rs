//! A path and what it must answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Declares;
use crate::scenario::{
    System,
    validate::{
        Note,
        names::{not_empty, unknown_node},
        topology::{not_a_path, not_observed},
    },
};

/// A path and what it must answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpCheck {
    /// The nodes that are asked; nodes that the drill leaves down are passed over, and said to be.
    pub on: Vec<String>,
    /// The port, one of the nodes' `observe`.
    pub port: u16,
    /// The path.
    pub path: String,
    /// Texts that the answer must contain.
    #[serde(default)]
    pub contains: Vec<String>,
}

impl Declares for HttpCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let asked = self.on.iter().enumerate().filter_map(|(index, name)| {
            let key = format!("{key}.on[{index}]");
            match system.nodes.iter().find(|node| node.name == *name) {
                Some(node) => not_observed(key, self.port, node),
                None => unknown_node(key, name, system),
            }
        });
        let none = not_empty(format!("{key}.on"), self.on.is_empty(), "name the nodes that are asked");
        let path = not_a_path(format!("{key}.path"), &self.path);
        let nothing = self.contains.iter().position(String::is_empty);
        let text =
            nothing.and_then(|index| not_empty(format!("{key}.contains[{index}]"), true, "every answer contains it"));
        asked.chain(none).chain(path).chain(text).collect()
    }
}
