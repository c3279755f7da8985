//! The audit of a run's evidence: is it whole, and do its own observations give the numbers that its record tells?
//!
//! The sums show that nothing was changed by accident or in part. They are no signature: whoever can write the folder can
//! write new sums too, so keep a copy of them where others cannot.

use std::{
    fmt, fs,
    io::{self, BufRead, BufReader},
    path::Path,
};

use blackstart_reports::{
    record::{Record, Verdict},
    render::json,
    verdict::overall,
};
use serde::Serialize;

use crate::{
    history::{Sent, Words},
    manifest::{self, digest_of, sums},
    observations::Observations,
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
}

impl Audit {
    /// Whether everything is as it must be.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }

    /// 0 if everything is as it must be, 1 if not.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.holds())
    }

    fn note(&mut self, what: &str, holds: bool, detail: impl Into<String>) {
        self.findings.push(Finding { what: what.to_owned(), holds, detail: detail.into() });
    }
}

/// One line a finding.
impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |holds: bool| if holds { "holds" } else { "BROKEN" };
        self.findings
            .iter()
            .try_for_each(|finding| writeln!(f, "{:8}  {:9}  {}", word(finding.holds), finding.what, finding.detail))
    }
}

/// Audits the evidence in a folder.
///
/// # Errors
/// Where it cannot be read at all; what can be read and is wrong is a finding.
pub fn audit(folder: &Path) -> io::Result<Audit> {
    let mut audit = Audit { findings: Vec::new() };
    audit_sums(folder, &mut audit)?;
    let text = fs::read_to_string(folder.join("result.json"))?;
    let record = match json::read(&text) {
        Ok(record) => record,
        Err(error) => {
            audit.note("record", false, error.to_string());
            return Ok(audit);
        }
    };
    audit_scenario(folder, &record, &mut audit)?;
    audit_numbers(folder, &record, &mut audit)?;
    audit_verdict(&record, &mut audit);
    Ok(audit)
}

/// Every file has the sum that was sealed, none is missing, and none was added.
fn audit_sums(folder: &Path, audit: &mut Audit) -> io::Result<()> {
    let (sealed, found) = (fs::read_to_string(folder.join(manifest::FILE))?, sums(folder)?);
    let name = |line: &str| line.split_once("  ").map_or(line, |(_, name)| name).to_owned();
    let mut wrong: Vec<String> = Vec::new();
    for line in sealed.lines().filter(|line| !found.lines().any(|other| other == *line)) {
        let is_there = found.lines().any(|other| name(other) == name(line));
        wrong.push(format!("{} {}", name(line), if is_there { "was changed" } else { "is missing" }));
    }
    let is_sealed = |line: &str| sealed.lines().any(|other| name(other) == name(line));
    wrong.extend(found.lines().filter(|line| !is_sealed(line)).map(|line| format!("{} was added", name(line))));
    let detail =
        if wrong.is_empty() { format!("{} files as sealed", sealed.lines().count()) } else { wrong.join("; ") };
    audit.note("sums", wrong.is_empty(), detail);
    Ok(())
}

fn audit_scenario(folder: &Path, record: &Record, audit: &mut Audit) -> io::Result<()> {
    let digest = digest_of(&fs::read_to_string(folder.join("scenario.yaml"))?);
    let holds = digest == record.scenario.digest;
    let detail =
        if holds { "the record names the scenario that lies beside it" } else { "the record names another one" };
    audit.note("scenario", holds, detail);
    Ok(())
}

/// Computes RPO, RTO and load again, and compares.
fn audit_numbers(folder: &Path, record: &Record, audit: &mut Audit) -> io::Result<()> {
    let Ok(text) = fs::read_to_string(folder.join("observations.json")) else {
        let is_empty = record.rpo.is_none() && record.rto.is_none();
        audit.note(
            "numbers",
            is_empty,
            if is_empty { "no load ran, and none are told" } else { "nothing to compute them from" },
        );
        return Ok(());
    };
    let observations: Observations = serde_json::from_str(&text)?;
    let history = read_history(&folder.join("history.jsonl"))?;
    let measured = observations.measure(&history);
    let again = |what: &str, told: serde_json::Value, computed: serde_json::Value, audit: &mut Audit| {
        let holds = told == computed;
        let detail = if holds {
            format!("the same again from {} requests", history.len())
        } else {
            differences(&told, &computed)
        };
        audit.note(what, holds, detail);
    };
    again("RPO", serde_json::to_value(&record.rpo)?, serde_json::to_value(&measured.rpo)?, audit);
    again("RTO", serde_json::to_value(&record.rto)?, serde_json::to_value(&measured.rto)?, audit);
    again("load", serde_json::to_value(&record.load)?, serde_json::to_value(&measured.load)?, audit);
    Ok(())
}

/// Which fields differ, each in a few words.
fn differences(told: &serde_json::Value, computed: &serde_json::Value) -> String {
    let (Some(told), Some(computed)) = (told.as_object(), computed.as_object()) else {
        return "told and computed are not of one form".to_owned();
    };
    let differs = |(field, value): &(&String, &serde_json::Value)| computed.get(*field) != Some(value);
    let words = |(field, value): (&String, &serde_json::Value)| {
        let again = computed.get(field).map_or_else(|| "nothing".to_owned(), in_short);
        format!("{field}: told {}, computed {again}", in_short(value))
    };
    told.iter().filter(differs).map(words).collect::<Vec<_>>().join("; ")
}

fn in_short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(items) => format!("{} entries", items.len()),
        other => other.to_string().chars().take(60).collect(),
    }
}

fn read_history(path: &Path) -> io::Result<Vec<Sent>> {
    let lines = BufReader::new(fs::File::open(path)?).lines();
    let mut words = Words::default();
    let read = |line: io::Result<String>| -> io::Result<Sent> {
        let mut sent: Sent = serde_json::from_str(&line?)?;
        sent.kind = words.share(&sent.kind);
        sent.reply = words.share(&sent.reply);
        Ok(sent)
    };
    lines.map(read).collect()
}

/// The verdict follows from what the record tells. Why a drill could not run stands in its reasons alone.
fn audit_verdict(record: &Record, audit: &mut Audit) {
    if record.verdict == Verdict::CouldNotRun {
        audit.note("verdict", true, "could not run: nothing was judged");
        return;
    }
    let (verdict, _) = overall(record, &[]);
    let holds = verdict == record.verdict;
    audit.note("verdict", holds, format!("told {:?}, follows {verdict:?}", record.verdict).to_lowercase());
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
