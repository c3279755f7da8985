//! The manifest of a run's folder: the SHA-256 of every file in it.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// The name of the manifest.
pub const FILE: &str = "SHA256SUMS";

/// SHA-256 of a text, in hexadecimal.
pub fn digest_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The sums of every file under a folder, in the form that `sha256sum -c` reads.
///
/// # Errors
/// Where the folder or a file in it cannot be read.
pub fn sums(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(folder, Path::new(""), &mut files)?;
    files.sort();
    let mut out = String::new();
    for file in files {
        let sum = hexadecimal(&Sha256::digest(fs::read(folder.join(&file))?));
        let _ = writeln!(out, "{sum}  {}", file.display());
    }
    Ok(out)
}

fn collect(folder: &Path, under: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(under))? {
        let entry = entry?;
        let path = under.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(folder, &path, files)?;
        } else if path != Path::new(FILE) {
            files.push(path);
        }
    }
    Ok(())
}
