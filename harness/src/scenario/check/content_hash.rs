//! Two servers hold the same rows: a check that compares them by their hashes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Declares;
use crate::scenario::{
    System,
    validate::{
        Note,
        names::{database_on, needs_is_replica, not_empty},
    },
};

/// Stands in `right.on` for every server that follows the writer.
pub const REPLICAS: &str = "replicas";

/// Two servers hold the same rows: each server hashes its own, and only the hashes are compared. Tables that differ are
/// looked into until the keys of rows are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentHashCheck {
    /// The server whose tables are listed.
    pub left: ContentSide,
    /// The server that is held against it.
    pub right: ContentSide,
    /// The tables, as the database itself writes their names; every table where nothing is said.
    #[serde(default)]
    pub tables: Vec<String>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentSide {
    /// The node that is asked, `writer`, or, on the right, `replicas` for every server that follows the writer; those that
    /// the drill left down are passed over.
    pub on: String,
    /// The database, by the name given under `databases`.
    pub database: String,
}

impl Declares for ContentHashCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let Self { left, right, tables } = self;
        let key_of = |side: &str| format!("{key}.{side}");
        let right_note = if right.on == REPLICAS {
            needs_is_replica(&key_of("right"), &right.database, system)
        } else {
            database_on(&key_of("right"), &right.on, &right.database, system)
        };
        let same = (left == right)
            .then(|| Note::new(key_of("right"), "both sides are the same server", "let each be a server of its own"));
        let nothing = tables.iter().position(|table| table.trim().is_empty());
        let table = nothing.and_then(|index| not_empty(format!("{key}.tables[{index}]"), true, "name a table"));
        let left_note = database_on(&key_of("left"), &left.on, &left.database, system);
        [left_note, right_note, same, table].into_iter().flatten().collect()
    }
}
