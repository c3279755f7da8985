//! Tar archives in memory: what a build is made from, and what is copied into a container. The same content gives the
//! same bytes.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::files::{self, Content, Item};

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path, without a leading slash.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Where it leads, for a link. It is packed as one.
    pub link: Option<PathBuf>,
}

impl From<Item> for Entry {
    fn from(item: Item) -> Self {
        match item.content {
            Content::File { is_executable, bytes } => {
                Self { path: item.path, mode: mode(is_executable), bytes, link: None }
            }
            Content::Link(to) => Self { path: item.path, mode: 0o777, bytes: Vec::new(), link: Some(to) },
        }
    }
}

const fn mode(is_executable: bool) -> u32 {
    if is_executable { 0o755 } else { 0o644 }
}

impl Entry {
    /// A file that goes into a container: whoever runs there may read it, and scripts may be run.
    pub(super) fn copied(path: &str, bytes: &[u8]) -> Self {
        let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
        Self { path: path.trim_start_matches('/').to_owned(), mode, bytes: bytes.to_vec(), link: None }
    }

    /// A secret that goes into a container: every program there may read it and none may change it. The container is
    /// what keeps it in: which user its programs become is the image's own affair.
    pub(super) fn secret(path: &str, secret: &str) -> Self {
        Self { mode: 0o444, ..Self::copied(path, secret.as_bytes()) }
    }
}

/// An archive of these files, owned by root, without times.
///
/// # Errors
/// Where a path cannot be written into an archive.
pub(super) fn pack(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(0);
        match &entry.link {
            None => archive.append_data(&mut header, &entry.path, entry.bytes.as_slice())?,
            Some(to) => {
                header.set_entry_type(tar::EntryType::Symlink);
                archive.append_link(&mut header, &entry.path, to)?;
            }
        }
    }
    archive.into_inner()
}

/// One file that a person or a build put beside us, under the path given.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn read_program(file: &Path, path: String) -> io::Result<Entry> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    let bytes = files::read(file, files::PROGRAM).map_err(named)?;
    Ok(Entry { path, mode: mode(true), bytes, link: None })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn an_archive_gives_back_what_went_in_and_is_the_same_each_time() {
        let long = format!("/{}/file", "folder/".repeat(30));
        let entries = [Entry::copied("/etc/run.sh", b"#!/bin/sh\n"), Entry::copied(&long, b"x")];
        let packed = pack(&entries).expect("an archive");
        assert_eq!(packed, pack(&entries).expect("an archive"));
        let mut archive = tar::Archive::new(packed.as_slice());
        let mut read = Vec::new();
        for entry in archive.entries().expect("entries") {
            let mut entry = entry.expect("an entry");
            let path = entry.path().expect("a path").to_string_lossy().into_owned();
            let mode = entry.header().mode().expect("a mode");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("bytes");
            read.push(Entry { path, mode, bytes, link: None });
        }
        assert_eq!(read, entries);
        assert_eq!((read[0].mode, read[1].mode), (0o755, 0o644));
    }

    #[test]
    fn a_link_is_packed_as_a_link() {
        let item = Item { path: "to".into(), content: Content::Link("/etc/shadow".into()) };
        let packed = pack(&[Entry::from(item)]).expect("an archive");
        let mut archive = tar::Archive::new(packed.as_slice());
        let entry = archive.entries().expect("entries").next().expect("one").expect("an entry");
        assert_eq!(entry.header().entry_type(), tar::EntryType::Symlink);
        assert_eq!(entry.link_name().expect("a name").as_deref(), Some(Path::new("/etc/shadow")));
        assert_eq!(entry.size(), 0);
    }

    #[test]
    fn a_secret_can_be_read_and_not_changed() {
        assert_eq!(Entry::secret("/run/password", "x").mode, 0o444);
    }
}
