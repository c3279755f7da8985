//! Nodes lose their power, all at once, and with it what their disks had not flushed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, each_of};
use crate::scenario::{
    Scenario, System,
    validate::{Note, names::not_empty, storage::no_disk},
};

/// Nodes lose their power, all at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerLoss {
    /// The nodes: all of them. Their disks lie in the storage array.
    pub nodes: Vec<String>,
}

impl Declares for PowerLoss {
    fn effects(&self) -> Effects {
        Effects { kills: true, takes_service: true, cuts_power: true, ..Effects::NONE }
    }

    fn victims(&self, _: &Scenario, _: &System) -> Vec<String> {
        self.nodes.clone()
    }

    fn summary(&self, victims: &[String]) -> String {
        format!("{} lose their power, and what their disks had not flushed", victims.join(" and "))
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let mend = "name the nodes that lose their power";
        not_empty(format!("{key}.nodes"), self.nodes.is_empty(), mend).into_iter().collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let each = each_of(&format!("{key}.nodes"), &self.nodes).into_iter();
        each.filter_map(|(key, name)| no_disk(key, name, system)).collect()
    }
}
