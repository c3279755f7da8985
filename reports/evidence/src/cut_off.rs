//! A run that was cut off: killed, or its disk full. Its folder has no manifest, and so it has no verdict; its journal and its
//! history still tell how far it came and what was measured by then.

use std::path::Path;

use blackstart_reports::record::{HarnessHealth, Interval, Record, SCHEMA_VERSION, Verdict};

use crate::{
    declared::{ServiceLevel, Targets},
    folder::{self, Journal},
    history::History,
    observations::Observations,
};

/// The record of such a run. It says that it could not run, whatever a half-written record beside it may say.
///
/// # Errors
/// In words: where there is no journal, or it does not say which run it is of.
pub fn record(folder: &Path) -> Result<Record, String> {
    let journal = folder::journal(folder)?;
    let Some(began) = journal.facts.began.clone() else {
        return Err("events.jsonl does not say which run it is of".to_owned());
    };
    let history = folder::history(folder).map(|(history, _)| history).unwrap_or_default();
    let watched = journal.facts.watched.clone();
    let ms = |us: Interval<u64>| Interval::new(us.lower as f64 / 1e3, us.upper as f64 / 1e3);
    let mut record = Record {
        schema_version: SCHEMA_VERSION,
        tool_version: began.tool_version,
        run_id: began.run_id,
        started_at: began.started_at,
        scenario: began.scenario,
        seed: began.seed,
        world: began.world,
        verdict: Verdict::CouldNotRun,
        reasons: vec![words(&journal, &history)],
        rpo: None,
        rto: None,
        levels: Vec::new(),
        backups: Vec::new(),
        data_classes: Vec::new(),
        faults: watched.as_ref().map(|watched| watched.faults.clone()).unwrap_or_default(),
        conditions: watched.as_ref().map(|watched| watched.conditions.clone()).unwrap_or_default(),
        procedure: journal.facts.steps.clone(),
        milestones: journal.facts.milestones.iter().map(|(name, us)| (name.clone(), ms(*us))).collect(),
        phases: journal.facts.phases.clone(),
        load: None,
        harness: HarnessHealth { longest_stall_ms: 0.0, degraded: false },
        timeline: journal.timeline.clone(),
        notes: vec!["The run was cut off: nothing was evaluated, and what it made may still be there.".to_owned()],
        disturbed: journal.facts.disturbed.clone(),
        nodes_down: journal.facts.nodes_down.clone(),
        rpo_unmeasured: journal.facts.unmeasured.clone(),
        isolation: journal.facts.isolation.clone(),
        leftovers: journal.leftovers.clone(),
    };
    measure_into(&mut record, folder, &journal, &history);
    Ok(record)
}

/// Load and outages by the last moment that is known. What was lost, and whether service came back to stay, is not.
fn measure_into(record: &mut Record, folder: &Path, journal: &Journal, history: &History) {
    let Some(load_started_us) = journal.facts.load_began_us else { return };
    let resolved = folder::resolved(folder).ok().map(|resolved| resolved.scenario);
    let deadlines = resolved.as_ref().map(folder::Scenario::deadlines).unwrap_or_default();
    let last_returned_us = history.iter().map(|sent| sent.returned_us).max().unwrap_or_default();
    let observations = Observations {
        fault_us: journal.facts.first_fault_us(),
        faults_us: journal.facts.faults_us(),
        recovery_started_us: journal.facts.milestones.get("recovery_started").map(|at_us| at_us.lower),
        failback_us: None,
        load_started_us,
        undisturbed_us: load_started_us,
        load_stopped_us: None,
        load_ended_us: last_returned_us.max(journal.last_us),
        load_interval_us: resolved.as_ref().map_or(0, |scenario| scenario.load.rate.interval().as_micros() as u64),
        load_deadline_us: deadlines.load_us,
        probe_deadline_us: deadlines.probe_us,
        longest_stall_us: 0,
        stalls_us: Vec::new(),
        is_disturbed: journal.facts.disturbed.is_some(),
        verified_us: None,
        survivors: None,
        stranded: None,
        service_level: resolved.map_or_else(ServiceLevel::default, |scenario| scenario.service_level),
        targets: Targets { rpo: None, rto: None, failback: None },
        excluded: Vec::new(),
    };
    let mut measured = observations.measure(history);
    (measured.rto.service, measured.rto.recovery, measured.rto.verified) = (None, None, None);
    if let Some(fault_us) = observations.fault_us {
        let ms = Interval::new(fault_us.lower as f64 / 1e3, fault_us.upper as f64 / 1e3);
        record.milestones.insert("fault_in_place".to_owned(), ms);
    }
    (record.load, record.rto) = (Some(measured.load), Some(measured.rto));
}

/// How far a run came, in one line.
pub fn words(journal: &Journal, history: &History) -> String {
    let last_us = history.iter().map(|sent| sent.returned_us).max().unwrap_or_default().max(journal.last_us);
    let phase = journal
        .begun
        .last()
        .map_or_else(|| "before its first phase".to_owned(), |(name, _)| format!("in phase {name}"));
    let good = history.iter().filter(|sent| sent.is_ok()).count();
    format!(
        "the run was cut off {phase}, {:.1} s after it began: its folder was never sealed; {} requests were recorded by \
         then, of which {good} were acknowledged, and {} faults had struck",
        last_us as f64 / 1e6,
        history.len(),
        journal.facts.struck.len(),
    )
}
