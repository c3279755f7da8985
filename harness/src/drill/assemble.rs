//! From what is known at the end of a drill to its record.

use blackstart_reports::{
    record::{
        Disaster, Endpoint, FaultResult, HarnessHealth, Interval, Record, Rpo, RpoTarget, Rto, SCHEMA_VERSION,
        ScenarioRef, TimelineEntry, Verdict, World,
    },
    verdict::{judge_rpo, judge_rto, overall},
};

use super::{Facts, Setting, bundle::resolved, digest_of};
use crate::{
    fault::InPlace,
    measure::{Observed, RecoveryTime, measure_load, outages, recovery_point, recovery_time},
    plan::Plan,
    scenario::drill::{Cause, Origin, RtoEndpoint},
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
        scenario: scenario_ref(plan),
        seed: plan.seed,
        world,
        verdict: Verdict::CouldNotRun,
        reasons: Vec::new(),
        rpo: None,
        rto: None,
        levels: facts.levels.clone(),
        backups: Vec::new(),
        faults: facts.faults.iter().map(fault_result).collect(),
        conditions: facts.conditions.iter().map(fault_result).collect(),
        procedure: facts.procedure.clone(),
        milestones: facts.milestones.iter().map(|(name, us)| (name.clone(), ms(*us))).collect(),
        phases: facts.phases.clone(),
        load: None,
        harness: harness_health(plan, facts),
        timeline,
        notes: notes(plan),
        leftovers: Vec::new(),
    };
    let mut stopped = stopped;
    if let Some(observed) = observe(plan, facts) {
        measure_into(&mut record, plan, facts, &observed, &mut stopped);
    }
    (record.verdict, record.reasons) = overall(&record, &stopped);
    record
}

/// What a partial outage takes from the certainty of its end.
const PARTIAL: &str = "Good requests came between failures, as where some replicas serve and others do not. The end of \
                       such an outage is told by more good requests in a row than there were while it lasted: a \
                       sample, and no proof.";

fn scenario_ref(plan: &Plan) -> ScenarioRef {
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
        digest: digest_of(&resolved(plan)),
        covers: scenario.covers.clone(),
        disaster: Disaster { origin: origin.to_owned(), cause: cause.to_owned() },
    }
}

fn ms(us: Interval<u64>) -> Interval<f64> {
    Interval::new(us.lower as f64 / 1e3, us.upper as f64 / 1e3)
}

fn fault_result(fault: &InPlace) -> FaultResult {
    FaultResult {
        kind: fault.fault.kind.to_owned(),
        summary: fault.fault.summary.clone(),
        victims: fault.fault.victims.clone(),
        proof: fault.proof.clone(),
        began_ms: ms(fault.began_us),
        healed_ms: fault.healed_us.map(ms),
    }
}

/// Beyond half the probe's interval, a stall of ours could hide or invent a failure.
fn harness_health(plan: &Plan, facts: &Facts) -> HarnessHealth {
    let longest_stall_ms = facts.longest_stall_us as f64 / 1e3;
    HarnessHealth { longest_stall_ms, degraded: longest_stall_ms > plan.load.probe_interval.as_secs_f64() * 1e3 / 2.0 }
}

fn notes(plan: &Plan) -> Vec<String> {
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
    notes
}

/// What was observed, if the drill came as far as a load.
fn observe<'a>(plan: &'a Plan, facts: &'a Facts) -> Option<Observed<'a>> {
    Some(Observed {
        history: &facts.history,
        fault: facts.faults.first().map(|fault| fault.began_us),
        recovery_started_us: facts.recovery_started_us,
        load_started_us: facts.load_started_us?,
        load_ended_us: facts.load_ended_us?,
        load_interval_us: plan.load.interval.as_micros() as u64,
        survivors: facts.survivors.as_deref().map_or(&[], Vec::as_slice),
        stranded: facts.stranded.as_deref(),
        level: &plan.service_level,
        verified_us: facts.verified_us,
        longest_stall_us: facts.longest_stall_us,
    })
}

fn measure_into(record: &mut Record, plan: &Plan, facts: &Facts, observed: &Observed<'_>, stopped: &mut Vec<String>) {
    let time = recovery_time(observed);
    let since = time.sustained.interval();
    record.load = Some(measure_load(observed, since));
    for (name, moment) in
        [("fault_in_place", observed.fault), ("service_sustained", since.filter(|_| observed.fault.is_some()))]
    {
        if let Some(moment) = moment {
            record.milestones.insert(name.to_owned(), ms(moment));
        }
    }
    if let Some(verified_us) = facts.verified_us {
        record.milestones.insert("verified".to_owned(), ms(Interval::exactly(verified_us)));
    }
    record.rto = Some(rto(plan, observed, &time));
    if time.is_partial {
        record.notes.push(PARTIAL.to_owned());
    }
    if let Some(first) = record
        .rto
        .iter()
        .flat_map(|rto| &rto.outages)
        .find(|outage| observed.fault.is_some_and(|fault| outage.began_ms.upper >= fault.lower as f64 / 1e3))
    {
        record.milestones.insert("first_failure".to_owned(), first.began_ms);
    }
    // Without a writer to ask, nothing is known of what was lost; that must not look like a loss of everything.
    if facts.survivors.is_some() {
        let rpo = rpo(plan, observed);
        if rpo.phantom > 0 {
            stopped.push(format!(
                "{} requests that were classed as refused are present: the classification of replies is wrong",
                rpo.phantom
            ));
        }
        record.rpo = Some(rpo);
    }
}

fn rpo(plan: &Plan, observed: &Observed<'_>) -> Rpo {
    let point = recovery_point(observed);
    let declared = plan.declared.scenario.targets.rpo.as_ref();
    let target = RpoTarget {
        lost_writes: declared.and_then(|target| target.lost_writes),
        seconds: declared.and_then(|target| target.time).map(|time| time.seconds()),
    };
    Rpo {
        exercised: point.exercised,
        lost_writes: point.lost_writes,
        seconds: point.seconds,
        resolution_seconds: point.resolution_seconds,
        stranded: point.stranded,
        recovered: point.loss.recovered,
        phantom: point.loss.phantom,
        unexpected: point.loss.unexpected,
        duplicated: point.loss.duplicated,
        non_prefix_loss: point.loss.non_prefix_loss,
        verdict: judge_rpo(point.exercised, point.lost_writes, point.seconds, target),
        target,
        lost: point.lost,
    }
}

fn rto(plan: &Plan, observed: &Observed<'_>, time: &RecoveryTime) -> Rto {
    let declared = plan.declared.scenario.targets.rto.as_ref();
    let endpoint = match declared.map(|target| target.endpoint).unwrap_or_default() {
        RtoEndpoint::Service => Endpoint::Service,
        RtoEndpoint::Recovery => Endpoint::Recovery,
        RtoEndpoint::Verified => Endpoint::Verified,
    };
    let judged = match endpoint {
        Endpoint::Service => time.service,
        Endpoint::Recovery => time.recovery,
        Endpoint::Verified => time.verified,
    };
    let target = declared.map(|target| target.within.seconds());
    let merge_us = plan.service_level.sustained_for.duration().as_micros() as u64;
    Rto {
        service: time.service,
        recovery: time.recovery,
        verified: time.verified,
        endpoint,
        target,
        verdict: judge_rto(judged, target),
        outages: outages(observed.history, merge_us),
        excluded: plan.recovery.excluded.iter().cloned().collect(),
        tight_loop_seconds: time.tight_loop,
    }
}
