//! How measurements and targets make a verdict.

use crate::record::{
    Backup, Endpoint, Interval, LevelResult, Outage, Record, Rpo, RpoTarget, Rto, Status, TargetVerdict, Verdict,
};

/// Evaluates one interval against the greatest value allowed.
pub fn evaluate<T: PartialOrd + Copy>(measured: Interval<T>, at_most: T) -> TargetVerdict {
    if measured.upper <= at_most {
        TargetVerdict::Passed
    } else if measured.lower > at_most {
        TargetVerdict::Failed
    } else {
        TargetVerdict::Inconclusive
    }
}

/// Evaluates an interval whose upper end may be none: such an end meets no target.
fn evaluate_bounded(measured: Interval<f64>, upper_is_sample: bool, at_most: f64) -> TargetVerdict {
    match evaluate(measured, at_most) {
        TargetVerdict::Passed if upper_is_sample => TargetVerdict::Inconclusive,
        verdict => verdict,
    }
}

/// Evaluates the recovery point: the count of lost writes by its lower end, as nothing else was promised to a client,
/// and the seconds by both ends. The worse of the two counts. What a control does not exercise is left out.
pub fn evaluate_rpo(rpo: &Rpo, target: RpoTarget) -> TargetVerdict {
    if target.lost_writes.is_none() && target.seconds.is_none() {
        return TargetVerdict::NotDeclared;
    }
    if !rpo.exercised {
        return TargetVerdict::NotExercised;
    }
    let by_count = target.lost_writes.map(|most| evaluate(Interval::exactly(rpo.lost_writes.lower), most));
    let by_time = target.seconds.filter(|_| rpo.time_exercised).map(|most| evaluate(rpo.seconds, most));
    match worst_target([by_count, by_time].into_iter().flatten()) {
        TargetVerdict::NotDeclared => TargetVerdict::NotExercised,
        verdict => verdict,
    }
}

/// Evaluates a recovery time, where service that never came back is a miss.
pub fn evaluate_rto(
    measured: Option<Interval<f64>>,
    upper_is_sample: bool,
    target_seconds: Option<f64>,
) -> TargetVerdict {
    match (measured, target_seconds) {
        (_, None) => TargetVerdict::NotDeclared,
        (None, Some(_)) => TargetVerdict::Failed,
        (Some(measured), Some(most)) => evaluate_bounded(measured, upper_is_sample, most),
    }
}

/// Evaluates each outage of a control; the worst counts. Without any, there is nothing to evaluate.
pub fn evaluate_outages(outages: &[Outage], target_seconds: Option<f64>) -> TargetVerdict {
    let Some(most) = target_seconds else { return TargetVerdict::NotDeclared };
    let evaluated = outages.iter().map(|outage| match outage.seconds() {
        Some(seconds) => evaluate_bounded(seconds, outage.upper_is_sample, most),
        None => TargetVerdict::Failed,
    });
    match worst_target(evaluated) {
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

/// Whether all that was checked holds, and anything was. What has no check is verified by nobody.
pub fn is_verified(statuses: impl IntoIterator<Item = Status>) -> bool {
    let mut checked = statuses.into_iter().filter(|status| *status != Status::NotDeclared).peekable();
    checked.peek().is_some() && checked.all(|status| matches!(status, Status::Passed | Status::Tolerated))
}

/// The verdict over a whole record whose parts are evaluated, with its reasons, the most weighty first.
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
            (None, true) => unsure.push(format!("backup {} was expected to be invalid, and was not tested", backup.id)),
            _ => {}
        }
        let Some(restore_test) = &backup.restore_test else { continue };
        // What did not come back shows that something is wrong, and not that it is what was expected.
        if let (Some(error), true) = (&restore_test.error, backup.expected_invalid) {
            unsure
                .push(format!("backup {} was expected to be found invalid, and did not come back: {error}", backup.id));
        }
        if let (None, false) = (backup.valid, backup.expected_invalid) {
            unsure.push(format!("backup {} could not be tested: {}", backup.id, why_invalid(backup)));
        }
        if let Some(crash) = restore_test.crash_consistency.as_ref().filter(|crash| crash.status == Status::Error) {
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
    let untested = |rpo: &&Rpo| rpo.target.lost_writes.is_none() && rpo.target.seconds.is_none();
    let lost =
        record.rpo.as_ref().filter(|_| record.is_control()).filter(untested).map_or(0, |rpo| rpo.lost_writes.lower);
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

/// The newest backup that is valid, where any was tested: the recovery point that the backups alone give.
pub fn newest_valid(record: &Record) -> Option<NewestValid> {
    let valid = record.backups.iter().filter(|backup| backup.valid == Some(true));
    let holding = valid.filter_map(|backup| Some((backup, backup.restore_test.as_ref()?.holds_until_ms?)));
    let (newest, until) = holding.max_by(|(_, a), (_, b)| a.lower.total_cmp(&b.lower))?;
    let end = *record.milestones.get("fault_in_place").or_else(|| record.milestones.get("load_ended"))?;
    let after = |from: f64, to: f64| ((to - from) / 1e3).max(0.0);
    let work_after_seconds = Interval::new(after(until.upper, end.lower), after(until.lower, end.upper));
    Some(NewestValid { id: newest.id.clone(), work_after_seconds })
}

/// What a restored backup was found to lack.
fn why_invalid(backup: &Backup) -> String {
    let Some(restore_test) = &backup.restore_test else { return "nothing is known of its restore".to_owned() };
    if let Some(error) = &restore_test.error {
        return error.clone();
    }
    let missing = match restore_test.missing {
        Some(0) => None,
        Some(missing) => Some(format!("{missing} writes that were acknowledged before it began are missing")),
        None => Some("what it holds could not be asked".to_owned()),
    };
    let unsound = restore_test.application_consistency.iter().filter(|verdict| verdict.status == Status::Failed);
    let unsound = unsound.map(|verdict| format!("it is not consistent for applications: {}", verdict.detail));
    let found = check_lines(&restore_test.levels, |status| matches!(status, Status::Failed | Status::Error));
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
mod tests;
