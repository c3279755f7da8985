//! Append-only files of a run, one JSON object a line: its events, each handed to the system before the next, and its requests,
//! which a thread of its own writes, so that no client waits for a disk.
//!
//! They store what they are given and know nothing of what it means. A run that is killed leaves every event up to that
//! moment, and every request but those that were just being written.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
    thread::JoinHandle,
};

use serde::Serialize;

use crate::{chain, history::Sent};

/// How many requests are handed to the operating system at once, at the most. At any rate that a scenario may declare they gather in
/// less than a tenth of a second.
const AT_ONCE: usize = 512;

/// An append-only file, shared by everything that has something to say.
#[derive(Debug, Clone)]
pub struct Journal {
    /// None where a run keeps nothing on disk, as thousands of simulated ones do.
    file: Option<Arc<Mutex<Open>>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// The hash of the last line, where lines are chained.
    last: Option<String>,
}

impl Journal {
    /// Opens a new journal.
    ///
    /// # Errors
    /// Where the file exists or cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::open(path, None)
    }

    /// Opens a new journal whose lines are chained.
    ///
    /// # Errors
    /// Where the file exists or cannot be made.
    pub fn chained(path: &Path) -> io::Result<Self> {
        Self::open(path, Some(chain::BEFORE_THE_FIRST.to_owned()))
    }

    fn open(path: &Path, last: Option<String>) -> io::Result<Self> {
        let file = OpenOptions::new().create_new(true).append(true).open(path)?;
        Ok(Self { file: Some(Arc::new(Mutex::new(Open { file, last }))) })
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
        let Some(open) = &self.file else { return Ok(()) };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = match &open.last {
            None => serde_json::to_vec(event)?,
            Some(last) => chain::line(event, last)?,
        };
        let next = open.last.as_ref().map(|_| chain::hash(&line));
        line.push(b'\n');
        open.file.write_all(&line)?;
        open.last = next;
        open.file.flush()
    }

    /// Waits until everything appended is on the disk.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        let Some(open) = &self.file else { return Ok(()) };
        open.lock().unwrap_or_else(PoisonError::into_inner).file.sync_all()
    }
}

/// Where clients tell of their requests. Telling never waits.
#[derive(Debug, Clone)]
pub struct Requests(mpsc::Sender<Option<Sent>>);

impl Requests {
    /// Tells of one request.
    pub fn tell(&self, sent: &Sent) {
        // Nobody listens once the file is closed, or where it could not be written; its error is told when it is closed.
        let _ = self.0.send(Some(sent.clone()));
    }
}

/// The file of a run's requests while it is written.
#[derive(Debug)]
pub struct RequestLog {
    requests: Requests,
    writer: JoinHandle<io::Result<()>>,
}

impl RequestLog {
    /// Opens a new file, and starts the thread that writes it.
    ///
    /// # Errors
    /// Where the file exists or cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create_new(true).append(true).open(path)?;
        let (tell, told) = mpsc::channel();
        let writer = std::thread::Builder::new().name("requests".to_owned()).spawn(move || write_all(file, &told))?;
        Ok(Self { requests: Requests(tell), writer })
    }

    /// Where clients tell of their requests.
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Waits until everything told so far is on the disk. What is told afterwards is not kept.
    ///
    /// # Errors
    /// What kept the file from being written.
    pub fn close(self) -> io::Result<()> {
        // The writer may have ended by an error already, which it gives below.
        let _ = self.requests.0.send(None);
        self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes requests panicked")))
    }
}

fn write_all(file: File, told: &Receiver<Option<Sent>>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, file);
    let mut last = chain::BEFORE_THE_FIRST.to_owned();
    // Waits for one, takes what has gathered meanwhile with it, and hands it to the system.
    while let Ok(Some(first)) = told.recv() {
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(sent) = next {
            let mut line = chain::line(&sent, &last)?;
            last = chain::hash(&line);
            line.push(b'\n');
            out.write_all(&line)?;
            taken += 1;
            if taken == AT_ONCE {
                break;
            }
            next = match told.try_recv() {
                Ok(Some(sent)) => Some(sent),
                Ok(None) => return finish(out),
                Err(_) => None,
            };
        }
        out.flush()?;
    }
    finish(out)
}

fn finish(mut out: BufWriter<File>) -> io::Result<()> {
    out.flush()?;
    out.get_ref().sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::history::{Outcome, Sender};

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("blackstart-journal-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_journal_is_chained_and_never_overwritten() {
        let folder = folder("chained");
        let path = folder.join("events.jsonl");
        let journal = Journal::chained(&path).unwrap();
        for number in [1, 2] {
            journal.append(&BTreeMap::from([("n", number)])).unwrap();
        }
        let mut seen = Vec::new();
        let walked =
            chain::walk(&*std::fs::read(&path).unwrap(), |entry: BTreeMap<String, u32>| seen.push(entry["n"])).unwrap();
        assert_eq!((seen, walked.complaint()), (vec![1, 2], None));
        assert!(Journal::chained(&path).is_err(), "a journal is never overwritten");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn every_request_that_was_told_is_in_the_file_once_it_is_closed() {
        let folder = folder("requests");
        let path = folder.join("history.jsonl");
        let log = RequestLog::create(&path).unwrap();
        let sent = |index: u64| Sent {
            token: index.to_string().into(),
            sender: Sender::Load,
            kind: "place".into(),
            intended_us: index,
            sent_us: index,
            returned_us: index + 1,
            outcome: Outcome::Ok,
            reply: "200".into(),
        };
        (0..1000).for_each(|index| log.requests().tell(&sent(index)));
        log.close().unwrap();
        let mut seen = Vec::new();
        let walked = chain::walk(&*std::fs::read(&path).unwrap(), |entry: Sent| seen.push(entry)).unwrap();
        assert_eq!(walked.complaint(), None);
        assert_eq!(seen, (0..1000).map(sent).collect::<Vec<_>>());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
