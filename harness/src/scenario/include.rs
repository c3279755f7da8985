//! Queries that stand in files of their own: `query: "@checks/history_gaps.sql"`, relative to the system's file.

use std::{fs, path::Path};

use super::{judge::Note, system::System};

/// Puts the text of each file where it is named.
pub(super) fn include_queries(system: &mut System, folder: &Path) -> Vec<Note> {
    let mut notes = Vec::new();
    for (index, check) in system.checks.iter_mut().enumerate() {
        let kind = check.kind.key();
        for (name, query) in check.kind.declared_mut().queries_mut() {
            let key = format!("checks[{index}].{kind}.{name}");
            notes.extend(include(query, folder).err().map(|problem| {
                Note::new(key, problem, "name a file beside the system's file, or write the query itself")
            }));
        }
    }
    notes
}

fn include(query: &mut String, folder: &Path) -> Result<(), String> {
    let Some(name) = query.strip_prefix('@') else { return Ok(()) };
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => {
            *query = text;
            Ok(())
        }
        Err(error) => Err(format!("the file {} cannot be read: {error}", path.display())),
    }
}
