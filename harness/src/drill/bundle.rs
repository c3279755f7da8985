//! The evidence of a run: a folder that tells everything, complete once its manifest is there.
//!
//! Events and requests are appended as they happen; scenario and plan are there from the start. At the end come the other
//! files, then the record, and last the manifest, each whole or not at all.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use blackstart_evidence::{
    checks, copies,
    fact::Began,
    index,
    journal::{Journal, RequestLog, Requests},
    manifest::{self, write_whole},
};
use blackstart_reports::{
    record::Record,
    render::{Format, Style, render},
};

use super::{Facts, assemble::observations};
use crate::plan::{self, Plan};

/// The folder of a run.
#[derive(Debug)]
pub struct Bundle {
    folder: PathBuf,
    journal: Journal,
    requests: Option<RequestLog>,
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
        create_private(folder)?;
        let journal = Journal::chained(&folder.join("events.jsonl"))?;
        Ok((Self { folder: folder.to_owned(), journal: journal.clone(), requests: None }, journal))
    }

    /// Writes what is known from the start: into the folder, and that the run began into the index beside it. Gives where
    /// clients tell of their requests.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(super) fn begin(&mut self, plan: &Plan, began: &Began) -> io::Result<Requests> {
        self.write("scenario.yaml", &resolved(plan))?;
        self.write("plan.txt", &plan::text::text(plan))?;
        let entry = index::Entry::Began {
            run_id: began.run_id.clone(),
            started_at: began.started_at.clone(),
            scenario: began.scenario.id.clone(),
            digest: began.scenario.digest.clone(),
            seed: began.seed,
            world: began.world,
        };
        index::append(self.runs(), &entry)?;
        let log = RequestLog::create(&self.folder.join("history.jsonl"))?;
        let requests = log.requests();
        self.requests = Some(log);
        Ok(requests)
    }

    /// The folder of runs in which this one lies.
    fn runs(&self) -> &Path {
        match self.folder.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// Waits until every request that was told is in the folder.
    ///
    /// # Errors
    /// What kept them from being written.
    pub(super) fn close_requests(&mut self) -> io::Result<()> {
        self.requests.take().map_or(Ok(()), RequestLog::close)
    }

    /// Writes everything that is known at the end, the record after all that it follows from, and last the manifest.
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
        let told = serde_json::json!({ "environment": environment, "images": facts.images });
        self.write("environment.json", &format!("{told:#}\n"))?;
        if let Some(observations) = observations(plan, facts) {
            self.write("observations.json", &format!("{}\n", serde_json::to_string_pretty(&observations)?))?;
        }
        for (id, kept) in &facts.answers {
            self.write_into(checks::FOLDER, &format!("{id}.json"), kept)?;
        }
        for (id, copy) in &facts.copies {
            self.write_into(copies::FOLDER, &format!("{id}.json"), &format!("{}\n", serde_json::to_string(copy)?))?;
        }
        let style = Style::default();
        self.write("report.md", &render(record, Format::Markdown, &style))?;
        manifest::sync_names(&self.folder)?;
        self.write("result.json", &render(record, Format::Json, &style))?;
        let manifest = manifest::digest_of(&self.finish()?);
        let (run_id, verdict) = (record.run_id.clone(), record.verdict);
        index::append(self.runs(), &index::Entry::Ended { run_id, verdict, manifest })
    }

    /// Writes the manifest over everything that is there: the last thing. Gives its text.
    pub(crate) fn finish(&self) -> io::Result<String> {
        self.journal.sync()?;
        manifest::seal(&self.folder)?;
        fs::read_to_string(self.folder.join(manifest::FILE))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        write_whole(&self.folder, name, text)
    }

    fn write_into(&self, folder: &str, name: &str, text: &str) -> io::Result<()> {
        fs::create_dir_all(self.folder.join(folder))?;
        self.write(&format!("{folder}/{name}"), text)
    }
}

/// Makes a folder that only its owner may enter: what is declared of a system, the environment of its nodes included, may
/// hold what is nobody else's business, and is kept whole, as the digest of the scenario is one over all of it.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
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

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_enter_the_folder_of_a_run() {
        let folder = std::env::temp_dir().join(format!("blackstart-bundle-{:08x}", rand::random::<u32>()));
        Bundle::create(&folder).expect("a new folder");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&folder).expect("it is there").permissions());
        assert_eq!(mode & 0o777, 0o700);
        fs::remove_dir_all(folder).expect("it goes");
    }
}
