//! The lines of a file, one at a time, each no longer than a line may be.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Take},
    path::Path,
};

use super::{Limit, open};

/// The most bytes of a line.
const MOST_BYTES: u64 = 1024 * 1024;

/// The lines of a regular file, without their ends.
///
/// # Errors
/// Where the file cannot be opened, is no regular file, or is larger than its kind may be. Reading on may fail too; a
/// line that is too long is then told by its number.
pub fn lines(path: &Path, limit: Limit) -> io::Result<Lines> {
    let file = open(path)?;
    if file.metadata()?.len() > limit.most_bytes {
        return Err(limit.exceeded());
    }
    Ok(Lines { reader: BufReader::new(file.take(limit.most_bytes)), number: 0 })
}

/// An iterator over the lines of a file.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<Take<File>>,
    number: usize,
}

impl Lines {
    fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if self.reader.by_ref().take(MOST_BYTES + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.len() as u64 > MOST_BYTES {
            let problem = format!("line {} is too long; a line has at most {MOST_BYTES} bytes", self.number);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
        Ok(Some(line))
    }
}

impl Iterator for Lines {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}
