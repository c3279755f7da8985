//! The folder of a run, read as far as it can be: its journal, its history, its observations, its scenario.

use std::{collections::BTreeMap, fs, io::BufReader, path::Path};

use blackstart_reports::{files, record::TimelineEntry, version_1};
use serde::Deserialize;

use crate::{
    chain::{self, Walked},
    checks::Check,
    declared::{ServiceLevel, Targets},
    event::{Event, Stamped},
    fact::{Fact, Facts},
    history::{History, Sent, Words},
    manifest,
    measure::Deadlines,
    units::{Rate, Span},
};

/// The journal of a run.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// What it states.
    pub facts: Facts,
    /// What happened, for people.
    pub timeline: Vec<TimelineEntry>,
    /// The phases that began, and when, in microseconds.
    pub begun: Vec<(String, u64)>,
    /// Why the run was stopped.
    pub stopped: Vec<String>,
    /// The backups that were taken: how, and their size in bytes.
    pub backed_up: BTreeMap<String, (String, u64)>,
    /// The backups that were interrupted, and how that was seen.
    pub interrupted: BTreeMap<String, String>,
    /// What was left behind.
    pub leftovers: Vec<String>,
    /// The moment of the last event, in microseconds.
    pub last_us: u64,
    /// How sound the file is.
    pub walked: Walked,
}

/// Reads the journal in a folder.
///
/// # Errors
/// In words, where it cannot be read.
pub fn journal(folder: &Path) -> Result<Journal, String> {
    let mut journal = Journal::default();
    let walked = walk(folder, "events.jsonl", |line| {
        journal.add(serde_json::from_slice(line)?);
        Ok(())
    })?;
    Ok(Journal { walked, ..journal })
}

impl Journal {
    fn add(&mut self, Stamped { at_us, mut event }: Stamped) {
        raise(&mut event);
        self.last_us = at_us;
        if let Some((kind, text)) = event.for_timeline() {
            self.timeline.push(TimelineEntry { at_ms: at_us as f64 / 1e3, kind: kind.to_owned(), text });
        }
        match event {
            Event::Phase { name } => self.begun.push((name, at_us)),
            Event::Stopped { why } => self.stopped.push(why),
            Event::Leftover { what } => self.leftovers.push(what),
            Event::BackedUp { id, method, bytes, .. } => drop(self.backed_up.insert(id, (method, bytes))),
            Event::Interrupted { id, proof } => drop(self.interrupted.insert(id, proof)),
            Event::Fact(fact) => self.facts.add(*fact),
            _ => {}
        }
    }
}

/// Replaces what an event names in the words of version 1. Keys are known by both names where they are declared.
fn raise(event: &mut Event) {
    match event {
        Event::Phase { name } => version_1::replace(name, &version_1::PHASES),
        Event::Fact(fact) => match fact.as_mut() {
            Fact::Phase(phase) => version_1::replace(&mut phase.name, &version_1::PHASES),
            Fact::Watched(watched) => {
                let faults = watched.faults.iter_mut().chain(&mut watched.conditions);
                faults.for_each(|fault| version_1::replace(&mut fault.kind, &version_1::KINDS));
            }
            _ => {}
        },
        _ => {}
    }
}

/// Reads the history in a folder.
///
/// # Errors
/// In words, where it cannot be read.
pub fn history(folder: &Path) -> Result<(History, Walked), String> {
    let (mut history, mut words) = (History::new(), Words::default());
    let walked = walk(folder, "history.jsonl", |line| {
        history.push(Sent::read(line, &mut words)?);
        Ok(())
    })?;
    // What a growing list holds in reserve is half of it.
    history.shrink_to_fit();
    Ok((history, walked))
}

fn walk(folder: &Path, name: &str, each: impl FnMut(&[u8]) -> serde_json::Result<()>) -> Result<Walked, String> {
    let path = folder.join(name);
    let told = |error: std::io::Error| format!("{name}: {error}");
    if !fs::symlink_metadata(&path).map_err(told)?.is_file() {
        return Err(format!("{name} is not a regular file"));
    }
    chain::walk_lines(BufReader::with_capacity(1 << 16, files::open(&path).map_err(told)?), each).map_err(told)
}

/// What figures and levels need of the scenario and the system, as they lie beside the record.
#[derive(Debug, Clone, Deserialize)]
pub struct Resolved {
    pub scenario: Scenario,
    pub system: System,
}

/// A part of the scenario.
#[derive(Debug, Clone, Deserialize)]
pub struct Scenario {
    /// Its identifier.
    pub scenario: String,
    pub title: String,
    /// The requirements that it exercises.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The class of disaster.
    pub disaster: blackstart_reports::record::Disaster,
    pub load: Load,
    pub probe: Probe,
    /// What counts as service.
    #[serde(default)]
    pub service_level: ServiceLevel,
    /// What is demanded.
    pub targets: Targets,
    pub recovery: Recovery,
    #[serde(default)]
    pub backups: Vec<TakenBackup>,
    /// The deviations that are tolerated.
    #[serde(default)]
    pub tolerate: Vec<Tolerance>,
}

/// A part of a tolerance.
#[derive(Debug, Clone, Deserialize)]
pub struct Tolerance {
    /// The check.
    pub check: String,
    /// How many deviations.
    pub up_to: u64,
}

/// A part of a backup.
#[derive(Debug, Clone, Deserialize)]
pub struct TakenBackup {
    /// What the scenario calls it.
    pub id: String,
    /// How it is taken.
    pub method: String,
    /// What its restore test must come to: `valid` or `invalid`.
    pub expect: Option<String>,
}

/// A part of the load.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Load {
    /// How many requests are intended in a second.
    pub rate: Rate,
    /// How long clients wait.
    pub deadline: Span,
}

impl Scenario {
    /// How many deviations of a check are tolerated.
    pub fn tolerated(&self, check: &str) -> u64 {
        let declared = self.tolerate.iter().filter(|tolerance| tolerance.check == check);
        declared.fold(0, |sum, tolerance| tolerance.up_to.saturating_add(sum))
    }

    /// How long clients wait.
    pub const fn deadlines(&self) -> Deadlines {
        let (load, probe) = (self.load.deadline.duration(), self.probe.deadline.duration());
        Deadlines { load_us: load.as_micros() as u64, probe_us: probe.as_micros() as u64 }
    }
}

/// A part of the probe.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Probe {
    /// How often.
    pub every: Span,
    /// How long it waits.
    pub deadline: Span,
}

/// A part of the recovery.
#[derive(Debug, Clone, Deserialize)]
pub struct Recovery {
    /// The time that a person takes to decide.
    pub decision: Option<Decision>,
}

/// A part of the decision.
#[derive(Debug, Clone, Deserialize)]
pub struct Decision {
    /// Why it is left out of the measured time.
    pub excluded: Option<String>,
}

/// A part of the system.
#[derive(Debug, Clone, Deserialize)]
pub struct System {
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// Reads the scenario of a run.
///
/// # Errors
/// In words, where it is missing or malformed.
pub fn resolved(folder: &Path) -> Result<Resolved, String> {
    let text = manifest::read_text(folder, "scenario.yaml")?;
    serde_saphyr::from_str(&text).map_err(|error| {
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        format!("scenario.yaml: {first}")
    })
}
