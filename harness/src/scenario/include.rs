//! Queries that stand in files of their own: `query: "@checks/history_gaps.sql"`, relative to the system's file.

use std::{fs, path::Path};

use super::{judge::Note, system::System};

/// Puts the text of each file where it is named.
pub(super) fn include_queries(system: &mut System, folder: &Path) -> Vec<Note> {
    let mut notes = Vec::new();
    for (index, check) in system.checks.iter_mut().enumerate() {
        let agreement = check.agreement.as_mut().map(|it| [("left", &mut it.left), ("right", &mut it.right)]);
        let sides = agreement.into_iter().flatten().map(|(side, it)| (format!("agreement.{side}"), &mut it.query));
        let sql = check.sql.as_mut().map(|it| ("sql".to_owned(), &mut it.query));
        for (kind, query) in sql.into_iter().chain(sides) {
            let key = format!("checks[{index}].{kind}.query");
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
