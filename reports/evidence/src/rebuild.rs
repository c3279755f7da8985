//! A record's fields, each made again from what lies beside it, and what cannot be made again.

use std::collections::{BTreeMap, BTreeSet};

use blackstart_reports::{
    record::{CheckResult, HarnessHealth, Interval, LevelResult, Record, SCHEMA_VERSION, ScenarioRef},
    verdict::{level_status, overall},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    fact::Facts,
    folder::{Journal, Resolved},
    history::Sent,
    measure::Stalls,
    observations::{Measured, Observations},
};

/// The names of the six levels.
pub const LEVELS: [&str; 6] =
    ["system", "module and application", "process instance", "consistency", "invocation", "monitoring"];

/// Fields of the record that nothing beside it tells, or only in part, and what that leaves open.
pub const UNCHECKED: [(&str, &str); 3] = [
    ("data_classes", "which checks show a class of data is the system's to say, and is not followed here"),
    ("notes", "remarks for people, which are not written anew"),
    (
        "backups",
        "of a backup: its label, its downtime, and what the checks of its copy found, whose answers are not kept",
    ),
];

/// What cannot be checked at all from a folder, by its nature.
pub const BEYOND: [&str; 6] = [
    "that the run took place, and when: the wall clock is a label, and nobody else has witnessed it",
    "that a check was answered as it is kept: what came back is the run's own word, and only its evaluation is made again",
    "that the nodes a check passed over had been left down by the drill, and that the end of an invocation was found",
    "that faults and steps did what their proofs say: proofs are words",
    "environment.json: what the engine said of itself",
    "plan.txt: not made again here; `blackstart verify`, which has the planner, does so",
];

/// What is not made again of a run whose record is of schema version 1: what consists of words, as those have changed.
pub const WORDS_OF_VERSION_1: &str = "report.md, plan.txt, reasons and timeline: they have the words of schema version 1, which this version does not write";

/// What a record is held against.
pub struct Sources<'a> {
    pub journal: &'a Journal,
    /// Every request.
    pub history: &'a [Sent],
    /// The scenario and its digest.
    pub resolved: &'a Resolved,
    /// SHA-256 of the scenario's text.
    pub digest: String,
    /// The observations, and what they amount to, where a load ran.
    pub measured: Option<(&'a Observations, &'a Measured)>,
}

/// Every field that can be made again, by its name in the record.
pub fn fields(told: &Record, sources: &Sources<'_>) -> BTreeMap<&'static str, Value> {
    let mut fields = BTreeMap::new();
    let mut put = |name, value: Value| drop(fields.insert(name, value));
    let facts = &sources.journal.facts;
    put("schema_version", value(&SCHEMA_VERSION));
    put("scenario", value(&scenario(sources)));
    if let Some(began) = &facts.began {
        put("tool_version", value(&began.tool_version));
        put("run_id", value(&began.run_id));
        put("started_at", value(&began.started_at));
        put("seed", value(&began.seed));
        put("world", value(&began.world));
    }
    let watched = facts.watched.as_ref();
    put("faults", value(&watched.map(|watched| watched.faults.clone()).unwrap_or_default()));
    put("conditions", value(&watched.map(|watched| watched.conditions.clone()).unwrap_or_default()));
    put("procedure", value(&facts.steps));
    put("disturbed", value(&facts.disturbed));
    put("rpo_unmeasured", value(&facts.unmeasured));
    put("nodes_down", unless_empty(&facts.nodes_down));
    put("isolation", unless_empty(&facts.isolation));
    put("phases", value(&facts.phases));
    put("timeline", value(&sources.journal.timeline));
    put("leftovers", value(&sources.journal.leftovers.iter().collect::<BTreeSet<_>>()));
    put("harness", value(&harness(sources)));
    put("levels", value(&levels(told, sources)));
    put("milestones", value(&milestones(sources)));
    let measured = sources.measured.map(|(_, measured)| measured);
    put("rpo", value(&measured.and_then(|measured| measured.rpo.clone())));
    put("rto", value(&measured.map(|measured| &measured.rto)));
    put("load", value(&measured.map(|measured| &measured.load)));
    let (verdict, reasons) = overall(told, &stopped(sources));
    put("verdict", value(&verdict));
    put("reasons", value(&reasons));
    fields
}

fn value(of: &impl Serialize) -> Value {
    // Records are made of strings, numbers and lists; what could not be written compares as nothing.
    serde_json::to_value(of).unwrap_or(Value::Null)
}

/// A list that the record leaves out where it is empty.
fn unless_empty<T: Serialize>(list: &[T]) -> Value {
    if list.is_empty() { Value::Null } else { value(&list) }
}

fn scenario(sources: &Sources<'_>) -> ScenarioRef {
    let scenario = &sources.resolved.scenario;
    ScenarioRef {
        id: scenario.scenario.clone(),
        title: scenario.title.clone(),
        digest: sources.digest.clone(),
        covers: scenario.covers.clone(),
        disaster: scenario.disaster.clone(),
    }
}

fn harness(sources: &Sources<'_>) -> HarnessHealth {
    let stall_us = sources.journal.facts.watched.as_ref().map_or(0, |watched| watched.longest_stall_us);
    let longest_stall_ms = stall_us as f64 / 1e3;
    let probe_ms = sources.resolved.scenario.probe.every.duration().as_secs_f64() * 1e3;
    HarnessHealth { longest_stall_ms, degraded: longest_stall_ms > probe_ms / 2.0 }
}

/// The levels from the checks that ended, in the order in which the system declares them. Those that the plan adds follow, in
/// the order in which they are told.
fn levels(told: &Record, sources: &Sources<'_>) -> Vec<LevelResult> {
    let facts = &sources.journal.facts;
    if !facts.is_examined {
        return Vec::new();
    }
    let declared: Vec<&str> = sources.resolved.system.checks.iter().map(|check| check.id.as_str()).collect();
    let order: Vec<&str> = told.levels.iter().flat_map(|level| &level.checks).map(|check| check.id.as_str()).collect();
    let place = |id: &str, among: &[&str]| among.iter().position(|other| *other == id).unwrap_or(usize::MAX);
    let level = |(index, name): (usize, &&str)| {
        let number = index as u8 + 1;
        let of_level = facts.checked.iter().filter(|(level, ..)| *level == number);
        let mut checks: Vec<_> = of_level.map(|(_, result, _)| as_declared(result, sources.resolved)).collect();
        checks.sort_by_key(|check| (place(&check.id, &declared), place(&check.id, &order)));
        let status = level_status(checks.iter().map(|check| check.status));
        LevelResult { level: number, name: (*name).to_owned(), status, checks }
    };
    LEVELS.iter().enumerate().map(level).collect()
}

/// What a check found, with what the system says that it cannot prove.
fn as_declared(result: &CheckResult, resolved: &Resolved) -> CheckResult {
    let declared = resolved.system.checks.iter().find(|check| check.id == result.id);
    let cannot_prove = declared.map_or_else(|| result.cannot_prove.clone(), |check| check.cannot_prove.clone());
    CheckResult { cannot_prove, ..result.clone() }
}

fn milestones(sources: &Sources<'_>) -> BTreeMap<String, Interval<f64>> {
    let mut all = moments(&sources.journal.facts);
    if let Some((observations, measured)) = sources.measured {
        all.extend(observations.moments(measured));
    }
    all
}

/// The moments that the journal tells. One that was noted while the harness did not run may have been any moment of that stall.
fn moments(facts: &Facts) -> BTreeMap<String, Interval<f64>> {
    let stalls_us = facts.watched.as_ref().map_or(&[][..], |watched| &watched.stalls_us);
    let ms = |us: Interval<u64>| Interval::new(us.lower as f64 / 1e3, us.upper as f64 / 1e3);
    let widened = facts.milestones.iter().map(|(name, us)| (name.clone(), ms(Stalls(stalls_us).widen(*us))));
    widened.collect()
}

/// What kept the drill from its end.
fn stopped(sources: &Sources<'_>) -> Vec<String> {
    sources.journal.stopped.iter().cloned().chain(out_of_files(sources.history)).collect()
}

/// Requests that the harness had no file left for look to clients like an outage, and say nothing of the system.
pub fn out_of_files(history: &[Sent]) -> Option<String> {
    let words = "Too many open files";
    let unsent = history.iter().filter(|sent| sent.reply.contains(words)).count();
    let why = "requests were never sent, as this process may open no more files; raise that with `ulimit -n`";
    (unsent > 0).then(|| format!("{unsent} {why}"))
}

/// The observations as the journal and the scenario tell them; what survived is taken from those that were told, and held
/// against its digest elsewhere.
pub fn observations(told: &Observations, journal: &Journal, resolved: &Resolved) -> Option<Observations> {
    let (facts, scenario) = (&journal.facts, &resolved.scenario);
    let watched = facts.watched.as_ref()?;
    let load_started_us = watched.load_started_us?;
    Some(Observations {
        fault_us: facts.first_fault_us(),
        faults_us: facts.faults_us(),
        recovery_started_us: watched.recovery_started_us,
        failback_us: watched.failback_us,
        load_started_us,
        undisturbed_us: watched.undisturbed_us.unwrap_or(load_started_us),
        load_stopped_us: watched.load_stopped_us,
        load_ended_us: watched.load_ended_us,
        load_interval_us: scenario.load.rate.interval().as_micros() as u64,
        load_deadline_us: scenario.deadlines().load_us,
        probe_deadline_us: scenario.deadlines().probe_us,
        longest_stall_us: watched.longest_stall_us,
        stalls_us: watched.stalls_us.clone(),
        is_disturbed: facts.disturbed.is_some(),
        verified_us: facts.verified_us,
        service_level: scenario.service_level.clone(),
        targets: scenario.targets.clone(),
        excluded: scenario.recovery.decision.iter().filter_map(|decision| decision.excluded.clone()).collect(),
        ..told.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Fact, Watched};

    #[test]
    fn a_moment_within_a_stall_may_have_been_any_of_it() {
        let mut facts = Facts::default();
        let mut reached =
            |name: &str, us| facts.add(Fact::Milestone { name: name.to_owned(), at_us: Interval::exactly(us) });
        reached("detected", 3_000);
        reached("promoted", 9_000);
        facts.add(Fact::Watched(Watched {
            load_started_us: Some(0),
            undisturbed_us: None,
            load_ended_us: 20_000,
            recovery_started_us: None,
            failback_us: None,
            longest_stall_us: 6_000,
            load_stopped_us: None,
            stalls_us: vec![Interval::new(8_000, 14_000)],
            faults: Vec::new(),
            conditions: Vec::new(),
        }));
        let told = moments(&facts);
        assert_eq!((told["detected"], told["promoted"]), (Interval::exactly(3.0), Interval::new(8.0, 14.0)));
    }
}
