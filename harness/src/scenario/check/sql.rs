//! A query and what it must give.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, empty_query};
use crate::scenario::{
    System,
    validate::{
        Note,
        names::{database_on, exactly_one},
    },
};

/// A query and what it must give. Exactly one expectation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlCheck {
    /// The node that is asked, or `writer` for whichever takes writes.
    pub on: String,
    /// The database, by the name given under `databases`.
    pub database: String,
    /// The query, or `@` and a file that holds it, relative to this one.
    pub query: String,
    /// There must be no row: each row is a finding.
    #[serde(default)]
    pub no_rows: bool,
    /// The one value that it must give.
    pub value: Option<String>,
    /// The least number that it must give.
    pub at_least: Option<i64>,
}

impl Declares for SqlCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let kinds = [("no_rows", self.no_rows), ("value", self.value.is_some()), ("at_least", self.at_least.is_some())];
        let expectation = exactly_one(key, "the expectation of a query", &kinds);
        let asked = database_on(key, &self.on, &self.database, system);
        [asked, empty_query(key, &self.query), expectation].into_iter().flatten().collect()
    }

    fn queries_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("query", &mut self.query)]
    }
}
