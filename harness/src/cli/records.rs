//! Reading the records of runs that are over.

use std::{
    fs,
    path::{Path, PathBuf},
};

use blackstart_reports::{record::Record, render::json};

use super::say;

/// The record of the run in a folder.
///
/// # Errors
/// Why it cannot be read, in words, with the mend.
pub fn read(run: &Path) -> Result<Record, String> {
    let path = run.join("result.json");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}; name the folder of a run, such as runs/<run-id>", path.display()))?;
    json::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every record under a folder of runs, the oldest first. What cannot be read is said on stderr and passed over.
///
/// # Errors
/// Where the folder cannot be read, in words.
pub fn read_all(folder: &Path) -> Result<Vec<Record>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("{}: {error}; name a folder of runs", folder.display()))?;
    // A self-test lies beside drills and is none.
    let is_drill = |path: &PathBuf| path.is_dir() && !path.join(blackstart_reports::selftest::FILE).exists();
    let mut runs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_drill).collect();
    runs.sort();
    let mut records = Vec::new();
    for run in runs {
        match read(&run) {
            Ok(record) => records.push(record),
            Err(error) => say(&format!("passed over: {error}")),
        }
    }
    records.sort_by(|one, other| one.started_at.cmp(&other.started_at));
    Ok(records)
}
