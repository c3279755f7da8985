//! How verdicts follow, both ways.

use TargetVerdict::{Failed, Inconclusive, NotExercised, Passed};

use super::*;
use crate::record::{Isolation, RestoreTest};

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
        verdict: evaluate_outages(outages, target),
        ..crate::sample::sample_record().rto.unwrap()
    }
}

#[test]
fn a_target_between_the_bounds_is_inconclusive() {
    assert_eq!(evaluate(Interval::new(1.0, 3.0), 3.0), TargetVerdict::Passed);
    assert_eq!(evaluate(Interval::new(1.0, 3.0), 2.0), TargetVerdict::Inconclusive);
    assert_eq!(evaluate(Interval::new(1.0, 3.0), 0.5), TargetVerdict::Failed);
}

#[test]
fn nothing_acknowledged_is_never_a_pass() {
    let target = RpoTarget { lost_writes: Some(0), seconds: Some(0.0) };
    let rpo = Rpo { exercised: false, ..lost(0, 0, 0.0) };
    assert_eq!(evaluate_rpo(&rpo, target), TargetVerdict::NotExercised);
}

#[test]
fn the_count_is_evaluated_by_what_was_promised() {
    let target = RpoTarget { lost_writes: Some(0), seconds: None };
    assert_eq!(evaluate_rpo(&lost(0, 4, 0.0), target), TargetVerdict::Passed);
    assert_eq!(evaluate_rpo(&lost(1, 4, 0.0), target), TargetVerdict::Failed);
}

#[test]
fn service_that_never_returned_misses_every_target() {
    assert_eq!(evaluate_rto(None, false, Some(3600.0)), TargetVerdict::Failed);
}

#[test]
fn an_upper_end_that_is_only_a_sample_meets_no_target_and_may_still_miss_one() {
    let evaluated = |most: f64| evaluate_rto(Some(Interval::new(1.0, 2.0)), true, Some(most));
    assert_eq!([3.0, 1.5, 0.5].map(evaluated), [Inconclusive, Inconclusive, Failed]);
}

#[test]
fn a_drill_whose_service_did_not_come_back_never_passes_whatever_its_targets() {
    let mut record = crate::sample::sample_record();
    record.rpo = Some(lost(0, 0, 0.0));
    let rto = record.rto.take().unwrap();
    for target in [None, Some(3600.0)] {
        let verdict = evaluate_rto(rto.recovery, false, target);
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
fn a_control_is_evaluated_by_each_of_its_outages() {
    let both = [outage(1.0, Some(3.6)), outage(6.0, Some(7.7))];
    let evaluated = |outages: &[Outage]| evaluate_outages(outages, Some(2.0));
    assert_eq!(evaluated(&both), Failed, "2.6 s and then 1.7 s against 2 s");
    assert_eq!((evaluated(&both[1..]), evaluated(&[])), (Passed, NotExercised));
    let unsure = Outage { upper_is_sample: true, ..both[1] };
    assert_eq!(evaluated(&[unsure]), Inconclusive);
    assert_eq!(evaluated(&[both[1], outage(9.0, None)]), Failed);
}

#[test]
fn what_a_control_does_not_exercise_makes_nothing_inconclusive() {
    let mut record = crate::sample::sample_record();
    record.faults.clear();
    let target = RpoTarget { lost_writes: Some(0), seconds: Some(1.0) };
    let evaluated = |rpo: Rpo| Rpo { verdict: evaluate_rpo(&rpo, target), target, ..rpo };
    let nothing = evaluated(Rpo { time_exercised: false, ..lost(0, 0, 0.0) });
    record.rpo = Some(nothing.clone());
    record.rto = Some(control(&[], Some(2.0)));
    assert_eq!((nothing.verdict, overall(&record, &[]).0), (Passed, Verdict::Passed));
    record.rpo = Some(Rpo { verdict: NotExercised, ..nothing });
    assert_eq!(overall(&record, &[]).0, Verdict::Passed, "a target for the time alone");
    record.rpo = Some(evaluated(lost(1, 1, 0.2)));
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
        let restore_test = Some(RestoreTest {
            restore_seconds: Some(1.0),
            holds_until_ms: None,
            missing: Some(0),
            error: error.map(str::to_owned),
            levels: Vec::new(),
            crash_consistency: None,
            application_consistency: None,
        });
        let taken = Backup::taken("apart", "node-snapshots", 1, 1.0);
        record.backups = vec![Backup { valid, restore_test, expected_invalid: true, ..taken }];
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
