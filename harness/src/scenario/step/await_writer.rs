//! Wait until a node takes writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Words, known_database, not_held};
use crate::scenario::{
    Scenario, System,
    units::Span,
    validate::{Note, names::more_than_nothing},
};

/// Wait until a node takes writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitWriter {
    /// The database, by the name given under the system's `databases`.
    pub database: String,
    /// The node.
    pub node: String,
    /// How long it may take.
    pub within: Span,
}

impl Declares for AwaitWriter {
    fn words(&self, _: Option<&str>, _: &Scenario, system: &System) -> Result<Words, String> {
        known_database(&self.database, system)?;
        Ok(Words::of(format!("wait until {} takes writes", self.node), self.within.duration()))
    }

    fn milestone(&self, _: &System) -> Option<&'static str> {
        Some("server_accepting")
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        more_than_nothing(format!("{key}.within"), self.within.ms() == 0.0).into_iter().collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        not_held(key, &self.database, &self.node, true, system)
    }
}
