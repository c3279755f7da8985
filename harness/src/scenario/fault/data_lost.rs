//! Nodes are killed and everything on their volumes is gone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, Tool, each_of};
use crate::scenario::{
    Scenario, System,
    validate::{
        Note,
        names::{not_empty, unknown_node},
        storage::puts_disks_back,
    },
};

/// Nodes are killed and everything on their volumes is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataLost {
    /// The nodes: all of them.
    pub nodes: Vec<String>,
}

impl DataLost {
    /// What stands ready to empty a disk keeps it in use, and then no power can be cut below it and nothing put back on it.
    fn held_disks(key: &str, scenario: &Scenario, system: &System) -> Option<Note> {
        let cuts_power = scenario.faults.iter().any(|fault| fault.kind.declared().effects().cuts_power);
        let problem = "disks of the array cannot be emptied in a drill that cuts their power or puts them back";
        let mend = "write `disk_gone` for each node, or drill the two apart";
        let is_held = system.storage.is_some() && (cuts_power || puts_disks_back(scenario, system));
        is_held.then(|| Note::new(key, problem, mend))
    }
}

impl Declares for DataLost {
    fn effects(&self) -> Effects {
        Effects { kills: true, destroys_data: true, takes_service: true, ..Effects::NONE }
    }

    fn victims(&self, _: &Scenario, _: &System) -> Vec<String> {
        self.nodes.clone()
    }

    fn summary(&self, victims: &[String]) -> String {
        format!("the data of {} is lost: killed, and their volumes emptied", victims.join(" and "))
    }

    fn tool(&self) -> Option<Tool> {
        Some(Tool::Wiper)
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let mend = "name the nodes that lose their data";
        not_empty(format!("{key}.nodes"), self.nodes.is_empty(), mend).into_iter().collect()
    }

    fn notes_together(&self, key: &str, scenario: &Scenario, system: &System) -> Vec<Note> {
        let each = each_of(&format!("{key}.nodes"), &self.nodes).into_iter();
        let each = each.filter_map(|(key, name)| {
            let Some(node) = system.nodes.iter().find(|node| node.name == *name) else {
                return unknown_node(key, name, system);
            };
            let problem = format!("`{name}` has no volume that could be lost");
            node.data.is_none().then(|| Note::new(key, problem, "name a node with `data`"))
        });
        each.chain(Self::held_disks(key, scenario, system)).collect()
    }
}
