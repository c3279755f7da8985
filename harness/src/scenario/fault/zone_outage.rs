//! A whole zone fails.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Draw, Effects, Tool, each_choice, nodes_in, partition::refusals};
use crate::scenario::{
    Scenario, System,
    units::OneOf,
    validate::{Note, names::unknown, topology::zones},
};

/// A whole zone fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneOutage {
    /// The zone, or several of which the seed draws one.
    pub zone: OneOf,
    /// By which mechanism.
    pub by: OutageCause,
}

/// How a zone fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutageCause {
    /// Every node in it is killed: its power is gone.
    Killed,
    /// Every node in it is paused: it is there, and answers nothing.
    Paused,
    /// Every node in it is partitioned from everything outside it, in both directions, and lives on.
    Partitioned,
}

impl ZoneOutage {
    /// How a zone is partitioned: each victim refuses every node outside, and every node outside refuses each victim.
    pub fn refuses(victims: &[String], system: &System) -> BTreeMap<String, Vec<String>> {
        let names = system.nodes.iter().map(|node| node.name.clone());
        let outside: Vec<String> = names.filter(|name| !victims.contains(name)).collect();
        let mut refuses: BTreeMap<String, Vec<String>> =
            victims.iter().map(|victim| (victim.clone(), outside.clone())).collect();
        refuses.extend(outside.into_iter().map(|node| (node, victims.to_vec())));
        refuses
    }
}

impl Declares for ZoneOutage {
    fn effects(&self) -> Effects {
        let outage = Effects { takes_service: true, ..Effects::NONE };
        match self.by {
            OutageCause::Killed => Effects { kills: true, ..outage },
            OutageCause::Paused => Effects { reversible: true, ..outage },
            OutageCause::Partitioned => Effects { reversible: true, isolates: true, ..outage },
        }
    }

    fn choose(&mut self, draw: Draw<'_>) {
        self.zone = draw(&self.zone);
    }

    fn victims(&self, _: &Scenario, system: &System) -> Vec<String> {
        nodes_in(system, &self.zone.0)
    }

    fn summary(&self, victims: &[String]) -> String {
        let how = match self.by {
            OutageCause::Killed => "every node in it is killed",
            OutageCause::Paused => "every node in it is paused",
            OutageCause::Partitioned => "every node in it is partitioned from all others, both ways",
        };
        format!("zone {} fails: {how} ({})", self.zone.0.join(" or "), victims.join(", "))
    }

    fn details(&self, victims: &[String], system: &System) -> Vec<String> {
        match self.by {
            OutageCause::Partitioned => refusals(&Self::refuses(victims, system)).collect(),
            OutageCause::Killed | OutageCause::Paused => Vec::new(),
        }
    }

    fn tool(&self) -> Option<Tool> {
        (self.by == OutageCause::Partitioned).then_some(Tool::Helper)
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let each = each_choice(&format!("{key}.zone"), &self.zone).into_iter();
        each.filter_map(|(key, zone)| {
            let is_empty = nodes_in(system, std::slice::from_ref(zone)).is_empty();
            let note = unknown(key.clone(), "zone of this system", zone, zones(system));
            let empty = || Note::new(key, format!("no node stands in zone `{zone}`"), "name a zone that holds nodes");
            note.or_else(|| is_empty.then(empty))
        })
        .collect()
    }
}
