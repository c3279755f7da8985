//! Exactly one of a database's servers takes writes.

pub use blackstart_evidence::checks::OneWriterCheck;

use super::Declares;
use crate::scenario::{
    System,
    validate::{
        Note,
        names::{needs_is_writer, unknown_database},
    },
};

impl Declares for OneWriterCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let (key, name) = (format!("{key}.database"), &self.database);
        let note = match system.databases.get(name) {
            Some(asked) => needs_is_writer(key, name, asked),
            None => unknown_database(key, name, system),
        };
        note.into_iter().collect()
    }
}
