//! A link with little bandwidth, in one direction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, Tool, not_a_link};
use crate::scenario::{Scenario, System, units::Bandwidth, validate::Note};

/// A link with little bandwidth, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowLink {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// What the link carries.
    pub bandwidth: Bandwidth,
}

impl Declares for SlowLink {
    fn effects(&self) -> Effects {
        Effects { reversible: true, takes_service: true, ..Effects::NONE }
    }

    fn victims(&self, _: &Scenario, _: &System) -> Vec<String> {
        vec![self.from.clone()]
    }

    fn summary(&self, _: &[String]) -> String {
        format!("the link from {} to {} carries {}", self.from, self.to, self.bandwidth)
    }

    fn tool(&self) -> Option<Tool> {
        Some(Tool::Helper)
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        not_a_link(key, &self.from, &self.to, system)
    }
}
