//! The rules that a well-formed declaration can still break.
//!
//! Each rule is a pure function from what is declared to [`Note`]s. All of them run, whatever the others find, so that
//! one reading tells everything. To add one: write it in the file of its subject, name it in that file's list, and give
//! it a row in `tests/refusals.rs`.

mod backups;
mod checks;
mod defects;
mod faults;
mod length;
mod limits;
pub(super) mod names;
mod recovery;
mod secondary;
mod service;
pub(super) mod storage;
mod targets;
pub(super) mod templates;
pub(super) mod topology;

use std::path::Path;

use super::{Scenario, System, refusal::Severity};

/// What a rule has to say about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether it stops the drill.
    pub severity: Severity,
    /// The path of the key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// The mend.
    pub mend: String,
}

impl Note {
    /// A reason to refuse.
    pub fn new(key: impl Into<String>, problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Refused, key: key.into(), problem: problem.into(), mend: mend.into() }
    }

    /// No reason to refuse, and yet worth saying.
    pub fn warning(key: impl Into<String>, problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::new(key, problem, mend) }
    }
}

type SystemRule = fn(&System) -> Vec<Note>;
type ScenarioRule = fn(&Scenario) -> Vec<Note>;
type PairRule = fn(&Scenario, &System) -> Vec<Note>;

/// What is wrong with a system by itself; keys are the system's.
pub fn system(system: &System) -> Vec<Note> {
    let rules = [
        topology::RULES,
        limits::RULES,
        templates::RULES,
        service::SYSTEM_RULES,
        backups::SYSTEM_RULES,
        storage::SYSTEM_RULES,
        checks::RULES,
        defects::RULES,
    ]
    .concat();
    rules.iter().flat_map(|rule| rule(system)).collect()
}

/// What is wrong with a scenario, whatever its system; keys are the scenario's.
pub fn scenario(scenario: &Scenario) -> Vec<Note> {
    let rules = [
        service::SCENARIO_RULES,
        faults::RULES,
        backups::RULES,
        storage::RULES,
        secondary::RULES,
        recovery::RULES,
        targets::RULES,
    ]
    .concat();
    rules.iter().flat_map(|rule| rule(scenario)).collect()
}

/// What is wrong with a scenario given its system; keys are the scenario's.
pub fn together(scenario: &Scenario, system: &System) -> Vec<Note> {
    let rules = [
        templates::PAIR_RULES,
        service::PAIR_RULES,
        faults::PAIR_RULES,
        backups::PAIR_RULES,
        storage::PAIR_RULES,
        recovery::PAIR_RULES,
        targets::PAIR_RULES,
        length::PAIR_RULES,
    ]
    .concat();
    rules.iter().flat_map(|rule| rule(scenario, system)).collect()
}

/// A scenario is called as its file is.
pub fn scenario_name(scenario: &Scenario, file: &Path) -> Vec<Note> {
    let stem = stem(file);
    if scenario.scenario == stem {
        return Vec::new();
    }
    let problem = format!("the scenario is called `{}`, and its file `{stem}`", scenario.scenario);
    vec![Note::new("scenario", problem, format!("write `{stem}`, or rename the file"))]
}

/// A system is called as its file is, or as the folder of a file called `system`.
pub fn system_name(system: &System, file: &Path) -> Vec<Note> {
    let folder = file.parent().map(stem).unwrap_or_default();
    let name = match stem(file) {
        stem if stem == "system" && !folder.is_empty() => folder,
        stem => stem,
    };
    if system.system == name || system.system == stem(file) {
        return Vec::new();
    }
    let problem = format!("the system is called `{}`, and its file `{name}`", system.system);
    vec![Note::new("system", problem, format!("write `{name}`, or rename the file"))]
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
