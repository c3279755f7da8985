//! The ledger of a run: what it is about to make, written before it is made, and what it has removed.
//!
//! It lies in the user's state folder and not with the results, so that `sweep` finds it whatever `--out` was. Labels
//! on the engine say what is there; the ledger says what may still be coming, when a run was killed while the engine
//! was carrying out its last request.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use blackstart_evidence::journal::Journal;
use serde::{Deserialize, Serialize};

use crate::state;

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Who owns the run, as its labels say.
    Owner(String),
    /// On which engine it makes things, as the engine calls itself.
    Engine(String),
    /// About to be made.
    Announced(String),
    Removed(String),
}

/// The ledger of one run.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: Option<PathBuf>,
    journal: Journal,
}

impl Ledger {
    /// Opens the ledger of a new run.
    ///
    /// # Errors
    /// Where the state folder cannot be written, or others may write in it.
    pub fn create(folder: &Path, run_id: &str, owner: &str, engine: &str) -> io::Result<Self> {
        state::make(folder)?;
        let path = folder.join(format!("{run_id}.jsonl"));
        let journal = Journal::create(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        journal.append(&Entry::Owner(owner.to_owned()))?;
        journal.append(&Entry::Engine(engine.to_owned()))?;
        Ok(Self { path: Some(path), journal })
    }

    /// A ledger for a world that leaves nothing behind.
    pub const fn none() -> Self {
        Self { path: None, journal: Journal::none() }
    }

    /// Writes down that something is about to be made.
    ///
    /// # Errors
    /// Where the file cannot be written; then it must not be made.
    pub fn announce(&self, name: &str) -> io::Result<()> {
        self.journal.append(&Entry::Announced(name.to_owned()))
    }

    /// Writes down that something is gone.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn removed(&self, name: &str) -> io::Result<()> {
        self.journal.append(&Entry::Removed(name.to_owned()))
    }

    /// Ends the ledger of a run that left nothing behind.
    pub fn close(&self) {
        if let Some(path) = &self.path {
            // A ledger that stays makes the next sweep look once more, and costs nothing else.
            let _ = fs::remove_file(path);
        }
    }
}

/// The folder of ledgers, in the state folder.
///
/// # Errors
/// Where this user has none.
pub fn folder() -> io::Result<PathBuf> {
    state::folder("ledgers")
}

/// A ledger that was found: the run, its owner, and what it announced and did not remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub run_id: String,
    /// Its owner, where that was written.
    pub owner: Option<String>,
    /// The engine, where that was written.
    pub engine: Option<String>,
    /// What it announced and did not remove.
    pub open: Vec<String>,
    /// The file.
    pub path: PathBuf,
}

/// Every ledger in a folder; none where there is no folder. What is no regular file of ours is no ledger.
///
/// # Errors
/// Where others could have written there.
pub fn find(folder: &Path) -> io::Result<Vec<Found>> {
    match state::check(folder) {
        Ok(_) => Ok(fs::read_dir(folder)?.flatten().filter_map(|file| read(&file.path())).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Reads what can be read: a full disk or a kill tears lines, and the others count all the same.
fn read(path: &Path) -> Option<Found> {
    let run_id = path.file_name()?.to_str()?.strip_suffix(".jsonl")?.to_owned();
    let text = String::from_utf8_lossy(&state::read(path).ok()?).into_owned();
    let mut found = Found { run_id, owner: None, engine: None, open: Vec::new(), path: path.to_owned() };
    for entry in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match entry {
            Entry::Owner(owner) => found.owner = Some(owner),
            Entry::Engine(engine) => found.engine = Some(engine),
            Entry::Announced(name) => found.open.push(name),
            Entry::Removed(name) => found.open.retain(|open| *open != name),
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_announced_and_not_removed_is_open() {
        let folder = std::env::temp_dir().join(format!("blackstart-ledger-{}", std::process::id()));
        let ledger = Ledger::create(&folder, "run", "owner", "engine").unwrap();
        ledger.announce("networks").unwrap();
        ledger.announce("node db-a").unwrap();
        ledger.removed("node db-a").unwrap();
        let found = find(&folder).unwrap();
        assert_eq!(found[0].open, ["networks"]);
        assert_eq!(found[0].owner.as_deref(), Some("owner"));
        assert_eq!(found[0].engine.as_deref(), Some("engine"));
        ledger.close();
        assert!(find(&folder).unwrap().is_empty());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_others_could_have_written_is_no_ledger() {
        let folder = std::env::temp_dir().join(format!("blackstart-ledger-foreign-{:08x}", rand::random::<u32>()));
        Ledger::create(&folder, "ours", "owner", "engine").unwrap();
        std::os::unix::fs::symlink(folder.join("ours.jsonl"), folder.join("link.jsonl")).unwrap();
        fs::create_dir(folder.join("folder.jsonl")).unwrap();
        let found: Vec<String> = find(&folder).unwrap().into_iter().map(|one| one.run_id).collect();
        assert_eq!(found, ["ours"]);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(find(&folder).is_err() && Ledger::create(&folder, "new", "owner", "engine").is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_torn_line_hides_no_other() {
        let folder = std::env::temp_dir().join(format!("blackstart-ledger-torn-{}", std::process::id()));
        let ledger = Ledger::create(&folder, "run", "owner", "engine").unwrap();
        ledger.announce("networks").unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(folder.join("run.jsonl")).unwrap();
        std::io::Write::write_all(&mut file, b"{\"announ\n").unwrap();
        ledger.announce("relay").unwrap();
        assert_eq!(find(&folder).unwrap()[0].open, ["networks", "relay"]);
        fs::remove_dir_all(folder).unwrap();
    }
}
