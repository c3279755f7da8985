//! The audit of a run's folder: is it whole, and does everything that its record publishes follow from what lies beside it?
//!
//! The sums show that nothing was changed by accident or in part, and the chains that nothing was taken out or moved. They are
//! no signature: whoever can write the folder can write new sums too, so keep a copy of them where others cannot. What an
//! audit cannot know, it lists.

use std::{collections::BTreeSet, fmt, io, path::Path, thread};

use blackstart_reports::{
    record::{Backup, Record, Verdict},
    render::{Format, Style, json, render},
    selftest, version_1,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    chain::Walked,
    checks,
    copies::{self, Copy},
    cut_off,
    event::validity,
    fact::digest_of_tokens,
    folder::{self, Journal, Resolved},
    history::{History, Sent},
    index,
    manifest::{self, Found, digest_of},
    measure::stage_between,
    observations::Observations,
    rebuild::{self, Sources},
    recheck::recheck,
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it must be.
    pub holds: bool,
    /// What was found.
    pub detail: String,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Everything that was looked at, in order.
    pub findings: Vec<Finding>,
    /// What could not be checked.
    pub unchecked: Vec<String>,
}

impl Audit {
    /// Whether the record is of schema version 1, whose words are not written any more.
    fn is_of_version_1(&self) -> bool {
        self.unchecked.iter().any(|what| what == rebuild::WORDS_OF_VERSION_1)
    }

    /// Whether everything is as it must be.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }

    /// 0 if everything is as it must be, 1 if not.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.holds())
    }

    /// Adds a finding.
    pub fn note(&mut self, what: &str, holds: bool, detail: impl Into<String>) {
        self.findings.push(Finding { what: what.to_owned(), holds, detail: detail.into() });
    }

    /// Adds a finding that holds unless there is a complaint.
    fn unless(&mut self, what: &str, complaint: Option<String>, otherwise: impl Into<String>) {
        let holds = complaint.is_none();
        self.note(what, holds, complaint.unwrap_or_else(|| otherwise.into()));
    }

    /// A result, or a finding that says why there is none.
    fn need<T>(&mut self, what: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|why| self.note(what, false, why)).ok()
    }
}

/// One line a finding.
impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |holds: bool| if holds { "holds" } else { "BROKEN" };
        for finding in &self.findings {
            writeln!(f, "{:8}  {:9}  {}", word(finding.holds), finding.what, finding.detail)?;
        }
        self.unchecked.iter().try_for_each(|what| writeln!(f, "unchecked {what}"))
    }
}

/// Audits the folder of a run.
///
/// # Errors
/// Where it is no folder of a run, or cannot be listed; whatever is wrong in it is a finding.
pub fn audit(folder: &Path) -> io::Result<Audit> {
    // Summing a long history up and reading it take as long as everything else: side by side.
    let (found, history) = thread::scope(|scope| {
        let history = scope.spawn(|| folder::history(folder));
        (manifest::look(folder), history.join())
    });
    let found = found?;
    let history = history.unwrap_or_else(|_| Err("history.jsonl: reading it failed".to_owned()));
    let is_run = |name: &str| name == "events.jsonl" || name == "result.json";
    if !manifest::is_sealed(folder) && !found.files.keys().any(|name| is_run(name)) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it holds neither a record nor a journal"));
    }
    let mut audit = Audit { findings: Vec::new(), unchecked: Vec::new() };
    audit_files(folder, &found, &mut audit);
    let journal = audit.need("journal", folder::journal(folder));
    if let Some(journal) = &journal {
        audit_chain("journal", &journal.walked, &mut audit);
    }
    let history = audit.need("history", history);
    if let Some((_, walked)) = &history {
        audit_chain("history", walked, &mut audit);
    }
    let history = history.map(|(history, _)| history).unwrap_or_default();
    if !manifest::is_sealed(folder) {
        let words = journal.map(|journal| cut_off::words(&journal, &history));
        audit.note("complete", false, words.unwrap_or_else(|| "the folder was never sealed".to_owned()));
        return Ok(audit);
    }
    // A self-test lies in the same kind of folder; it has no history, and its record is another one.
    if found.files.contains_key(selftest::FILE) && !found.files.contains_key("result.json") {
        audit.findings.retain(|finding| finding.what != "history");
        audit.unchecked.push("the record of a self-test: only the sums and the journal were looked at".to_owned());
        return Ok(audit);
    }
    if let (Some(record), Some(journal)) = (audit_record(folder, &mut audit), journal) {
        audit_contents(folder, &record, &journal, &history, &mut audit);
    }
    Ok(audit)
}

fn audit_chain(what: &str, walked: &Walked, audit: &mut Audit) {
    audit.unless(what, walked.complaint(), format!("{} lines, each following from the one before", walked.lines));
}

/// Every file has the sum that was sealed, none is missing, none was added, and there is nothing but files.
fn audit_files(folder: &Path, found: &Found, audit: &mut Audit) {
    if !manifest::is_sealed(folder) {
        return audit.unless("files", (!found.odd.is_empty()).then(|| found.odd.join("; ")), "nothing but files");
    }
    let Some(text) = audit.need("sums", manifest::read_text(folder, manifest::FILE)) else { return };
    let (sealed, mut wrong) = manifest::parse(&text);
    for (name, sum) in &sealed {
        match found.files.get(name) {
            None => wrong.push(format!("{name} is missing")),
            Some(other) if other != sum => wrong.push(format!("{name} was changed")),
            Some(_) => {}
        }
    }
    wrong.extend(found.files.keys().filter(|name| !sealed.contains_key(*name)).map(|name| format!("{name} was added")));
    let is_needed = |folder: &&String| !sealed.keys().any(|name| name.starts_with(&format!("{folder}/")));
    wrong.extend(found.folders.iter().filter(is_needed).map(|folder| format!("{folder}/ was added")));
    wrong.extend(found.odd.iter().cloned());
    let complaint = (!wrong.is_empty()).then(|| in_part(&wrong));
    audit.unless("sums", complaint, format!("{} files as sealed", sealed.len()));
}

/// As many of several complaints as one line bears.
fn in_part(all: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = all.len().checked_sub(SHOWN).filter(|more| *more > 0).map(|more| format!("and {more} more"));
    all.iter().take(SHOWN).cloned().chain(more).collect::<Vec<_>>().join("; ")
}

/// The record, which must be written as it is written, and its report as it is rendered.
fn audit_record(folder: &Path, audit: &mut Audit) -> Option<Record> {
    let text = audit.need("record", manifest::read_text(folder, "result.json"))?;
    let record = audit.need("record", json::read(&text).map_err(|error| error.to_string()))?;
    let other =
        (!json::is_as_written(&text, &record)).then(|| "result.json holds something that is no part of it".to_owned());
    audit.unless("record", other, "in the form in which it is written");
    if is_of_version_1(&text) {
        audit.unchecked.push(rebuild::WORDS_OF_VERSION_1.to_owned());
    } else if let Some(report) = audit.need("report", manifest::read_text(folder, "report.md")) {
        let other = render(&record, Format::Markdown, &Style::default()) != report;
        audit.unless(
            "report",
            other.then(|| "report.md is not what the record is rendered to".to_owned()),
            "as the record",
        );
    }
    Some(record)
}

/// Whether a record is stored in the words of version 1: then what is made of words is not made again.
fn is_of_version_1(text: &str) -> bool {
    json::stored_version(text).is_ok_and(|version| version == version_1::VERSION)
}

fn audit_contents(folder: &Path, record: &Record, journal: &Journal, history: &History, audit: &mut Audit) {
    let Some(scenario) = audit.need("scenario", manifest::read_text(folder, "scenario.yaml")) else { return };
    let Some(resolved) = audit.need("scenario", folder::resolved(folder)) else { return };
    let observations = audit_observations(folder, journal, &resolved, audit);
    let measured = observations.as_ref().map(|observations| (observations, observations.measure(history)));
    let sources = Sources {
        journal,
        history,
        resolved: &resolved,
        digest: digest_of(&scenario),
        measured: measured.as_ref().map(|(observations, measured)| (*observations, measured)),
    };
    audit_fields(record, &sources, history, audit);
    audit_checks(folder, &sources, audit);
    audit_backups(folder, record, &sources, history, audit);
    audit_end(folder, record, journal, audit);
    audit.unchecked.extend(rebuild::UNCHECKED.iter().map(|(field, why)| format!("{field}: {why}")));
    audit.unchecked.extend(rebuild::BEYOND.iter().map(|what| (*what).to_owned()));
}

/// Each field of the record is what it comes to when it is made again.
fn audit_fields(record: &Record, sources: &Sources<'_>, history: &[Sent], audit: &mut Audit) {
    let told = serde_json::to_value(record).unwrap_or(Value::Null);
    let mut again = rebuild::fields(record, sources);
    if audit.is_of_version_1() {
        again.retain(|field, _| !["reasons", "timeline"].contains(field));
    }
    let mut rest = BTreeSet::new();
    for (field, computed) in &again {
        let told = told.get(*field).unwrap_or(&Value::Null);
        let (what, said) = match *field {
            "rpo" => ("RPO", format!("the same again from {} requests", history.len())),
            "rto" => ("RTO", format!("the same again from {} requests", history.len())),
            "load" => ("load", format!("the same again from {} requests", history.len())),
            other => (other, String::new()),
        };
        if told == computed && said.is_empty() {
            rest.insert(what);
        } else {
            audit.unless(what, (told != computed).then(|| differences(told, computed)), said);
        }
    }
    audit.note(
        "fields",
        true,
        format!("as journal, history and scenario tell: {}", rest.into_iter().collect::<Vec<_>>().join(", ")),
    );
    if record.verdict == Verdict::CouldNotRun {
        audit.note("verdict", true, "could not run: nothing was evaluated");
    }
}

/// Which fields differ, each in a few words.
fn differences(told: &Value, computed: &Value) -> String {
    let again = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), in_short);
    match (told, computed) {
        (Value::Object(told), Value::Object(computed)) => {
            let keys: BTreeSet<&String> = told.keys().chain(computed.keys()).collect();
            let differs = keys.into_iter().filter(|key| told.get(*key) != computed.get(*key));
            let words = differs
                .map(|key| format!("{key}: told {}, computed {}", again(told.get(key)), again(computed.get(key))));
            words.collect::<Vec<_>>().join("; ")
        }
        (Value::Array(told), Value::Array(computed)) if told.len() == computed.len() => {
            let differs = told.iter().zip(computed).enumerate().filter(|(_, (told, computed))| told != computed);
            let words = differs.map(|(index, (told, computed))| format!("[{index}] {}", differences(told, computed)));
            in_part(&words.collect::<Vec<_>>())
        }
        _ => format!("told {}, computed {}", in_short(told), in_short(computed)),
    }
}

fn in_short(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("{} entries", items.len()),
        other => other.to_string().chars().take(60).collect(),
    }
}

/// The observations are those that journal and scenario tell.
fn audit_observations(
    folder: &Path,
    journal: &Journal,
    resolved: &Resolved,
    audit: &mut Audit,
) -> Option<Observations> {
    let had_load = journal.facts.watched.as_ref().is_some_and(|watched| watched.load_started_us.is_some());
    if !had_load {
        let is_there = folder.join("observations.json").exists();
        audit.unless(
            "observed",
            is_there.then(|| "the journal tells of no load".to_owned()),
            "no load ran, and none is told",
        );
        return None;
    }
    let text = audit.need("observed", manifest::read_text(folder, "observations.json"))?;
    let mut told: Observations =
        audit.need("observed", serde_json::from_str(&text).map_err(|error| format!("observations.json: {error}")))?;
    // Tokens may be a million. They are held against their digests, and left out where values are made.
    let tokens = (told.survivors.take(), told.stranded.take());
    let again = rebuild::observations(&told, journal, resolved)?;
    let value = |of: &Observations| serde_json::to_value(of).unwrap_or(Value::Null);
    let mut wrong = Vec::new();
    if value(&told) != value(&again) {
        wrong.push(differences(&value(&told), &value(&again)));
    }
    (told.survivors, told.stranded) = tokens;
    let digest =
        |tokens: &Option<Vec<String>>| tokens.as_ref().map(|tokens| (tokens.len() as u64, digest_of_tokens(tokens)));
    if digest(&told.survivors) != journal.facts.survivors.get(&None).cloned() {
        wrong.push("the survivors are not those that the journal tells of".to_owned());
    }
    if digest(&told.stranded) != journal.facts.stranded {
        wrong.push("the stranded writes are not those that the journal tells of".to_owned());
    }
    audit.unless("observed", (!wrong.is_empty()).then(|| wrong.join("; ")), "as journal and scenario tell");
    Some(told)
}

/// Every check is evaluated again by what it demanded and what came back.
fn audit_checks(folder: &Path, sources: &Sources<'_>, audit: &mut Audit) {
    if audit.is_of_version_1() {
        return audit_answers(folder, sources.journal, audit);
    }
    let found = recheck(folder, sources);
    let said = format!("{} checks, each evaluated again by what came back", found.count);
    audit.unless("checks", (!found.wrong.is_empty()).then(|| in_part(&found.wrong)), said);
    audit.unchecked.extend(found.unchecked);
}

/// Schema version 1 kept the answers to checks as words: they are what came back, and their status rests on the run's own word.
fn audit_answers(folder: &Path, journal: &Journal, audit: &mut Audit) {
    let mut wrong = Vec::new();
    for (_, result, answer) in journal.facts.checked.iter().filter(|_| journal.facts.is_examined) {
        match manifest::read_text(folder, &format!("{}/{}.txt", checks::FOLDER, result.id)) {
            Ok(text) if digest_of(&text) == *answer => {}
            Ok(_) => wrong.push(format!("checks/{}.txt is not what came back", result.id)),
            Err(why) => wrong.push(why),
        }
    }
    let said = format!("{} checks, each with what came back", journal.facts.checked.len());
    audit.unless("answers", (!wrong.is_empty()).then(|| in_part(&wrong)), said);
    audit.unchecked.push("the status of each check: schema version 1 keeps answers as words".to_owned());
}

/// Each backup is told as the scenario declares it and the journal tells it, and what its copy lacked is computed again.
fn audit_backups(folder: &Path, record: &Record, sources: &Sources<'_>, history: &[Sent], audit: &mut Audit) {
    let facts = &sources.journal.facts;
    if record.backups.is_empty() && facts.restore_tests.is_empty() && sources.journal.backed_up.is_empty() {
        return;
    }
    let mut wrong = Vec::new();
    let ids: BTreeSet<&String> = record.backups.iter().map(|backup| &backup.id).collect();
    let known = sources.journal.backed_up.keys().chain(facts.restore_tests.keys());
    wrong.extend(known.filter(|id| !ids.contains(id)).map(|id| format!("{id} is not told")));
    for backup in &record.backups {
        let mut all = wrong_with_taking(backup, sources, history);
        all.extend(wrong_with_restore_test(folder, backup, sources.journal, history));
        wrong.extend(all.into_iter().map(|what| format!("backup {}: {what}", backup.id)));
    }
    audit.unless("backups", (!wrong.is_empty()).then(|| in_part(&wrong)), format!("{} evaluated again", ids.len()));
}

/// What is told otherwise of how a backup was taken.
fn wrong_with_taking(backup: &Backup, sources: &Sources<'_>, history: &[Sent]) -> Vec<String> {
    let (journal, mut wrong) = (sources.journal, Vec::new());
    let us = |ms: f64| (ms * 1e3).round() as u64;
    let deadlines = sources.resolved.scenario.deadlines();
    let declared = sources.resolved.scenario.backups.iter().find(|declared| declared.id == backup.id);
    let interrupted = journal.interrupted.get(&backup.id);
    let bytes = journal.backed_up.get(&backup.id).map_or(0, |(_, bytes)| *bytes);
    let is_expected = declared.is_some_and(|declared| declared.expect.as_deref() == Some("invalid"));
    if declared.map(|declared| &declared.method) != Some(&backup.method) {
        wrong.push("the scenario declares another method".to_owned());
    }
    if interrupted != backup.interrupted.as_ref() || bytes != backup.bytes {
        wrong.push("its size, or its interruption, is not what the journal tells".to_owned());
    }
    if interrupted.is_none() && is_expected != backup.expected_invalid {
        wrong.push("the scenario expects otherwise of it".to_owned());
    }
    let Some(taken) = backup.taken_ms else { return wrong };
    let (began_us, ended_us) = (us(taken.lower), us(taken.upper));
    if ended_us.saturating_sub(began_us) as f64 / 1e6 != backup.seconds {
        wrong.push("it took as long as from its beginning to its end, and is told otherwise".to_owned());
    }
    if backup.load.as_ref() != Some(&stage_between(history, &backup.id, began_us..ended_us, deadlines)) {
        wrong.push("its load is not what the history gives".to_owned());
    }
    wrong
}

/// What is told otherwise of how a backup was tested.
fn wrong_with_restore_test(folder: &Path, backup: &Backup, journal: &Journal, history: &[Sent]) -> Vec<String> {
    let (valid, restore_test, asked_us) = match journal.facts.restore_tests.get(&backup.id) {
        Some((valid, restore_test, asked_us)) => (*valid, Some(restore_test), *asked_us),
        None => (None, None, None),
    };
    let mut wrong = Vec::new();
    if valid != backup.valid || restore_test != backup.restore_test.as_ref() {
        wrong.push(format!("the journal tells that it {}, and how, otherwise", validity(valid)));
    }
    wrong.extend(asked_us.and_then(|_| audit_copy(folder, backup, journal, history).err()));
    wrong
}

/// What a copy held is what was read of it, and it lacks what the record says.
fn audit_copy(folder: &Path, backup: &Backup, journal: &Journal, history: &[Sent]) -> Result<(), String> {
    let name = format!("{}/{}.json", copies::FOLDER, backup.id);
    let text = manifest::read_text(folder, &name)?;
    let copy: Copy = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    let told = (copy.survivors.len() as u64, digest_of_tokens(&copy.survivors));
    if journal.facts.survivors.get(&Some(backup.id.clone())) != Some(&told) {
        return Err(format!("{name} is not what the journal tells of"));
    }
    let held = copies::held(history, &copy);
    let restore_test = backup.restore_test.as_ref();
    let missing = restore_test.and_then(|restore_test| restore_test.missing);
    let until_ms = restore_test.and_then(|restore_test| restore_test.holds_until_ms);
    if (missing, until_ms) != (Some(held.missing), held.until_ms) {
        return Err(format!("told to lack {missing:?} up to {until_ms:?}, computed {held:?}"));
    }
    Ok(())
}

/// Journal and index tell the same end as the record.
fn audit_end(folder: &Path, record: &Record, journal: &Journal, audit: &mut Audit) {
    let other = (journal.facts.ended != Some(record.verdict))
        .then(|| format!("the journal ends with {:?}, the record with {:?}", journal.facts.ended, record.verdict));
    audit.unless("end", other, "the journal ends with the same verdict");
    let runs = std::path::absolute(folder).ok().and_then(|path| path.parent().map(Path::to_owned));
    let entries = runs.and_then(|runs| index::read(&runs).ok()).map(|(entries, _)| entries).unwrap_or_default();
    let own = entries.into_iter().rev().find_map(|entry| match entry {
        index::Entry::Ended { run_id, manifest, .. } if run_id == record.run_id => Some(manifest),
        _ => None,
    });
    let Some(own) = own else {
        audit.unchecked.push("the index of the folder of runs: it does not name this run".to_owned());
        return;
    };
    let sums = manifest::read_text(folder, manifest::FILE).unwrap_or_default();
    let other = (digest_of(&sums) != own).then(|| "it names another manifest for this run".to_owned());
    audit.unless("index", other, "names this manifest");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named_and_lists_by_their_length() {
        let told = serde_json::json!({ "lost": [1, 2], "lost_writes": { "lower": 2 }, "phantom": 0 });
        let computed = serde_json::json!({ "lost": [1], "lost_writes": { "lower": 1 }, "phantom": 0 });
        let words = differences(&told, &computed);
        assert_eq!(
            words,
            r#"lost: told 2 entries, computed 1 entries; lost_writes: told {"lower":2}, computed {"lower":1}"#
        );
    }
}
