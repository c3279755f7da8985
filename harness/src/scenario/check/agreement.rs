//! Two queries give the same rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, empty_query};
use crate::scenario::{
    System,
    validate::{Note, names::database_on},
};

/// Two queries give the same rows: the first column is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementCheck {
    /// One side.
    pub left: SqlSide,
    /// The other side.
    pub right: SqlSide,
}

/// One side of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlSide {
    /// The node that is asked, or `writer`.
    pub on: String,
    /// The database, by the name given under `databases`.
    pub database: String,
    /// The query, or `@` and a file that holds it, relative to this one.
    pub query: String,
}

impl Declares for AgreementCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let same = (self.left == self.right)
            .then(|| Note::new(format!("{key}.right"), "both sides ask the same", "let each ask a store of its own"));
        let sides = [("left", &self.left), ("right", &self.right)].into_iter();
        let notes = sides.flat_map(|(name, side)| {
            let key = format!("{key}.{name}");
            [database_on(&key, &side.on, &side.database, system), empty_query(&key, &side.query)]
        });
        notes.flatten().chain(same).collect()
    }

    fn queries_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("left.query", &mut self.left.query), ("right.query", &mut self.right.query)]
    }
}
