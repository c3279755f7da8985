//! Queries that stand in files of their own: `query: "@checks/history_gaps.sql"`, relative to the system's file.

use std::path::Path;

use super::{system::System, validate::Note};
use crate::files::{self, Reach};

/// Puts the text of each file where it is named.
pub(super) fn include_queries(system: &mut System, folder: &Path, reach: &Reach) -> Vec<Note> {
    let mut notes = Vec::new();
    for (index, check) in system.checks.iter_mut().enumerate() {
        let kind = check.kind.key();
        for (name, question) in check.kind.declared_mut().questions_mut() {
            let asked = question.key();
            let Some((query_key, query)) = question.declared_mut().query_mut() else { continue };
            let key = format!("checks[{index}].{kind}.{name}{asked}.{query_key}");
            notes.extend(include(query, folder, reach).err().map(|(problem, mend)| Note::new(key, problem, mend)));
        }
    }
    notes
}

fn include(query: &mut String, folder: &Path, reach: &Reach) -> Result<(), (String, String)> {
    let Some(name) = query.strip_prefix('@') else { return Ok(()) };
    let path = folder.join(name);
    let beside = || "name a file beside the system's file, or write the query itself".to_owned();
    let refused = |why: &dyn std::fmt::Display| format!("the file {} cannot be read: {why}", path.display());
    let bytes =
        reach.read(&path, files::QUERY).map_err(|error| (refused(&error), error.mend().unwrap_or_else(beside)))?;
    *query = String::from_utf8(bytes).map_err(|_| (refused(&"it is not text in UTF-8"), beside()))?;
    Ok(())
}
