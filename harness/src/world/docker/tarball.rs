//! Tar archives in memory: what a build is made from, and what is copied into a container. The same content gives the
//! same bytes.

use std::{fs, io, path::Path};

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path, without a leading slash.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// A file that goes into a container: whoever runs there may read it, and scripts may be run.
    pub(super) fn copied(path: &str, bytes: &[u8]) -> Self {
        let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
        Self { path: path.trim_start_matches('/').to_owned(), mode, bytes: bytes.to_vec() }
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
        archive.append_data(&mut header, &entry.path, entry.bytes.as_slice())?;
    }
    archive.into_inner()
}

/// The files of a folder, in the order of their paths.
///
/// # Errors
/// Where something cannot be read.
pub(super) fn read_folder(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    read_into(folder, "", &mut entries)?;
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn read_into(folder: &Path, prefix: &str, entries: &mut Vec<Entry>) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        let path = format!("{prefix}{}", item.file_name().to_string_lossy());
        if item.path().is_dir() {
            read_into(&item.path(), &format!("{path}/"), entries)?;
        } else {
            entries.push(read_file(&item.path(), path)?);
        }
    }
    Ok(())
}

/// One file, under the path given.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn read_file(file: &Path, path: String) -> io::Result<Entry> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    let bytes = fs::read(file).map_err(named)?;
    let mode = if is_executable(&fs::metadata(file).map_err(named)?) { 0o755 } else { 0o644 };
    Ok(Entry { path, mode, bytes })
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
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
            read.push(Entry { path, mode, bytes });
        }
        assert_eq!(read, entries);
        assert_eq!((read[0].mode, read[1].mode), (0o755, 0o644));
    }

    #[test]
    fn a_secret_can_be_read_and_not_changed() {
        assert_eq!(Entry::secret("/run/password", "x").mode, 0o444);
    }
}
