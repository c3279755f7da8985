//! The house rules of this repository, as tests: `cargo test -p house`.
//!
//! Each rule is a pure function from the text of files to violations, with unit tests that see it fail on a small
//! invented violation. `tests/repository.rs` holds them against the repository itself; what it lets pass, it lets pass
//! by name and with a reason.

pub mod documents;
pub mod manners;
pub mod scenarios;
pub mod source;
pub mod street;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the top of the repository, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl File {
    /// A file by its path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file.
    pub path: String,
    /// The line, counted from 1; 0 where it is the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Violation {
    /// A violation.
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// The top of the repository that this crate belongs to.
pub fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Every file under a folder of the repository whose name ends so, in order. What is built lies under `target`.
///
/// # Errors
/// Where a folder or a file cannot be read.
pub fn files(top: &Path, under: &str, ending: &str) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    collect(top, &top.join(under), ending, &mut found)?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn collect(top: &Path, folder: &Path, ending: &str, found: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(top, &path, ending, found)?;
            }
        } else if name.ends_with(ending) {
            let from_top = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.push(File::new(from_top, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
