//! How measurements and targets make a verdict.

use crate::record::{Backup, Endpoint, Interval, LevelResult, Record, RpoTarget, Rto, Status, TargetVerdict, Verdict};

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

/// Judges the recovery point: the count of lost writes by its lower end, as nothing else was promised to a client,
/// and the seconds by both ends. The worse of the two counts.
pub fn judge_rpo(
    exercised: bool,
    lost_writes: Interval<u64>,
    seconds: Interval<f64>,
    target: RpoTarget,
) -> TargetVerdict {
    if target.lost_writes.is_none() && target.seconds.is_none() {
        return TargetVerdict::NotDeclared;
    }
    if !exercised {
        return TargetVerdict::NotExercised;
    }
    let by_count = target.lost_writes.map(|most| judge(Interval::exactly(lost_writes.lower), most));
    let by_time = target.seconds.map(|most| judge(seconds, most));
    worst_target([by_count, by_time].into_iter().flatten())
}

/// Judges a recovery time, where service that never came back is a miss.
pub fn judge_rto(measured: Option<Interval<f64>>, target_seconds: Option<f64>) -> TargetVerdict {
    match (measured, target_seconds) {
        (_, None) => TargetVerdict::NotDeclared,
        (None, Some(_)) => TargetVerdict::Failed,
        (Some(measured), Some(most)) => judge(measured, most),
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
/// An error that stopped the drill is given as `stopped`; it outweighs everything, since then nothing was proved.
pub fn overall(record: &Record, stopped: &[String]) -> (Verdict, Vec<String>) {
    if !stopped.is_empty() {
        return (Verdict::CouldNotRun, stopped.to_vec());
    }
    let mut failed = Vec::new();
    let mut unsure = Vec::new();
    match &record.rpo {
        Some(rpo) => sort_target("RPO", rpo.verdict, &mut failed, &mut unsure),
        None => unsure.push("the RPO was not measured".to_owned()),
    }
    match &record.rto {
        Some(rto) if is_missed_under_load(record, rto) => unsure.push(MISSED_UNDER_LOAD.to_owned()),
        Some(rto) => sort_target("RTO", rto.verdict, &mut failed, &mut unsure),
        None => unsure.push("the RTO was not measured".to_owned()),
    }
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
    match (failed.is_empty(), unsure.is_empty()) {
        (true, true) => (Verdict::Passed, vec!["every target was met and every declared check passed".to_owned()]),
        (true, false) => (Verdict::Inconclusive, unsure),
        (false, _) => {
            failed.extend(unsure);
            (Verdict::Failed, failed)
        }
    }
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

fn sort_target(name: &str, verdict: TargetVerdict, failed: &mut Vec<String>, unsure: &mut Vec<String>) {
    match verdict {
        TargetVerdict::Passed | TargetVerdict::NotDeclared => {}
        TargetVerdict::Failed => failed.push(format!("the {name} target was missed")),
        TargetVerdict::Inconclusive => unsure.push(format!("the {name} target lies between the measured bounds")),
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
mod tests {
    use super::*;
    use crate::record::{Isolation, Judgement};

    #[test]
    fn a_target_between_the_bounds_is_inconclusive() {
        assert_eq!(judge(Interval::new(1.0, 3.0), 3.0), TargetVerdict::Passed);
        assert_eq!(judge(Interval::new(1.0, 3.0), 2.0), TargetVerdict::Inconclusive);
        assert_eq!(judge(Interval::new(1.0, 3.0), 0.5), TargetVerdict::Failed);
    }

    #[test]
    fn nothing_acknowledged_is_never_a_pass() {
        let target = RpoTarget { lost_writes: Some(0), seconds: Some(0.0) };
        let verdict = judge_rpo(false, Interval::exactly(0), Interval::exactly(0.0), target);
        assert_eq!(verdict, TargetVerdict::NotExercised);
    }

    #[test]
    fn the_count_is_judged_by_what_was_promised() {
        let target = RpoTarget { lost_writes: Some(0), seconds: None };
        assert_eq!(judge_rpo(true, Interval::new(0, 4), Interval::new(0.0, 0.0), target), TargetVerdict::Passed);
        assert_eq!(judge_rpo(true, Interval::new(1, 4), Interval::new(0.0, 0.0), target), TargetVerdict::Failed);
    }

    #[test]
    fn service_that_never_returned_misses_every_target() {
        assert_eq!(judge_rto(None, Some(3600.0)), TargetVerdict::Failed);
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
