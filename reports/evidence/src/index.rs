//! The index of a folder of runs: a chained file with an entry at the start and at the end of every run, so that a run
//! that was killed, or whose folder was removed, is still known to have been begun.

use std::{
    fs::{File, TryLockError},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
    thread,
    time::Duration,
};

use blackstart_reports::{
    files,
    record::{Verdict, World},
};
use serde::{Deserialize, Serialize};

use crate::chain::{self, Walked};

/// The name of the index, beside the folders of runs.
pub const FILE: &str = "index.jsonl";

/// The longest entry, in bytes: as much is read of the end of the file to find the last one.
const LONGEST: u64 = 1 << 20;

/// How long others may hold the lock: an entry is written in a moment, and anyone who can read the index can hold its lock for ever.
const LOCK_TRIES: u32 = 2000;
const LOCK_POLL: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A run began.
    Began {
        /// Its identifier, and the name of its folder.
        run_id: String,
        /// When, by the wall clock, as a label.
        started_at: String,
        scenario: String,
        /// SHA-256 of the resolved scenario.
        digest: String,
        seed: u64,
        world: World,
    },
    /// A run ended, and its folder was sealed.
    Ended {
        /// Its identifier.
        run_id: String,
        /// What came of it.
        verdict: Verdict,
        /// SHA-256 of its manifest.
        manifest: String,
    },
}

/// Appends an entry; several processes may do so at the same time.
///
/// # Errors
/// Where the index cannot be locked, read or written, or is no regular file.
pub fn append(runs: &Path, entry: &Entry) -> io::Result<()> {
    append_trying(runs, entry, LOCK_TRIES).map_err(|error| io::Error::new(error.kind(), format!("{FILE}: {error}")))
}

fn append_trying(runs: &Path, entry: &Entry, tries: u32) -> io::Result<()> {
    let mut file = files::open_to_append(&runs.join(FILE))?;
    lock(&file, tries)?;
    let (last, is_torn) = last_line(&mut file)?;
    let mut text = if is_torn { b"\n".to_vec() } else { Vec::new() };
    text.extend(chain::line(
        entry,
        &last.map_or_else(|| chain::BEFORE_THE_FIRST.to_owned(), |line| chain::hash(&line)),
    )?);
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()
}

fn lock(file: &File, tries: u32) -> io::Result<()> {
    for _ in 0..tries {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("somebody has held its lock for {:?}", LOCK_POLL * tries)))
}

/// The last line, and whether it lacks its newline because its writer was killed.
fn last_line(file: &mut File) -> io::Result<(Option<Vec<u8>>, bool)> {
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LONGEST)))?;
    let mut end = Vec::new();
    file.take(LONGEST).read_to_end(&mut end)?;
    let is_torn = end.last().is_some_and(|last| *last != b'\n');
    if !is_torn {
        end.pop();
    }
    if end.is_empty() && !is_torn {
        return Ok((None, false));
    }
    let last = end.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    Ok((Some(last), is_torn))
}

/// Every entry, and how sound the chain is. A folder without an index has no entries.
///
/// # Errors
/// Where the index cannot be read.
pub fn read(runs: &Path) -> io::Result<(Vec<Entry>, Walked)> {
    let file = match files::open(&runs.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Walked::default())),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    let walked = chain::walk(BufReader::new(file), |entry| entries.push(entry))?;
    Ok((entries, walked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("blackstart-index-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn ended(run_id: &str) -> Entry {
        Entry::Ended { run_id: run_id.to_owned(), verdict: Verdict::Passed, manifest: String::new() }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_neighbour_puts_in_the_place_of_the_index_is_neither_written_nor_waited_for() {
        let folder = folder("neighbour");
        let place = folder.join(FILE);
        std::fs::write(folder.join("victim"), "kept").unwrap();
        std::os::unix::fs::symlink(folder.join("victim"), &place).unwrap();
        let refused = append(&folder, &ended("a")).unwrap_err().to_string();
        assert!(refused.contains("index.jsonl: it is a link"), "{refused}");
        assert_eq!(std::fs::read(folder.join("victim")).unwrap(), b"kept");
        std::fs::remove_file(&place).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&place).status().unwrap().success());
        assert!(append(&folder, &ended("a")).is_err());
        assert!(read(&folder).is_err(), "and nobody waits for who writes into a pipe");
        std::fs::remove_file(&place).unwrap();
        append(&folder, &ended("a")).unwrap();
        let held = File::open(&place).unwrap();
        held.lock().unwrap();
        let refused = append_trying(&folder, &ended("b"), 5).unwrap_err().to_string();
        assert!(refused.contains("held its lock"), "{refused}");
        drop(held);
        append(&folder, &ended("b")).unwrap();
        assert_eq!(read(&folder).unwrap().0.len(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn many_writers_at_once_make_one_chain() {
        let folder = folder("many");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let folder = &folder;
                scope.spawn(move || (0..20).for_each(|n| append(folder, &ended(&format!("{writer}-{n}"))).unwrap()));
            }
        });
        let (entries, walked) = read(&folder).unwrap();
        assert_eq!((entries.len(), walked.complaint()), (160, None));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_line_that_was_torn_by_a_kill_is_named_and_the_chain_goes_on_after_it() {
        let folder = folder("torn");
        append(&folder, &ended("a")).unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(folder.join(FILE))
            .unwrap()
            .write_all(b"{\"ended\":{\"run")
            .unwrap();
        append(&folder, &ended("b")).unwrap();
        let (entries, walked) = read(&folder).unwrap();
        assert_eq!(entries, [ended("a"), ended("b")]);
        assert_eq!(walked.complaint().unwrap(), "line 2 does not end in the hash of the line before");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
