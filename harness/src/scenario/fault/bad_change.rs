//! A failed change, or a bug: it writes what must not be, and replicas follow at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, Shown};
use crate::scenario::{
    Scenario, System,
    validate::{
        Note,
        names::{not_empty, unknown_database},
    },
};

/// A failed change, or a bug: it writes what must not be, and replicas follow at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadChange {
    /// The database, by the name given under the system's `databases`; it is changed where it takes writes.
    pub database: String,
    /// The role that makes the change: that of the applications.
    pub user: String,
    /// The change, in one transaction.
    pub statement: String,
    /// A query that lists what must not be. It must give rows once the change is made, and none after the recovery.
    pub shows: String,
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Declares for BadChange {
    fn effects(&self) -> Effects {
        Effects { takes_service: true, ..Effects::NONE }
    }

    /// Replicas follow at once, so every node that holds the database is hit.
    fn victims(&self, _: &Scenario, system: &System) -> Vec<String> {
        system.databases.get(&self.database).map(|database| database.nodes.clone()).unwrap_or_default()
    }

    fn summary(&self, _: &[String]) -> String {
        format!("{} changes {}: {}", self.user, self.database, on_one_line(&self.statement))
    }

    fn details(&self, _: &[String], _: &System) -> Vec<String> {
        vec![format!("shown by {}", on_one_line(&self.shows))]
    }

    fn shown(&self) -> Option<Shown<'_>> {
        Some(Shown { database: &self.database, query: &self.shows })
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let empty = [
            ("user", &self.user, "name the role of the applications"),
            ("statement", &self.statement, "write the change"),
            ("shows", &self.shows, "write a query that lists what must not be"),
        ];
        let empty = empty.into_iter();
        empty
            .filter_map(|(what, text, mend)| not_empty(format!("{key}.{what}"), text.trim().is_empty(), mend))
            .collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let (key, name) = (format!("{key}.database"), &self.database);
        let Some(database) = system.databases.get(name) else {
            return unknown_database(key, name, system).into_iter().collect();
        };
        let problem = format!("`{name}` does not say how it tells the moment");
        let mend = "declare `moment` with the database: a query that gives its time and its position";
        database.moment.is_none().then(|| Note::new(key, problem, mend)).into_iter().collect()
    }
}
