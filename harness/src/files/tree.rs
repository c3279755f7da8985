//! Everything in a folder that a declaration may reach, as an image is built from it. Links stay links.

use std::{
    io,
    path::{Path, PathBuf},
};

use cap_std::fs::{Dir, DirEntry, OpenOptions};

use super::{CONTEXT, Limit, NEVER_WAIT, Reach, ReachError, all_of, demand_regular};

/// The most files and links in a folder and those below it.
const MOST_ITEMS: usize = 20_000;
/// How deep folders may lie in each other.
const DEEPEST: usize = 64;

/// A file or a link in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path within the folder, with `/`.
    pub path: String,
    pub content: Content,
}

/// What lies in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A regular file.
    File {
        /// Whether it may be run.
        is_executable: bool,
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// A link, and where it leads. Nobody has followed it.
    Link(PathBuf),
}

impl Reach {
    /// The files and links in a folder and those below it, in the order of their paths.
    ///
    /// # Errors
    /// Where the folder lies elsewhere, something in it cannot be read or is neither a regular file nor a link, or all of
    /// it is more than an image may be built from.
    pub fn read_folder(&self, folder: &Path) -> Result<Vec<Item>, ReachError> {
        let mut walk = Walk { items: Vec::new(), room: CONTEXT.most_bytes };
        walk.folder(&self.folder(folder)?, "", 0)?;
        walk.items.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(walk.items)
    }
}

struct Walk {
    items: Vec<Item>,
    /// How many bytes may still come.
    room: u64,
}

impl Walk {
    fn folder(&mut self, folder: &Dir, prefix: &str, depth: usize) -> io::Result<()> {
        if depth > DEEPEST {
            let problem = format!("{prefix}: the folders lie too deep in each other; at most {DEEPEST} may");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        for entry in folder.entries()? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.folder(&entry.open_dir()?, &format!("{path}/"), depth + 1)?;
            } else {
                let named = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
                let content = match kind.is_symlink() {
                    true => folder.read_link_contents(entry.file_name()).map(Content::Link).map_err(named)?,
                    false => self.file(&entry).map_err(named)?,
                };
                self.keep(Item { path, content })?;
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &DirEntry) -> io::Result<Content> {
        if !entry.file_type()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a regular file nor a link"));
        }
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NEVER_WAIT);
        let file = entry.open_with(&options)?.into_std();
        let metadata = file.metadata()?;
        demand_regular(&metadata)?;
        let room = Limit { most_bytes: self.room, ..CONTEXT };
        let bytes = all_of(&file, room).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => CONTEXT.exceeded(),
            _ => error,
        })?;
        self.room -= bytes.len() as u64;
        Ok(Content::File { is_executable: is_executable(&metadata), bytes })
    }

    fn keep(&mut self, item: Item) -> io::Result<()> {
        if self.items.len() == MOST_ITEMS {
            let problem = format!("{} has at most {MOST_ITEMS} files", CONTEXT.what);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
        self.items.push(item);
        Ok(())
    }
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}
