//! The evidence of a run: a folder that tells everything, sealed by its sums after the teardown.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use blackstart_reports::{
    record::Record,
    render::{Format, Style, render},
};
use sha2::{Digest, Sha256};

use super::{Facts, assemble::observations};
use crate::{
    journal::Journal,
    plan::{self, Plan},
    workload::History,
};

/// The folder of a run.
#[derive(Debug, Clone)]
pub struct Bundle {
    folder: PathBuf,
}

impl Bundle {
    /// Makes the folder, which must be new, and opens the journal in it.
    ///
    /// # Errors
    /// Where it exists or cannot be made.
    pub fn create(folder: &Path) -> io::Result<(Self, Journal)> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::create_dir(folder)?;
        let journal = Journal::create(&folder.join("events.jsonl"))?;
        Ok((Self { folder: folder.to_owned() }, journal))
    }

    /// Writes everything that is known at the end, and the sums over all of it.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(super) fn seal(
        &self,
        plan: &Plan,
        record: &Record,
        facts: &Facts,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<()> {
        let style = Style::default();
        self.write("result.json", &render(record, Format::Json, &style))?;
        self.write("report.md", &render(record, Format::Markdown, &style))?;
        self.write("scenario.yaml", &resolved(plan))?;
        self.write("plan.txt", &plan::text::text(plan))?;
        let told = serde_json::json!({ "environment": environment, "images": facts.images });
        self.write("environment.json", &format!("{told:#}\n"))?;
        self.write_history(&facts.history)?;
        if let Some(observations) = observations(plan, facts) {
            self.write("observations.json", &format!("{}\n", serde_json::to_string_pretty(&observations)?))?;
        }
        fs::create_dir_all(self.folder.join("checks"))?;
        for (id, output) in &facts.raw {
            self.write(&format!("checks/{id}.txt"), output)?;
        }
        self.write_sums()
    }

    /// Writes the sums of everything that is there: the last thing.
    pub(crate) fn write_sums(&self) -> io::Result<()> {
        self.write("SHA256SUMS", &sums(&self.folder)?)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join(name), text)
    }

    fn write_history(&self, history: &History) -> io::Result<()> {
        let mut file = io::BufWriter::new(fs::File::create(self.folder.join("history.jsonl"))?);
        for sent in history {
            serde_json::to_writer(&mut file, sent)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    }
}

/// The scenario and its system as they were run, in one document.
pub fn resolved(plan: &Plan) -> String {
    let told = BTreeMap::from([
        ("scenario", serde_json::to_value(&plan.declared.scenario)),
        ("system", serde_json::to_value(&plan.declared.system)),
    ]);
    let told: BTreeMap<&str, serde_json::Value> =
        told.into_iter().filter_map(|(key, value)| Some((key, value.ok()?))).collect();
    serde_saphyr::to_string(&told).unwrap_or_else(|error| format!("# could not be written: {error}\n"))
}

/// SHA-256 of a text, in hexadecimal.
pub fn digest_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The sums of every file under a folder, in the form that `sha256sum -c` reads.
pub(super) fn sums(folder: &Path) -> io::Result<String> {
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
        } else if path != Path::new("SHA256SUMS") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_exists_is_never_written_into() {
        let folder = std::env::temp_dir().join(format!("blackstart-bundle-{:08x}", rand::random::<u32>()));
        Bundle::create(&folder).expect("a new folder");
        let again = Bundle::create(&folder).expect_err("it exists");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        fs::remove_dir_all(folder).expect("it goes");
    }
}
