//! A whole zone goes dark.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Draw, Effects, Tool, cut::refusals, each_choice, nodes_in};
use crate::scenario::{
    Scenario, System,
    judge::{Note, names::unknown, topology::zones},
    units::OneOf,
};

/// A whole zone goes dark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneDark {
    /// The zone, or several of which the seed draws one.
    pub zone: OneOf,
    /// By which mechanism.
    pub by: Darkness,
}

/// How a zone goes dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Darkness {
    /// Every node in it is killed: its power is gone.
    Killed,
    /// Every node in it is frozen: it is there, and answers nothing.
    Frozen,
    /// Every node in it is cut off from everything outside it, in both directions, and lives on.
    CutOff,
}

impl ZoneDark {
    /// How a zone is cut off: each victim refuses every node outside, and every node outside refuses each victim.
    pub fn refuses(victims: &[String], system: &System) -> BTreeMap<String, Vec<String>> {
        let names = system.nodes.iter().map(|node| node.name.clone());
        let outside: Vec<String> = names.filter(|name| !victims.contains(name)).collect();
        let mut refuses: BTreeMap<String, Vec<String>> =
            victims.iter().map(|victim| (victim.clone(), outside.clone())).collect();
        refuses.extend(outside.into_iter().map(|node| (node, victims.to_vec())));
        refuses
    }
}

impl Declares for ZoneDark {
    fn effects(&self) -> Effects {
        let dark = Effects { takes_service: true, ..Effects::NONE };
        match self.by {
            Darkness::Killed => Effects { kills: true, ..dark },
            Darkness::Frozen => Effects { reversible: true, ..dark },
            Darkness::CutOff => Effects { reversible: true, isolates: true, ..dark },
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
            Darkness::Killed => "every node in it is killed",
            Darkness::Frozen => "every node in it is frozen",
            Darkness::CutOff => "every node in it is cut off from all others, both ways",
        };
        format!("zone {} goes dark: {how} ({})", self.zone.0.join(" or "), victims.join(", "))
    }

    fn details(&self, victims: &[String], system: &System) -> Vec<String> {
        match self.by {
            Darkness::CutOff => refusals(&Self::refuses(victims, system)).collect(),
            Darkness::Killed | Darkness::Frozen => Vec::new(),
        }
    }

    fn tool(&self) -> Option<Tool> {
        (self.by == Darkness::CutOff).then_some(Tool::Helper)
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
