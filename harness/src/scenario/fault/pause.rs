//! A node's processes are paused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Draw, Effects, each_choice};
use crate::scenario::{
    Scenario, System,
    units::OneOf,
    validate::{Note, names::unknown_node},
};

/// A node's processes are paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The node, or several of which the seed draws one.
    pub node: OneOf,
}

impl Declares for Pause {
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
        format!("{} is paused", victims.join(" or "))
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let each = each_choice(&format!("{key}.node"), &self.node).into_iter();
        each.filter_map(|(key, name)| unknown_node(key, name, system)).collect()
    }
}
