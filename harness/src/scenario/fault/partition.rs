//! A network partition: a map from a node to the nodes that it refuses.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, Tool, each_of};
use crate::scenario::{
    Scenario, System,
    validate::{
        Note,
        names::{not_empty, unknown_node},
    },
};

/// A network partition: a map from a node to the nodes that it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Packets that arrive at the node on the left from a node on the right are dropped. Name both directions to
    /// both; a one-way partition names one.
    pub refuses: BTreeMap<String, Vec<String>>,
}

/// Who refuses whom, in words.
pub(super) fn refusals(refuses: &BTreeMap<String, Vec<String>>) -> impl Iterator<Item = String> {
    refuses.iter().map(|(node, from)| format!("{node} refuses {}", from.join(", ")))
}

impl Declares for Partition {
    fn effects(&self) -> Effects {
        Effects { reversible: true, takes_service: true, ..Effects::NONE }
    }

    fn victims(&self, _: &Scenario, _: &System) -> Vec<String> {
        self.refuses.keys().cloned().collect()
    }

    fn summary(&self, _: &[String]) -> String {
        refusals(&self.refuses).collect::<Vec<_>>().join("; ")
    }

    fn details(&self, _: &[String], _: &System) -> Vec<String> {
        refusals(&self.refuses).collect()
    }

    fn tool(&self) -> Option<Tool> {
        Some(Tool::Helper)
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let key = format!("{key}.refuses");
        let none = not_empty(key.clone(), self.refuses.is_empty(), "say which node refuses which");
        let nodes = self.refuses.iter().flat_map(|(node, from)| {
            let key = format!("{key}.{node}");
            let itself = from.iter().position(|other| other == node).map(|index| {
                Note::new(format!("{key}[{index}]"), format!("`{node}` cannot refuse itself"), "name other nodes")
            });
            not_empty(key, from.is_empty(), "name the nodes that it refuses").into_iter().chain(itself)
        });
        none.into_iter().chain(nodes).collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let named = self.refuses.iter().flat_map(|(node, from)| {
            let key = format!("{key}.refuses.{node}");
            let from = each_of(&key, from);
            std::iter::once((key, node)).chain(from)
        });
        named.filter_map(|(key, name)| unknown_node(key, name, system)).collect()
    }
}
