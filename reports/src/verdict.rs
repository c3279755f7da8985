//! How measurements and targets make a verdict.

use crate::record::{
    Backup, Endpoint, Interval, LevelResult, Outage, Record, Rpo, RpoTarget, Rto, Status, TargetVerdict, Verdict,
};

/// Judges one interval against the greatest value allowed.
pub fn judge<T: PartialOrd + Copy>(measured: Interval<T>, at_most: T) -> TargetVerdict {
    if measured.upper <= at_most {
        TargetVerdict::Passed
    } else if measured.lower > at_most {
        TargetVerdict::Failed
    } else {
        TargetVerdict::Inconclusive
    }
}

/// Judges an interval whose upper end may be none: such an end meets no target.
fn judge_bounded(measured: Interval<f64>, upper_is_sample: bool, at_most: f64) -> TargetVerdict {
    match judge(measured, at_most) {
        TargetVerdict::Passed if upper_is_sample => TargetVerdict::Inconclusive,
        verdict => verdict,
    }
}

/// Judges the recovery point: the count of lost writes by its lower end, as nothing else was promised to a client,
/// and the seconds by both ends. The worse of the two counts. What a control does not exercise is left out.
pub fn judge_rpo(rpo: &Rpo, target: RpoTarget) -> TargetVerdict {
    if target.lost_writes.is_none() && target.seconds.is_none() {
        return TargetVerdict::NotDeclared;
    }
    if !rpo.exercised {
        return TargetVerdict::NotExercised;
    }
    let by_count = target.lost_writes.map(|most| judge(Interval::exactly(rpo.lost_writes.lower), most));
    let by_time = target.seconds.filter(|_| rpo.time_exercised).map(|most| judge(rpo.seconds, most));
    match worst_target([by_count, by_time].into_iter().flatten()) {
        TargetVerdict::NotDeclared => TargetVerdict::NotExercised,
        verdict => verdict,
    }
}

/// Judges a recovery time, where service that never came back is a miss.
pub fn judge_rto(measured: Option<Interval<f64>>, upper_is_sample: bool, target_seconds: Option<f64>) -> TargetVerdict {
    match (measured, target_seconds) {
        (_, None) => TargetVerdict::NotDeclared,
        (None, Some(_)) => TargetVerdict::Failed,
        (Some(measured), Some(most)) => judge_bounded(measured, upper_is_sample, most),
    }
}

/// Judges each outage of a control; the worst counts. Without any, there is nothing to judge.
pub fn judge_outages(outages: &[Outage], target_seconds: Option<f64>) -> TargetVerdict {
    let Some(most) = target_seconds else { return TargetVerdict::NotDeclared };
    let judged = outages.iter().map(|outage| match outage.seconds() {
        Some(seconds) => judge_bounded(seconds, outage.upper_is_sample, most),
        None => TargetVerdict::Failed,
    });
    match worst_target(judged) {
        TargetVerdict::NotDeclared => TargetVerdict::NotExercised,
        verdict => verdict,
    }
}

/// Why a missed recovery time is not held against the system.
const MISSED_UNDER_LOAD: &str = "the RTO target was missed on a machine so busy that the harness itself stalled: run it again \
                                 alone, or with fewer drills side by side";

/// The recovery time against its target, as far as this machine can tell.
pub fn rto_verdict(record: &Record, rto: &Rto) -> TargetVerdict {
    if is_missed_under_load(record, rto) { TargetVerdict::Inconclusive } else { rto.verdict }
}

/// Whether recovery took too long while the harness itself was held up. Service that never came back is a miss in any case.
fn is_missed_under_load(record: &Record, rto: &Rto) -> bool {
    let measured = match rto.endpoint {
        Endpoint::Service => rto.service,
        Endpoint::Recovery => rto.recovery,
        Endpoint::Verified => rto.verified,
    };
    record.harness.degraded && rto.verdict == TargetVerdict::Failed && measured.is_some()
}

fn worst_target(verdicts: impl Iterator<Item = TargetVerdict>) -> TargetVerdict {
    let weight = |verdict: &TargetVerdict| match verdict {
        TargetVerdict::NotDeclared => 0,
        TargetVerdict::Passed => 1,
        TargetVerdict::NotExercised => 2,
        TargetVerdict::Inconclusive => 3,
        TargetVerdict::Failed => 4,
    };
    verdicts.max_by_key(weight).unwrap_or(TargetVerdict::NotDeclared)
}

/// The status of a level: the worst of its checks. No check at all is *not declared*, never a pass.
pub fn level_status(checks: impl IntoIterator<Item = Status>) -> Status {
    let weight = |status: &Status| match status {
        Status::NotDeclared => 0,
        Status::Passed => 1,
        Status::Tolerated => 2,
        Status::NotReached => 3,
        Status::Error => 4,
        Status::Failed => 5,
    };
    checks.into_iter().max_by_key(weight).unwrap_or(Status::NotDeclared)
}

/// The verdict over a whole record whose parts are judged, with its reasons, the most weighty first.
///
/// A harness that stalled is said to be degraded in every report. Its stalls are in the bounds, but how busy the machine was
/// otherwise is not: a missed RTO then shows nothing of the system. What is lost, and what checks find, counts all the same.
///
/// An error that stopped the drill is given as `stopped`; it outweighs everything, since then nothing was proved. So does a
/// request that was classed as refused and is present: then every count is in doubt.
pub fn overall(record: &Record, stopped: &[String]) -> (Verdict, Vec<String>) {
    let errors: Vec<String> = stopped.iter().cloned().chain(phantoms(record)).collect();
    if !errors.is_empty() {
        return (Verdict::CouldNotRun, errors);
    }
    let mut failed = service_lines(record);
    let mut unsure = Vec::new();
    match (&record.rpo, &record.rpo_unmeasured) {
        (Some(rpo), _) => sort_target(record, "RPO", rpo.verdict, &mut failed, &mut unsure),
        (None, Some(why)) => unsure.push(format!("the RPO was not measured: {why}")),
        (None, None) => unsure.push("the RPO was not measured".to_owned()),
    }
    match &record.rto {
        Some(rto) => {
            if is_missed_under_load(record, rto) {
                unsure.push(MISSED_UNDER_LOAD.to_owned());
            } else {
                sort_target(record, "RTO", rto.verdict, &mut failed, &mut unsure);
            }
            sort_target(record, "failback", rto.failback_verdict, &mut failed, &mut unsure);
        }
        None => unsure.push("the RTO was not measured".to_owned()),
    }
    let down = |node: &String| format!("node {node} is down, although no fault, step or declaration left it so");
    failed.extend(record.nodes_down.iter().map(down));
    failed.extend(check_lines(&record.levels, |status| status == Status::Failed));
    unsure.extend(check_lines(&record.levels, |status| matches!(status, Status::Error | Status::NotReached)));
    for backup in &record.backups {
        match (backup.valid, backup.expected_invalid) {
            (Some(false), false) => {
                failed.push(format!("backup {} is invalid, and to be discarded: {}", backup.id, why_invalid(backup)));
            }
            (Some(true), true) => failed.push(format!("backup {} was expected to be invalid, and is valid", backup.id)),
            (None, true) => unsure.push(format!("backup {} was expected to be invalid, and was not judged", backup.id)),
            _ => {}
        }
        let Some(judgement) = &backup.judgement else { continue };
        // What did not come back shows that something is wrong, and not that it is what was expected.
        if let (Some(error), true) = (&judgement.error, backup.expected_invalid) {
            unsure
                .push(format!("backup {} was expected to be found invalid, and did not come back: {error}", backup.id));
        }
        if let (None, false) = (backup.valid, backup.expected_invalid) {
            unsure.push(format!("backup {} could not be judged: {}", backup.id, why_invalid(backup)));
        }
        if let Some(crash) = judgement.crash_consistency.as_ref().filter(|crash| crash.status == Status::Error) {
            unsure.push(format!("the crash consistency of backup {} is not known: {}", backup.id, crash.detail));
        }
    }
    for proof in record.isolation.iter().filter(|proof| !proof.open.is_empty()) {
        failed.push(format!("environment {} has a way out: {}", proof.environment, proof.open.join("; ")));
    }
    for step in &record.procedure {
        let line = format!("recovery step \"{}\": {}", step.name, step.detail);
        match step.status {
            Status::Failed => failed.push(line),
            Status::Error | Status::NotReached => unsure.push(line),
            Status::Passed | Status::Tolerated | Status::NotDeclared => {}
        }
    }
    if let Some(why) = unexercised(record) {
        let reasons = [vec![why], failed, unsure].concat();
        return (Verdict::Inconclusive, reasons);
    }
    match (failed.is_empty(), unsure.is_empty()) {
        (true, true) => (Verdict::Passed, vec!["every target was met and every declared check passed".to_owned()]),
        (true, false) => (Verdict::Inconclusive, unsure),
        (false, _) => {
            failed.extend(unsure);
            (Verdict::Failed, failed)
        }
    }
}

/// Refused, and present: the classification of replies is wrong.
fn phantoms(record: &Record) -> Option<String> {
    let phantom = record.rpo.as_ref().map(|rpo| rpo.phantom).filter(|phantom| *phantom > 0)?;
    let what = "requests that were classed as refused are present: the classification of replies is wrong";
    Some(format!("{phantom} {what}"))
}

/// Service that did not come back is no pass, whatever is demanded; nor are writes that a control lost where nothing permits it.
fn service_lines(record: &Record) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(rto) = &record.rto {
        let lasts = rto.outages.last().is_some_and(|outage| outage.ended_ms.is_none());
        let never = if record.is_control() { lasts } else { rto.exercised && rto.service.is_none() };
        lines.extend(never.then(|| "service did not come back".to_owned()));
    }
    let unjudged = |rpo: &&Rpo| rpo.target.lost_writes.is_none() && rpo.target.seconds.is_none();
    let lost =
        record.rpo.as_ref().filter(|_| record.is_control()).filter(unjudged).map_or(0, |rpo| rpo.lost_writes.lower);
    lines.extend((lost > 0).then(|| format!("{lost} acknowledged writes are lost, although nothing was broken")));
    lines
}

/// Why a fault met nothing that could be lost or taken away. What is found afterwards then tells nothing of a recovery.
fn unexercised(record: &Record) -> Option<String> {
    if record.is_control() {
        return None;
    }
    let why = "service was not healthy before the fault, or nothing was acknowledged shortly before it: nothing was exercised";
    let disturbed = record.disturbed.as_ref().map(|what| format!("service was not healthy before the fault: {what}"));
    let told = [record.rpo.as_ref().map(|rpo| rpo.exercised), record.rto.as_ref().map(|rto| rto.exercised)];
    disturbed.or_else(|| told.contains(&Some(false)).then(|| why.to_owned()))
}

/// The newest backup that is valid, and what it would have lost.
#[derive(Debug, Clone, PartialEq)]
pub struct NewestValid {
    /// The backup.
    pub id: String,
    /// Seconds of acknowledged work after what it holds: up to the fault, or up to the end of the load where nothing broke.
    pub work_after_seconds: Interval<f64>,
}

/// The newest backup that is valid, where any was judged: the recovery point that the backups alone give.
pub fn newest_valid(record: &Record) -> Option<NewestValid> {
    let valid = record.backups.iter().filter(|backup| backup.valid == Some(true));
    let holding = valid.filter_map(|backup| Some((backup, backup.judgement.as_ref()?.holds_until_ms?)));
    let (newest, until) = holding.max_by(|(_, a), (_, b)| a.lower.total_cmp(&b.lower))?;
    let end = *record.milestones.get("fault_in_place").or_else(|| record.milestones.get("load_ended"))?;
    let after = |from: f64, to: f64| ((to - from) / 1e3).max(0.0);
    let work_after_seconds = Interval::new(after(until.upper, end.lower), after(until.lower, end.upper));
    Some(NewestValid { id: newest.id.clone(), work_after_seconds })
}

/// What a restored backup was found to lack.
fn why_invalid(backup: &Backup) -> String {
    let Some(judgement) = &backup.judgement else { return "nothing is known of its restore".to_owned() };
    if let Some(error) = &judgement.error {
        return error.clone();
    }
    let missing = match judgement.missing {
        Some(0) => None,
        Some(missing) => Some(format!("{missing} writes that were acknowledged before it began are missing")),
        None => Some("what it holds could not be asked".to_owned()),
    };
    let unsound = judgement.application_consistency.iter().filter(|verdict| verdict.status == Status::Failed);
    let unsound = unsound.map(|verdict| format!("it is not consistent for applications: {}", verdict.detail));
    let found = check_lines(&judgement.levels, |status| matches!(status, Status::Failed | Status::Error));
    missing.into_iter().chain(unsound).chain(found).collect::<Vec<_>>().join("; ")
}

fn sort_target(
    record: &Record,
    name: &str,
    verdict: TargetVerdict,
    failed: &mut Vec<String>,
    unsure: &mut Vec<String>,
) {
    match verdict {
        TargetVerdict::Passed | TargetVerdict::NotDeclared => {}
        TargetVerdict::Failed => failed.push(format!("the {name} target was missed")),
        TargetVerdict::Inconclusive => unsure.push(format!("the {name} target lies between the measured bounds")),
        // Nothing was broken in a control, so there is nothing that it owes.
        TargetVerdict::NotExercised if record.is_control() => {}
        TargetVerdict::NotExercised => unsure.push(format!("the {name} was not exercised")),
    }
}

/// One line for each thing that was found; checks that all found the same share one.
fn check_lines(levels: &[LevelResult], wanted: impl Fn(Status) -> bool) -> Vec<String> {
    let mut found: Vec<(&str, Vec<(&LevelResult, &str)>)> = Vec::new();
    for level in levels {
        for check in level.checks.iter().filter(|check| wanted(check.status)) {
            let entry = (level, check.id.as_str());
            match found.iter_mut().find(|(detail, _)| *detail == check.detail) {
                Some((_, checks)) => checks.push(entry),
                None => found.push((&check.detail, vec![entry])),
            }
        }
    }
    found.into_iter().map(|(detail, checks)| format!("{}: {detail}", name_checks(&checks))).collect()
}

fn name_checks(checks: &[(&LevelResult, &str)]) -> String {
    match checks {
        [(level, id)] => format!("level {} ({}), check {id}", level.level, level.name),
        _ => {
            let (first, last) = (checks.first().map_or(0, |it| it.0.level), checks.last().map_or(0, |it| it.0.level));
            let levels = if first == last { format!("level {first}") } else { format!("levels {first} to {last}") };
            format!("{} checks of {levels} ({} and others)", checks.len(), checks.first().map_or("", |it| it.1))
        }
    }
}

/// The exit status over several runs: could not run, inconclusive, failed, left something behind, passed, in this order.
pub fn worst_exit_status(statuses: impl IntoIterator<Item = u8>) -> u8 {
    const WORST_FIRST: [u8; 5] = [3, 4, 1, 5, 0];
    let statuses: Vec<u8> = statuses.into_iter().collect();
    WORST_FIRST.into_iter().find(|status| statuses.contains(status)).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
mod tests {
    use TargetVerdict::{Failed, Inconclusive, NotExercised, Passed};

    use super::*;
    use crate::record::{Isolation, Judgement};

    fn lost(lower: u64, upper: u64, seconds: f64) -> Rpo {
        let rpo = crate::sample::sample_record().rpo.unwrap();
        let target = RpoTarget { lost_writes: None, seconds: None };
        let (lost_writes, seconds) = (Interval::new(lower, upper), Interval::exactly(seconds));
        Rpo { lost_writes, seconds, target, verdict: TargetVerdict::NotDeclared, phantom: 0, ..rpo }
    }

    fn outage(from: f64, to: Option<f64>) -> Outage {
        let exactly = |seconds: f64| Interval::exactly(seconds * 1e3);
        Outage { began_ms: exactly(from), ended_ms: to.map(exactly), failed_requests: 9, upper_is_sample: false }
    }

    fn control(outages: &[Outage], target: Option<f64>) -> Rto {
        Rto {
            exercised: false,
            service: None,
            recovery: None,
            verified: None,
            outages: outages.to_vec(),
            target,
            verdict: judge_outages(outages, target),
            ..crate::sample::sample_record().rto.unwrap()
        }
    }

    #[test]
    fn a_target_between_the_bounds_is_inconclusive() {
        assert_eq!(judge(Interval::new(1.0, 3.0), 3.0), TargetVerdict::Passed);
        assert_eq!(judge(Interval::new(1.0, 3.0), 2.0), TargetVerdict::Inconclusive);
        assert_eq!(judge(Interval::new(1.0, 3.0), 0.5), TargetVerdict::Failed);
    }

    #[test]
    fn nothing_acknowledged_is_never_a_pass() {
        let target = RpoTarget { lost_writes: Some(0), seconds: Some(0.0) };
        let rpo = Rpo { exercised: false, ..lost(0, 0, 0.0) };
        assert_eq!(judge_rpo(&rpo, target), TargetVerdict::NotExercised);
    }

    #[test]
    fn the_count_is_judged_by_what_was_promised() {
        let target = RpoTarget { lost_writes: Some(0), seconds: None };
        assert_eq!(judge_rpo(&lost(0, 4, 0.0), target), TargetVerdict::Passed);
        assert_eq!(judge_rpo(&lost(1, 4, 0.0), target), TargetVerdict::Failed);
    }

    #[test]
    fn service_that_never_returned_misses_every_target() {
        assert_eq!(judge_rto(None, false, Some(3600.0)), TargetVerdict::Failed);
    }

    #[test]
    fn an_upper_end_that_is_only_a_sample_meets_no_target_and_may_still_miss_one() {
        let judged = |most: f64| judge_rto(Some(Interval::new(1.0, 2.0)), true, Some(most));
        assert_eq!([3.0, 1.5, 0.5].map(judged), [Inconclusive, Inconclusive, Failed]);
    }

    #[test]
    fn a_drill_whose_service_did_not_come_back_never_passes_whatever_its_targets() {
        let mut record = crate::sample::sample_record();
        record.rpo = Some(lost(0, 0, 0.0));
        let rto = record.rto.take().unwrap();
        for target in [None, Some(3600.0)] {
            let verdict = judge_rto(rto.recovery, false, target);
            record.rto = Some(Rto { service: None, target, verdict, ..rto.clone() });
            let (verdict, reasons) = overall(&record, &[]);
            assert_eq!(verdict, Verdict::Failed, "{target:?}");
            assert!(reasons.contains(&"service did not come back".to_owned()), "{reasons:?}");
        }
        record.faults.clear();
        record.rto = Some(control(&[outage(1.0, None)], None));
        assert_eq!(overall(&record, &[]).0, Verdict::Failed, "nor does a control");
    }

    #[test]
    fn a_control_is_judged_by_each_of_its_outages() {
        let both = [outage(1.0, Some(3.6)), outage(6.0, Some(7.7))];
        let judged = |outages: &[Outage]| judge_outages(outages, Some(2.0));
        assert_eq!(judged(&both), Failed, "2.6 s and then 1.7 s against 2 s");
        assert_eq!((judged(&both[1..]), judged(&[])), (Passed, NotExercised));
        let unsure = Outage { upper_is_sample: true, ..both[1] };
        assert_eq!(judged(&[unsure]), Inconclusive);
        assert_eq!(judged(&[both[1], outage(9.0, None)]), Failed);
    }

    #[test]
    fn what_a_control_does_not_exercise_makes_nothing_inconclusive() {
        let mut record = crate::sample::sample_record();
        record.faults.clear();
        let target = RpoTarget { lost_writes: Some(0), seconds: Some(1.0) };
        let judged = |rpo: Rpo| Rpo { verdict: judge_rpo(&rpo, target), target, ..rpo };
        let nothing = judged(Rpo { time_exercised: false, ..lost(0, 0, 0.0) });
        record.rpo = Some(nothing.clone());
        record.rto = Some(control(&[], Some(2.0)));
        assert_eq!((nothing.verdict, overall(&record, &[]).0), (Passed, Verdict::Passed));
        record.rpo = Some(Rpo { verdict: NotExercised, ..nothing });
        assert_eq!(overall(&record, &[]).0, Verdict::Passed, "a target for the time alone");
        record.rpo = Some(judged(lost(1, 1, 0.2)));
        assert_eq!(overall(&record, &[]).0, Verdict::Failed);
        record.rpo = Some(lost(1, 1, 0.2));
        assert_eq!(overall(&record, &[]).0, Verdict::Failed, "a loss that nothing permits");
    }

    #[test]
    fn a_fault_that_met_no_healthy_service_is_inconclusive_whatever_was_found_afterwards() {
        let mut record = crate::sample::failed_async();
        assert_eq!(overall(&record, &[]).0, Verdict::Failed);
        record.rto.as_mut().unwrap().exercised = false;
        assert_eq!(overall(&record, &[]).0.exit_status(), 4);
        record.rto.as_mut().unwrap().exercised = true;
        record.disturbed = Some("a failure was detected 1.0 s into the load".to_owned());
        let (verdict, reasons) = overall(&record, &[]);
        assert_eq!(verdict.exit_status(), 4);
        assert!(reasons[0].contains("1.0 s into the load"), "{reasons:?}");
    }

    #[test]
    fn a_phantom_is_an_error_of_the_run_from_the_record_alone() {
        let mut record = crate::sample::sample_record();
        record.rpo.as_mut().unwrap().phantom = 2;
        let (verdict, reasons) = overall(&record, &[]);
        assert_eq!((verdict, reasons[0].starts_with("2 requests")), (Verdict::CouldNotRun, true));
    }

    #[test]
    fn a_node_that_is_down_for_no_reason_fails_the_drill() {
        let mut record = crate::sample::sample_record();
        record.nodes_down = vec!["db-c".to_owned()];
        let (verdict, reasons) = overall(&record, &[]);
        assert_eq!((verdict, reasons[0].starts_with("node db-c is down")), (Verdict::Failed, true));
    }

    #[test]
    fn a_failback_has_a_verdict_of_its_own() {
        let mut record = crate::sample::sample_record();
        let mut with = |verdict: TargetVerdict| {
            record.rto.as_mut().unwrap().failback_verdict = verdict;
            overall(&record, &[]).0
        };
        let verdicts = [Passed, Failed, Inconclusive, NotExercised].map(&mut with);
        assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed, Verdict::Inconclusive, Verdict::Inconclusive]);
    }

    /// A run that was held up, and whose recovery took longer than its target.
    fn missed_under_load() -> Record {
        let mut record = crate::sample::sample_record();
        record.harness.degraded = true;
        let rto = record.rto.as_mut().unwrap();
        rto.verdict = TargetVerdict::Failed;
        record
    }

    #[test]
    fn a_missed_rto_on_a_machine_that_is_too_busy_is_inconclusive() {
        let record = missed_under_load();
        let (verdict, reasons) = overall(&record, &[]);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert_eq!(reasons, [MISSED_UNDER_LOAD]);
        assert_eq!(rto_verdict(&record, record.rto.as_ref().unwrap()), TargetVerdict::Inconclusive);
        let mut quiet = record;
        quiet.harness.degraded = false;
        assert_eq!(overall(&quiet, &[]).0, Verdict::Failed);
        assert_eq!(rto_verdict(&quiet, quiet.rto.as_ref().unwrap()), TargetVerdict::Failed);
    }

    #[test]
    fn what_is_lost_or_found_counts_however_busy_the_machine_was() {
        let mut lossy = missed_under_load();
        lossy.rpo.as_mut().unwrap().verdict = TargetVerdict::Failed;
        assert_eq!(overall(&lossy, &[]).0, Verdict::Failed);
        let mut unsound = missed_under_load();
        unsound.levels[0].checks[0].status = Status::Failed;
        assert_eq!(overall(&unsound, &[]).0, Verdict::Failed);
        let mut never = missed_under_load();
        let rto = never.rto.as_mut().unwrap();
        (rto.service, rto.recovery, rto.verified) = (None, None, None);
        assert_eq!(overall(&never, &[]).0, Verdict::Failed, "service that never came back");
    }

    #[test]
    fn what_is_expected_to_be_invalid_must_be_found_so_by_a_check() {
        let mut record = crate::sample::sample_record();
        let mut verdict = |valid: Option<bool>, error: Option<&str>| {
            let judgement = Some(Judgement {
                restore_seconds: Some(1.0),
                holds_until_ms: None,
                missing: Some(0),
                error: error.map(str::to_owned),
                levels: Vec::new(),
                crash_consistency: None,
                application_consistency: None,
            });
            let taken = Backup::taken("apart", "node-snapshots", 1, 1.0);
            record.backups = vec![Backup { valid, judgement, expected_invalid: true, ..taken }];
            overall(&record, &[]).0
        };
        assert_eq!(verdict(Some(false), None), Verdict::Passed);
        assert_eq!(verdict(Some(false), Some("it was not ready within 60s")), Verdict::Inconclusive);
        assert_eq!(verdict(None, None), Verdict::Inconclusive);
        assert_eq!(verdict(Some(true), None), Verdict::Failed);
    }

    #[test]
    fn a_copy_with_a_way_out_fails_the_drill() {
        let proof = |open: &[&str]| Isolation {
            environment: "weekly".to_owned(),
            tried: vec!["balancer: tcp/172.17.0.1/1".to_owned()],
            open: open.iter().map(|way| (*way).to_owned()).collect(),
        };
        let mut record = crate::sample::sample_record();
        record.isolation = vec![proof(&[])];
        assert_eq!(overall(&record, &[]).0, Verdict::Passed);
        record.isolation = vec![proof(&["balancer: tcp/172.17.0.1/1 refused"])];
        let (verdict, reasons) = overall(&record, &[]);
        assert_eq!(verdict, Verdict::Failed);
        assert_eq!(reasons, ["environment weekly has a way out: balancer: tcp/172.17.0.1/1 refused"]);
    }

    #[test]
    fn a_level_without_checks_is_not_a_pass() {
        assert_eq!(level_status([]), Status::NotDeclared);
        assert_eq!(level_status([Status::Passed, Status::NotReached]), Status::NotReached);
    }

    #[test]
    fn the_worst_of_several_runs_counts() {
        assert_eq!(worst_exit_status([0, 5, 1]), 1);
        assert_eq!(worst_exit_status([1, 4]), 4);
        assert_eq!(worst_exit_status([4, 3]), 3);
        assert_eq!(worst_exit_status([]), 0);
    }
}
