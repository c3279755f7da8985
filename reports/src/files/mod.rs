//! Reading files of which nobody knows who wrote them: regular files only, and no more of each than its kind may hold;
//! and of JSON, no number that a sum or a product of several could carry beyond what a machine counts.

mod lines;
mod sound;

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::Path,
};

#[cfg(unix)]
use rustix::fs::OFlags;

pub use lines::{Lines, lines};
pub use sound::{LARGEST, from_json, sound_moment};

/// The most bytes that a kind of file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The kind of file, with its article.
    pub what: &'static str,
    pub most_bytes: u64,
}

/// A megabyte, in bytes.
pub const MIB: u64 = 1024 * 1024;

/// The record of a run.
pub const RECORD: Limit = Limit { what: "a record", most_bytes: 64 * MIB };
/// A scenario and its system as they were run.
pub const RESOLVED: Limit = Limit { what: "a resolved scenario", most_bytes: 16 * MIB };
/// The history of a run, the tokens that survived included.
pub const HISTORY: Limit = Limit { what: "a history", most_bytes: 1024 * MIB };
/// The events of a run.
pub const JOURNAL: Limit = Limit { what: "a journal", most_bytes: 256 * MIB };
/// The ledger of a run.
pub const LEDGER: Limit = Limit { what: "a ledger", most_bytes: 16 * MIB };
/// The sums of a run's evidence.
pub const MANIFEST: Limit = Limit { what: "a list of sums", most_bytes: 16 * MIB };

impl Limit {
    /// That a file has more.
    pub fn exceeded(self) -> io::Error {
        io::Error::new(io::ErrorKind::FileTooLarge, format!("it is too large; {self}"))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has at most {} bytes", self.what, self.most_bytes)
    }
}

/// Opens a regular file, and never waits for one who writes into a pipe.
///
/// # Errors
/// Where it cannot be opened, or is a folder, a device, a pipe or a socket.
pub fn open(path: &Path) -> io::Result<File> {
    demand_regular(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NEVER_WAIT);
    let file = options.open(path)?;
    // Another may have been put in its place since.
    demand_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a regular file to read it and to add to its end, and makes it where there is none. A link in its place, which could lead
/// to any file, is not followed.
///
/// # Errors
/// Where it cannot be opened or made, or is a link, a folder, a device, a pipe or a socket.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NEVER_WAIT | NEVER_FOLLOW);
    let file = options.open(path).map_err(|error| match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            io::Error::new(io::ErrorKind::InvalidInput, "it is a link, and not followed")
        }
        _ => error,
    })?;
    demand_regular(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a regular file.
///
/// # Errors
/// Where it cannot be read, is no regular file, or is larger than its kind may be.
pub fn read(path: &Path, limit: Limit) -> io::Result<Vec<u8>> {
    all_of(&open(path)?, limit)
}

/// The text of a regular file.
///
/// # Errors
/// Where it cannot be read, is no regular file, is larger than its kind may be, or is not text in UTF-8.
pub fn read_text(path: &Path, limit: Limit) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
    String::from_utf8(read(path, limit)?).map_err(not_text)
}

/// Flags of opening that keep it from waiting: for one who writes into a pipe, say.
#[cfg(unix)]
pub const NEVER_WAIT: i32 = OFlags::NONBLOCK.union(OFlags::NOCTTY).bits() as i32;

/// The flag of opening that refuses a link.
#[cfg(unix)]
const NEVER_FOLLOW: i32 = OFlags::NOFOLLOW.bits() as i32;

/// That something is a regular file.
///
/// # Errors
/// Where it is a folder, a device, a pipe or a socket.
pub fn demand_regular(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata {
        file if file.is_file() => Ok(()),
        folder if folder.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

/// Everything in an open file.
///
/// # Errors
/// Where it cannot be read, or is larger than its kind may be.
pub fn all_of(file: &File, limit: Limit) -> io::Result<Vec<u8>> {
    if file.metadata()?.len() > limit.most_bytes {
        return Err(limit.exceeded());
    }
    let mut bytes = Vec::new();
    // The file may still grow.
    file.take(limit.most_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit.most_bytes { Err(limit.exceeded()) } else { Ok(bytes) }
}
