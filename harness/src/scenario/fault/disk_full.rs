//! A node's disk fills up to its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Draw, Effects, each_choice};
use crate::scenario::{
    Scenario, System,
    units::OneOf,
    validate::{Note, storage::no_disk},
};

/// A node's disk fills up to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskFull {
    /// The node, or several of which the seed draws one. Its disk lies in the storage array.
    pub node: OneOf,
}

impl Declares for DiskFull {
    fn effects(&self) -> Effects {
        Effects { reversible: true, takes_service: true, ..Effects::NONE }
    }

    fn choose(&mut self, draw: Draw<'_>) {
        self.node = draw(&self.node);
    }

    fn victims(&self, _: &Scenario, _: &System) -> Vec<String> {
        self.node.0.clone()
    }

    fn summary(&self, victims: &[String]) -> String {
        format!("the disk of {} fills up to its end", victims.join(" or "))
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let each = each_choice(&format!("{key}.node"), &self.node).into_iter();
        each.filter_map(|(key, name)| no_disk(key, name, system)).collect()
    }
}
