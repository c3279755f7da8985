//! Reading the records of runs that are over.

use std::{
    fs,
    path::{Path, PathBuf},
};

use blackstart_evidence::{cut_off, index, manifest};
use blackstart_reports::{record::Record, render::json, selftest};

use super::say;

/// The record of the run in a folder. That of a run that was cut off says so, and how far it came.
///
/// # Errors
/// Why it cannot be read, in words, with the mend.
pub fn read(run: &Path) -> Result<Record, String> {
    let told = |error: String| format!("{}: {error}", run.display());
    if !manifest::is_sealed(run) {
        let no_run = |error| told(format!("{error}; name the folder of a run, such as runs/<run-id>"));
        return cut_off::record(run).map_err(no_run);
    }
    json::read(&manifest::read_sealed(run, "result.json").map_err(told)?).map_err(|error| told(error.to_string()))
}

/// Every record under a folder of runs, the oldest first. What cannot be read is said on stderr and passed over.
///
/// # Errors
/// Where the folder cannot be read, in words.
pub fn read_all(folder: &Path) -> Result<Vec<Record>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("{}: {error}; name a folder of runs", folder.display()))?;
    // A self-test lies beside drills and is none.
    let is_drill = |path: &PathBuf| path.is_dir() && !is_later(path) && !path.join(selftest::FILE).exists();
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
    tell_of_index(folder, &records);
    Ok(records)
}

/// What came after a run (a sign-off, say) lies beside its folder, to which nothing is added.
fn is_later(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "later")
}

/// Says on stderr what is wrong with the index, and which runs it knows whose folders are not there.
fn tell_of_index(folder: &Path, records: &[Record]) {
    let (entries, walked) = match index::read(folder) {
        Ok(read) => read,
        Err(error) => return eprintln!("{}: {error}", folder.join(index::FILE).display()),
    };
    if let Some(complaint) = walked.complaint() {
        eprintln!("{}: {complaint}", folder.join(index::FILE).display());
    }
    let is_known = |run_id: &str| records.iter().any(|record| record.run_id == run_id);
    for entry in entries {
        if let index::Entry::Began { run_id, scenario, .. } = entry
            && !is_known(&run_id)
            && !folder.join(&run_id).is_dir()
        {
            eprintln!("{run_id} ({scenario}) was begun, and its folder is not there");
        }
    }
}
