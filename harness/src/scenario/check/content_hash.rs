//! Two servers hold the same rows: a check that compares them by their hashes.

pub use blackstart_evidence::checks::{ContentHashCheck, ContentSide};

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
