//! The evidence of a run: a folder that tells everything, sealed by its sums after the teardown.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{Facts, assemble::observations};
use crate::{
    plan::{self, Plan},
    workload::History,
};
use blackstart_evidence::{
    journal::Journal,
    manifest::{self, sums},
};
use blackstart_reports::{
    record::Record,
    render::{Format, Style, render},
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
        self.write(manifest::FILE, &sums(&self.folder)?)
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
