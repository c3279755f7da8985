//! Try to write where nothing may be written, and demand a refusal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, SHORT, Words, known_database, not_held};
use crate::scenario::{
    Scenario, System,
    validate::{Note, names::not_empty},
};

/// Try to write where nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusesWrites {
    /// The node.
    pub node: String,
    /// The database, by the name given under the system's `databases`.
    pub database: String,
    /// The role that tries: that of the applications.
    pub user: String,
    /// What it tries. It runs in a transaction that is rolled back.
    pub statement: String,
}

impl Declares for RefusesWrites {
    fn words(&self, _: Option<&str>, _: &Scenario, system: &System) -> Result<Words, String> {
        known_database(&self.database, system)?;
        let how = format!("as {}, `{}`", self.user, self.statement);
        Ok(Words { how, ..Words::of(format!("{} must refuse writes", self.node), SHORT) })
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let statement = not_empty(format!("{key}.statement"), self.statement.trim().is_empty(), "write one");
        let user = not_empty(format!("{key}.user"), self.user.is_empty(), "name the role of the applications");
        statement.into_iter().chain(user).collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        not_held(key, &self.database, &self.node, false, system)
    }
}
