//! Lines that are chained: each is a JSON object whose last field, `prev`, is the SHA-256 of the line before.
//!
//! A line that was changed, removed, added or moved no longer fits its neighbours. Whoever can write the file can chain it
//! anew, so the end of a chain is worth as much as the place where its last hash is kept.

use std::io::{self, BufRead, Read};

use serde::{Serialize, de::DeserializeOwned};

use crate::manifest::digest_of_bytes;

/// What the first line has for `prev`.
pub const BEFORE_THE_FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

/// How many defects of one file are told.
const MOST_TOLD: usize = 20;

/// An entry as its line, without the newline.
///
/// # Errors
/// Where the entry is not written as a JSON object with at least one field.
pub fn line(entry: &impl Serialize, prev: &str) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    if line.pop() != Some(b'}') || line.len() < 2 {
        return Err(io::Error::other("what is chained must be an object with fields"));
    }
    line.extend_from_slice(b",\"prev\":\"");
    line.extend_from_slice(prev.as_bytes());
    line.extend_from_slice(b"\"}");
    Ok(line)
}

/// The hash by which the next line names this one.
pub fn hash(line: &[u8]) -> String {
    digest_of_bytes(line)
}

/// What was read of a chained file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Walked {
    /// How many whole lines it has.
    pub lines: u64,
    /// What is wrong with it, by the number of the line; at most the first twenty.
    pub wrong: Vec<String>,
    /// How many more lines are wrong.
    pub more_wrong: u64,
    /// Whether it ends in the middle of a line, as after a kill.
    pub torn: bool,
    /// The hash of the last whole line.
    pub last: String,
}

impl Walked {
    fn note(&mut self, what: String) {
        if self.wrong.len() < MOST_TOLD { self.wrong.push(what) } else { self.more_wrong += 1 }
    }

    /// What is wrong with it, in one line; nothing where it is sound.
    pub fn complaint(&self) -> Option<String> {
        let torn = self.torn.then(|| format!("line {} is torn: the file ends in its middle", self.lines + 1));
        let more = (self.more_wrong > 0).then(|| format!("and {} more lines", self.more_wrong));
        let all: Vec<String> = self.wrong.iter().cloned().chain(torn).chain(more).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Reads a chained file from its beginning, and hands on each entry. What is wrong with a line is noted; the next is read
/// all the same.
///
/// # Errors
/// Where the file cannot be read.
pub fn walk<T: DeserializeOwned>(from: impl BufRead, mut each: impl FnMut(T)) -> io::Result<Walked> {
    walk_lines(from, |line| serde_json::from_slice(line).map(&mut each))
}

/// The same for entries that are read from their lines by the caller.
///
/// # Errors
/// Where the file cannot be read.
pub fn walk_lines(mut from: impl BufRead, mut each: impl FnMut(&[u8]) -> serde_json::Result<()>) -> io::Result<Walked> {
    let mut walked = Walked { last: BEFORE_THE_FIRST.to_owned(), ..Walked::default() };
    let mut line = Vec::new();
    loop {
        line.clear();
        from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(walked);
        }
        let number = walked.lines + 1;
        if line.pop_if(|last| *last == b'\n').is_none() {
            if line.len() as u64 == LONGEST_LINE {
                walked.note(format!("line {number} is longer than {LONGEST_LINE} bytes; nothing after it was read"));
            } else {
                walked.torn = true;
            }
            return Ok(walked);
        }
        walked.lines = number;
        let next = hash(&line);
        let (entry, prev) = unlink(&mut line);
        match prev {
            None => walked.note(format!("line {number} does not end in the hash of the line before")),
            Some(prev) => {
                if prev != walked.last.as_bytes() {
                    walked.note(format!("line {number} does not follow from the line before"));
                }
                if let Err(error) = each(entry) {
                    walked.note(format!("line {number}: {error}"));
                }
            }
        }
        walked.last = next;
    }
}

/// Parts a line into the entry's own JSON and the hash of the line before, where it has one.
fn unlink(line: &mut [u8]) -> (&[u8], Option<&[u8]>) {
    const MARK: &[u8] = b",\"prev\":\"";
    let at = line.len().checked_sub(MARK.len() + BEFORE_THE_FIRST.len() + 2);
    let Some(at) = at.filter(|at| line[*at..].starts_with(MARK) && line.ends_with(b"\"}")) else { return (line, None) };
    line[at] = b'}';
    let (entry, rest) = line.split_at(at + 1);
    let prev = &rest[MARK.len() - 1..rest.len() - 2];
    let is_hash = prev.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (entry, is_hash.then_some(prev))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Entry = BTreeMap<String, u32>;

    fn file(numbers: &[u32]) -> Vec<u8> {
        let (mut prev, mut file) = (BEFORE_THE_FIRST.to_owned(), Vec::new());
        for number in numbers {
            let line = line(&Entry::from([("n".to_owned(), *number)]), &prev).unwrap();
            prev = hash(&line);
            file.extend_from_slice(&line);
            file.push(b'\n');
        }
        file
    }

    fn walked(file: &[u8]) -> (Vec<u32>, Walked) {
        let mut seen = Vec::new();
        let walked = walk(file, |entry: Entry| seen.push(entry["n"])).unwrap();
        (seen, walked)
    }

    #[test]
    fn a_chain_is_read_as_it_was_written() {
        let (seen, walked) = walked(&file(&[1, 2, 3]));
        assert_eq!((seen, walked.complaint()), (vec![1, 2, 3], None));
    }

    #[test]
    fn a_line_that_is_changed_removed_or_moved_is_found_by_its_number() {
        let whole = file(&[1, 2, 3]);
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let complaint = |lines: &[&[u8]]| walked(&lines.concat()).1.complaint().unwrap_or_default();
        let changed = String::from_utf8(lines[1].to_vec()).unwrap().replace(":2,", ":5,");
        assert_eq!(complaint(&[lines[0], changed.as_bytes(), lines[2]]), "line 3 does not follow from the line before");
        assert_eq!(complaint(&[lines[0], lines[2]]), "line 2 does not follow from the line before");
        assert!(complaint(&[lines[1], lines[0], lines[2]]).starts_with("line 1 does not follow"));
        assert_eq!(complaint(&[lines[0], b"\xff{}\n"]), "line 2 does not end in the hash of the line before");
    }

    #[test]
    fn a_torn_end_is_said_and_what_stands_before_it_is_read() {
        let whole = file(&[1, 2, 3]);
        let (seen, walked) = walked(&whole[..whole.len() - 10]);
        assert_eq!((seen, walked.torn), (vec![1, 2], true));
    }

    #[test]
    fn only_so_many_defects_are_told() {
        let (_, walked) = walked(&b"x\n".repeat(1000));
        assert_eq!((walked.wrong.len(), walked.more_wrong), (20, 980));
    }
}
