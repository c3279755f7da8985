//! The manifest of a run's folder: the SHA-256 of every file in it, written last. A folder without one is incomplete.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read, Write as _},
    path::Path,
};

use blackstart_reports::files;
use sha2::{Digest, Sha256};

/// The name of the manifest.
pub const FILE: &str = "SHA256SUMS";

/// How many files and folders a run's folder may have, and how many bytes a file, before reading stops.
const MOST_ENTRIES: usize = 10_000;
const LARGEST: u64 = 8 << 30;

/// The largest file that is read into memory, in bytes.
const LARGEST_TEXT: u64 = 512 << 20;

/// SHA-256 of a text, in hexadecimal.
pub fn digest_of(text: &str) -> String {
    digest_of_bytes(text.as_bytes())
}

/// SHA-256 of bytes, in hexadecimal.
pub fn digest_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // A byte at a time into a string costs a quarter of what hashing a request's line does.
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]);
    String::from_utf8(digits.collect()).unwrap_or_default()
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The sum of each regular file but the manifest, by its path from the folder, with `/`.
    pub files: BTreeMap<String, String>,
    pub folders: Vec<String>,
    /// What does not belong into it: links, devices, pipes, names that are no text, files that cannot be read.
    pub odd: Vec<String>,
}

/// Looks at everything in a folder. Nothing is followed, and nothing but regular files is opened.
///
/// # Errors
/// Where the folder itself cannot be listed.
pub fn look(folder: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let mut seen = 0;
    look_into(folder, "", &mut found, &mut seen)?;
    if seen > MOST_ENTRIES {
        found.odd.push(format!("there are more than {MOST_ENTRIES} files; not all were looked at"));
    }
    Ok(found)
}

fn look_into(folder: &Path, under: &str, found: &mut Found, seen: &mut usize) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(under))? {
        let entry = entry?;
        *seen += 1;
        if *seen > MOST_ENTRIES {
            return Ok(());
        }
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.chars().any(char::is_control)) else {
            found.odd.push(format!("{under}{name:?} has a name that is no plain text"));
            continue;
        };
        let path = format!("{under}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if let Err(error) = look_into(folder, &format!("{path}/"), found, seen) {
                found.odd.push(format!("{path}/: {error}"));
            }
            found.folders.push(path);
        } else if !kind.is_file() {
            found.odd.push(format!("{path} is a link, a device, a pipe or a socket, and no file"));
        } else if path != FILE {
            match sum(&folder.join(&path)) {
                Ok(sum) => drop(found.files.insert(path, sum)),
                Err(error) => found.odd.push(format!("{path}: {error}")),
            }
        }
    }
    Ok(())
}

fn sum(path: &Path) -> io::Result<String> {
    // Whoever changes the folder meanwhile may have put a pipe in its place.
    let mut file = files::open(path)?.take(LARGEST + 1);
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(hexadecimal(&digest.finalize()));
        }
        size += length as u64;
        if size > LARGEST {
            return Err(io::Error::other(format!("it is larger than {LARGEST} bytes, and was not read to its end")));
        }
        digest.update(&buffer[..length]);
    }
}

/// The sums as they are written, in the form that `sha256sum -c` reads.
pub fn text(files: &BTreeMap<String, String>) -> String {
    files.iter().fold(String::new(), |mut out, (name, sum)| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{sum}  {name}");
        out
    })
}

/// What a manifest says: the sum of each file, by its name; and what is wrong with its lines, by number.
pub fn parse(text: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut files, mut wrong) = (BTreeMap::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let is_sum = |sum: &str| sum.len() == 64 && sum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match line.split_once("  ").filter(|(sum, name)| is_sum(sum) && !name.is_empty()) {
            Some((sum, name)) => {
                if files.insert(name.to_owned(), sum.to_owned()).is_some() {
                    wrong.push(format!("line {} names {name} once more", index + 1));
                }
            }
            None => wrong.push(format!("line {} is no sum and name", index + 1)),
        }
    }
    if !text.is_empty() && wrong.is_empty() && self::text(&files) != text {
        wrong.push("its lines are not in the order and form in which they are written".to_owned());
    }
    (files, wrong)
}

/// The text of a file in a folder.
///
/// # Errors
/// In words: where it is missing, no regular file, larger than half a gibibyte, or no UTF-8.
pub fn read_text(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    let is_file = fs::symlink_metadata(&path).map_err(|error| format!("{name}: {error}"))?.is_file();
    if !is_file {
        return Err(format!("{name} is not a regular file"));
    }
    let mut bytes = Vec::new();
    let file = files::open(&path).map_err(|error| format!("{name}: {error}"))?;
    file.take(LARGEST_TEXT + 1).read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
    if bytes.len() as u64 > LARGEST_TEXT {
        return Err(format!("{name} is larger than {LARGEST_TEXT} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("{name}: line {line} is no UTF-8")
    })
}

/// Writes a file so that it is there whole or not at all: beside its place, to the disk, and then into it.
///
/// # Errors
/// Where it cannot be written.
pub fn write_whole(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let (place, beside) = (folder.join(name), folder.join(format!("{name}.partial")));
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, &place)
}

/// Waits until the names in a folder, and in the folders in it, are on the disk, as what they name is already.
///
/// # Errors
/// Where the disk refuses.
pub fn sync_names(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_names(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// Seals a folder: writes the manifest over all that is in it. The last thing that is written.
///
/// # Errors
/// Where a file cannot be read, something in the folder does not belong there, or the manifest cannot be written.
pub fn seal(folder: &Path) -> io::Result<()> {
    let found = look(folder)?;
    if let Some(odd) = found.odd.first() {
        return Err(io::Error::other(odd.clone()));
    }
    sync_names(folder)?;
    write_whole(folder, FILE, &text(&found.files))?;
    File::open(folder)?.sync_all()
}

/// Whether a folder was sealed: only then is it complete.
pub fn is_sealed(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(FILE)).is_ok_and(|found| found.is_file())
}

/// The text of a file of a sealed folder, which must be the one that was sealed.
///
/// # Errors
/// In words: where the folder is not sealed, or the file is not as it was sealed.
pub fn read_sealed(folder: &Path, name: &str) -> Result<String, String> {
    let (sealed, text) = (read_text(folder, FILE)?, read_text(folder, name)?);
    match parse(&sealed).0.get(name) {
        Some(sum) if *sum == digest_of(&text) => Ok(text),
        Some(_) => Err(format!("{name} was changed after the folder was sealed; `blackstart verify` tells more")),
        None => Err(format!("{name} is not in the manifest; `blackstart verify` tells more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_malformed_lines_are_named() {
        let files = BTreeMap::from([("a".to_owned(), digest_of("a")), ("b/c".to_owned(), digest_of("c"))]);
        let text = text(&files);
        assert_eq!(parse(&text), (files, Vec::new()));
        assert_eq!(parse(&text.replacen("  ", " ", 1)).1, ["line 1 is no sum and name"]);
        assert!(!parse(text.trim_end()).1.is_empty(), "its last newline is missing");
        assert_eq!(parse(&format!("{text}{text}")).1.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_odd_and_never_opened() {
        let folder = std::env::temp_dir().join(format!("blackstart-manifest-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        write_whole(&folder, "a.txt", "a").unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join("zero")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
        let found = look(&folder).unwrap();
        assert_eq!((found.files.len(), found.odd.len()), (1, 2));
        assert!(seal(&folder).is_err() && !is_sealed(&folder));
        assert!(read_text(&folder, "pipe").is_err() && read_text(&folder, "zero").is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
