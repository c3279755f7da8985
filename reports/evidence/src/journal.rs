//! The journal of a run: an append-only file of events, one JSON object a line, flushed per event.
//!
//! It stores what it is given and knows nothing of what events mean. A run that is killed leaves every event up to
//! that moment; [`read`] gives them back and says where a last, torn line was dropped.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

/// An append-only file of events, shared by everything that has something to say.
#[derive(Debug, Clone)]
pub struct Journal {
    /// None where a run keeps nothing on disk, as thousands of simulated ones do.
    file: Option<Arc<Mutex<File>>>,
}

impl Journal {
    /// Opens a new journal.
    ///
    /// # Errors
    /// Where the file exists or cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create_new(true).append(true).open(path)?;
        Ok(Self { file: Some(Arc::new(Mutex::new(file))) })
    }

    /// A journal that keeps nothing.
    pub const fn none() -> Self {
        Self { file: None }
    }

    /// Appends one event and hands it to the operating system before it returns.
    ///
    /// # Errors
    /// Where the file cannot be written, as on a full disk.
    pub fn append(&self, event: &impl Serialize) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line)?;
        file.flush()
    }
}

/// The events of a journal, and whether a torn last line was dropped.
///
/// # Errors
/// Where the file cannot be read, or a line other than the last is no event.
pub fn read<T: DeserializeOwned>(path: &Path) -> io::Result<(Vec<T>, bool)> {
    let lines: Vec<String> = BufReader::new(File::open(path)?).lines().collect::<io::Result<_>>()?;
    let mut events = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(event) => events.push(event),
            Err(_) if index + 1 == lines.len() => return Ok((events, true)),
            Err(error) => {
                let text = format!("{}: line {}: {error}", path.display(), index + 1);
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
    }
    Ok((events, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_dropped_and_said() {
        let folder = std::env::temp_dir().join(format!("blackstart-journal-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("events.jsonl");
        let journal = Journal::create(&path).unwrap();
        journal.append(&1).unwrap();
        journal.append(&2).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"torn").unwrap();
        assert_eq!(read::<u32>(&path).unwrap(), (vec![1, 2], true));
        assert!(Journal::create(&path).is_err(), "a journal is never overwritten");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
