//! A whole site is lost: every node in its zones is killed, and their disks are gone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, nodes_in};
use crate::scenario::{
    Scenario, System,
    validate::{Note, names::unknown},
};

/// A whole site is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteLost {
    /// The site.
    pub site: String,
}

impl Declares for SiteLost {
    fn effects(&self) -> Effects {
        Effects { kills: true, destroys_data: true, takes_service: true, cuts_power: true, ..Effects::NONE }
    }

    fn victims(&self, _: &Scenario, system: &System) -> Vec<String> {
        let site = system.sites.iter().find(|site| site.name == self.site);
        site.map(|site| nodes_in(system, &site.zones)).unwrap_or_default()
    }

    fn summary(&self, victims: &[String]) -> String {
        format!("site {} is lost, with every node and disk in it ({})", self.site, victims.join(", "))
    }

    fn notes_together(&self, key: &str, scenario: &Scenario, system: &System) -> Vec<Note> {
        let (key, name) = (format!("{key}.site"), &self.site);
        let sites = system.sites.iter().map(|site| site.name.as_str());
        let note = unknown(key.clone(), "site of this system", name, sites);
        let empty = || Note::new(key, format!("no node stands at site `{name}`"), "name a site that holds nodes");
        note.or_else(|| self.victims(scenario, system).is_empty().then(empty)).into_iter().collect()
    }
}
