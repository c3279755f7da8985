//! From what is known at the end of a drill to its record.

use blackstart_evidence::{
    fact::{Began, Watched},
    measure::{Deadlines, Stalls},
    observations::{Measured, Observations},
    rebuild::out_of_files,
};
use blackstart_reports::{
    record::{
        Disaster, FaultResult, HarnessHealth, Interval, Record, SCHEMA_VERSION, ScenarioRef, TimelineEntry, Verdict,
        World,
    },
    verdict::overall,
};

use super::{Facts, Setting, backup_record, bundle::resolved, digest_of};
use crate::{
    fault::InPlace,
    plan::Plan,
    scenario::drill::{Cause, Origin},
    workload::{History, longest_us},
};

/// The record of a drill, with its verdict.
pub fn record(
    plan: &Plan,
    world: World,
    setting: &Setting,
    facts: &Facts,
    timeline: Vec<TimelineEntry>,
    stopped: Vec<String>,
) -> Record {
    let mut record = Record {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: setting.run_id.clone(),
        started_at: setting.started_at.clone(),
        scenario: scenario_ref(plan, setting.folder.is_some()),
        seed: plan.seed,
        world,
        verdict: Verdict::CouldNotRun,
        reasons: Vec::new(),
        rpo: None,
        rpo_unmeasured: facts.unmeasured.clone(),
        rto: None,
        levels: facts.levels.clone(),
        nodes_down: facts.nodes_down.clone(),
        disturbed: facts.disturbed.clone(),
        backups: backup_record::backups(facts, deadlines(plan)),
        data_classes: backup_record::data_classes(plan, facts),
        faults: facts.faults.iter().map(fault_result).collect(),
        conditions: facts.conditions.iter().map(fault_result).collect(),
        procedure: facts.procedure.clone(),
        milestones: facts
            .milestones
            .iter()
            .map(|(name, us)| (name.clone(), ms(widened(*us, &facts.stalls_us))))
            .collect(),
        phases: facts.phases.clone(),
        load: None,
        harness: harness_health(plan, facts),
        timeline,
        notes: notes(plan, facts),
        isolation: facts.isolation(),
        leftovers: Vec::new(),
    };
    let mut stopped = stopped;
    if let Some(observations) = observations(plan, facts) {
        measure_into(&mut record, &observations, &facts.history, &mut stopped);
    }
    (record.verdict, record.reasons) = overall(&record, &stopped);
    record
}

/// What is known when a run begins.
pub fn began(plan: &Plan, world: World, setting: &Setting) -> Began {
    Began {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: setting.run_id.clone(),
        started_at: setting.started_at.clone(),
        scenario: scenario_ref(plan, setting.folder.is_some()),
        seed: plan.seed,
        world,
    }
}

/// What is known once the clients have stopped.
pub fn watched(facts: &Facts) -> Watched {
    Watched {
        load_started_us: facts.load_started_us,
        undisturbed_us: facts.undisturbed_us,
        load_ended_us: facts.load_ended_us.unwrap_or_default(),
        recovery_started_us: facts.recovery_started_us,
        failback_us: facts.failback_us,
        load_stopped_us: facts.load_stopped_us,
        stalls_us: facts.stalls_us.clone(),
        longest_stall_us: longest_us(&facts.stalls_us),
        faults: facts.faults.iter().map(fault_result).collect(),
        conditions: facts.conditions.iter().map(fault_result).collect(),
    }
}

/// What a partial outage takes from the certainty of its end.
const SAMPLE: &str = "Good requests came between failures, or there were few of them, as where some replicas serve and others \
                      do not. Too few good requests followed to tell when that was over at the latest, so no target is met \
                      by it.";

/// A moment that was noted while the harness did not run may have been any moment of that stall.
fn widened(us: Interval<u64>, stalls_us: &[Interval<u64>]) -> Interval<u64> {
    Stalls(stalls_us).widen(us)
}

/// How long clients wait.
const fn deadlines(plan: &Plan) -> Deadlines {
    let (load_us, probe_us) = (plan.load.deadline.as_micros() as u64, plan.load.probe_deadline.as_micros() as u64);
    Deadlines { load_us, probe_us }
}

fn scenario_ref(plan: &Plan, keeps_evidence: bool) -> ScenarioRef {
    let scenario = &plan.declared.scenario;
    let origin = match scenario.disaster.origin {
        Origin::Natural => "natural",
        Origin::ManMade => "man-made",
        Origin::None => "none",
    };
    let cause = match scenario.disaster.cause {
        Cause::Nature => "nature",
        Cause::InfrastructureFailure => "infrastructure-failure",
        Cause::SoftwareBug => "software-bug",
        Cause::FailedChange => "failed-change",
        Cause::None => "none",
    };
    ScenarioRef {
        id: scenario.scenario.clone(),
        title: scenario.title.clone(),
        // Writing a whole system out costs more than simulating a drill of it.
        digest: if keeps_evidence { digest_of(&resolved(plan)) } else { String::new() },
        covers: scenario.covers.clone(),
        disaster: Disaster { origin: origin.to_owned(), cause: cause.to_owned() },
    }
}

fn ms(us: Interval<u64>) -> Interval<f64> {
    Interval::new(us.lower as f64 / 1e3, us.upper as f64 / 1e3)
}

fn fault_result(fault: &InPlace) -> FaultResult {
    FaultResult {
        kind: fault.fault.kind.key().to_owned(),
        summary: fault.fault.summary.clone(),
        victims: fault.fault.victims.clone(),
        proof: fault.proof.clone(),
        began_ms: ms(fault.began_us),
        healed_ms: fault.healed_us.map(ms),
    }
}

/// Beyond half the probe's interval, a stall of ours could hide or invent a failure.
fn harness_health(plan: &Plan, facts: &Facts) -> HarnessHealth {
    let longest_stall_ms = longest_us(&facts.stalls_us) as f64 / 1e3;
    HarnessHealth { longest_stall_ms, degraded: longest_stall_ms > plan.load.probe_interval.as_secs_f64() * 1e3 / 2.0 }
}

fn notes(plan: &Plan, facts: &Facts) -> Vec<String> {
    let mut notes = vec![
        "The seed fixes victims, times, and the order of requests; it does not fix the kernel, the network or the \
         scheduler, so measured times differ from run to run."
            .to_owned(),
    ];
    notes.extend(plan.declared.scenario.tolerate.iter().map(|tolerance| {
        format!(
            "Tolerated: up to {} deviations of `{}`, because {}",
            tolerance.up_to, tolerance.check, tolerance.because
        )
    }));
    notes.extend(backup_record::slower_than_target(plan, facts));
    notes
}

/// What the numbers are computed from, if the drill came as far as a load.
pub(super) fn observations(plan: &Plan, facts: &Facts) -> Option<Observations> {
    let scenario = &plan.declared.scenario;
    let undisturbed_us = facts.undisturbed_us.unwrap_or(facts.load_started_us?);
    let faults_us: Vec<_> =
        facts.faults.iter().filter(|fault| fault.fault.effects().takes_service).map(|fault| fault.began_us).collect();
    Some(Observations {
        fault_us: facts.first_fault().map(|fault| fault.began_us),
        faults_us,
        recovery_started_us: facts.recovery_started_us,
        failback_us: facts.failback_us,
        load_started_us: facts.load_started_us?,
        undisturbed_us,
        load_stopped_us: facts.load_stopped_us,
        load_ended_us: facts.load_ended_us?,
        load_interval_us: plan.load.interval.as_micros() as u64,
        load_deadline_us: deadlines(plan).load_us,
        probe_deadline_us: deadlines(plan).probe_us,
        longest_stall_us: longest_us(&facts.stalls_us),
        stalls_us: facts.stalls_us.clone(),
        is_disturbed: facts.disturbed.is_some(),
        verified_us: facts.verified_us,
        survivors: facts.survivors.as_deref().cloned(),
        stranded: facts.stranded.clone(),
        service_level: plan.service_level.clone(),
        targets: scenario.targets.clone(),
        excluded: plan.recovery.excluded.iter().cloned().collect(),
    })
}

fn measure_into(record: &mut Record, observations: &Observations, history: &History, stopped: &mut Vec<String>) {
    let measured = observations.measure(history);
    record.milestones.extend(observations.moments(&measured));
    let Measured { load, rpo, rto, .. } = measured;
    record.notes.extend(rto.upper_is_sample.then(|| SAMPLE.to_owned()));
    stopped.extend(out_of_files(history));
    (record.load, record.rpo, record.rto) = (Some(load), rpo, Some(rto));
}
