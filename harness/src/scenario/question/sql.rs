//! A query to a database.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asks, On};
use crate::scenario::{
    System,
    system::Database,
    validate::{Note, names::not_empty},
};

/// A query to a database. It runs in a transaction that may only read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlQuestion {
    /// Where it is asked. Where nothing is said: the node itself for readiness, each server for who takes writes, and otherwise
    /// whichever takes writes.
    pub on: Option<On>,
    /// The database, by the name given under `databases`; the only one where nothing is said.
    pub database: Option<String>,
    /// The query, or `@` and a file that holds it, relative to this one.
    pub query: String,
}

impl SqlQuestion {
    /// A query that leaves its place and its database to what asks.
    pub fn new(query: impl Into<String>) -> Self {
        Self { on: None, database: None, query: query.into() }
    }
}

impl Asks for SqlQuestion {
    fn on(&self) -> Option<&On> {
        self.on.as_ref()
    }

    fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn notes(&self, key: &str, nodes: &[&str], asked: Option<(&str, &Database)>, _: &System) -> Vec<Note> {
        let empty = not_empty(format!("{key}.query"), self.query.trim().is_empty(), "write the query");
        let none = (asked.is_none() && self.database.is_none()).then(|| {
            let problem = "it does not say which database is asked, and the system does not have exactly one";
            Note::new(key, problem, "add `database`")
        });
        let unheld = asked.filter(|_| self.on.is_none()).into_iter().flat_map(|(name, database)| {
            let elsewhere = nodes.iter().filter(|node| !database.nodes.iter().any(|holder| holder == *node));
            elsewhere.map(move |node| {
                let problem = format!("`{node}` does not hold database `{name}`");
                Note::new(key, problem, format!("add `{node}` to `databases.{name}.nodes`, or ask another"))
            })
        });
        empty.into_iter().chain(none).chain(unheld).collect()
    }

    fn query_mut(&mut self) -> Option<(&'static str, &mut String)> {
        Some(("query", &mut self.query))
    }

    fn texts_mut(&mut self) -> Vec<&mut String> {
        vec![&mut self.query]
    }

    fn in_words(&self) -> String {
        self.query.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
