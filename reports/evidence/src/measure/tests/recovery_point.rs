//! The recovery point.

use blackstart_reports::record::Interval;

use super::*;

#[test]
fn any_of_several_faults_may_have_taken_a_write() {
    let (history, level) = (run(0, 0, 8000), level(0.01));
    let survivors: Vec<String> = good_tokens(&history).into_iter().filter(|token| token != "t5500").collect();
    let faults = [Interval::exactly(2000 * MS), Interval::exactly(6000 * MS)];
    let observed = Observed { faults: &faults, ..observed(&history, &survivors, &level) };
    assert_eq!(recovery_point(&observed).seconds, Interval::new(0.495, 0.5), "the first struck before it was sent");
    let survivors: Vec<String> = good_tokens(&history).into_iter().filter(|token| token != "t1500").collect();
    let observed = Observed { faults: &faults, survivors: &survivors, ..observed };
    assert_eq!(recovery_point(&observed).seconds, Interval::new(0.495, 4.5));
}

#[test]
fn every_kind_of_mismatch_is_told_apart() {
    let history = vec![
        sent("kept", Sender::Load, 0, 10, Outcome::Ok),
        sent("lost", Sender::Load, 20, 30, Outcome::Ok),
        sent("later", Sender::Load, 40, 50, Outcome::Ok),
        sent("phantom", Sender::Load, 60, 70, Outcome::Refused),
        sent("recovered", Sender::Load, 80, 90, Outcome::Indeterminate),
        sent("unknown", Sender::Load, 80, 90, Outcome::Indeterminate),
    ];
    let survivors = ["kept", "later", "later", "phantom", "recovered", "stranger"].map(str::to_owned);
    let loss = loss(&history, &survivors, Some(100 * MS));
    assert_eq!(loss.lost, [1]);
    assert_eq!((loss.indeterminate_missing, loss.recovered, loss.phantom), (1, 1, 1));
    assert_eq!((loss.unexpected, loss.duplicated, loss.non_prefix_loss), (1, 1, 1));
}

#[test]
fn the_prober_in_a_tight_loop_is_no_client_and_no_stranger() {
    let history = vec![
        sent("kept", Sender::Load, 0, 10, Outcome::Ok),
        sent("tight-kept", Sender::TightLoop, 0, 10, Outcome::Ok),
        sent("lost", Sender::Load, 20, 30, Outcome::Ok),
        sent("tight-lost", Sender::TightLoop, 40, 50, Outcome::Ok),
        sent("tight-phantom", Sender::TightLoop, 40, 50, Outcome::Refused),
    ];
    let loss = loss(&history, &["kept", "tight-kept", "tight-phantom"].map(str::to_owned), Some(100 * MS));
    assert_eq!((loss.lost, loss.unexpected, loss.non_prefix_loss, loss.phantom), (vec![2], 0, 0, 1));
}

#[test]
fn what_was_written_after_the_recovery_proves_no_hole() {
    let history =
        vec![sent("lost", Sender::Load, 20, 30, Outcome::Ok), sent("after", Sender::Load, 5000, 5010, Outcome::Ok)];
    assert_eq!(loss(&history, &["after".to_owned()], Some(100 * MS)).non_prefix_loss, 0);
}

#[test]
fn nothing_acknowledged_before_the_fault_is_not_exercised() {
    let (history, level) = (run(0, 3000, 6000), level(0.01));
    let survivors = good_tokens(&history);
    assert!(!recovery_point(&observed(&history, &survivors, &level)).exercised);
}

#[test]
fn writes_that_were_acknowledged_after_the_fault_and_lost_are_loss_like_any_other() {
    // A bad change at 2.0 s is found late: everything from then on to 62 s is thrown away.
    let (history, level) = (run(0, 0, 70_000), level(0.01));
    let is_lost = |sent: &&Sent| !(2000 * MS..62_000 * MS).contains(&sent.sent_us);
    let survivors: Vec<String> = history.iter().filter(is_lost).map(|sent| sent.token.to_string()).collect();
    let point = recovery_point(&observed(&history, &survivors, &level));
    assert_eq!(point.lost_writes, Interval::exactly(1200));
    assert_eq!(point.seconds, Interval::new(59.945, 59.955), "from t2000 to t61950");
}

#[test]
fn a_single_write_lost_after_the_fault_takes_the_time_of_its_commit() {
    let (history, level) = (run(2500, 3000, 6000), level(0.01));
    let survivors: Vec<String> = good_tokens(&history).into_iter().filter(|token| token != "t2400").collect();
    let point = recovery_point(&observed(&history, &survivors, &level));
    assert_eq!((point.lost_writes.lower, point.seconds), (1, Interval::new(0.0, 0.005)));
}

#[test]
fn the_resolution_is_the_largest_gap_near_the_fault_and_no_mean() {
    let (mut history, level) = (run(2500, 3000, 6000), level(0.01));
    history.retain(|sent| !(1500 * MS..1700 * MS).contains(&sent.sent_us));
    // A gap of a long time ago is not near.
    history.retain(|sent| !(200 * MS..900 * MS).contains(&sent.sent_us));
    let survivors = good_tokens(&history);
    let resolution = |history: &[Sent]| recovery_point(&observed(history, &survivors, &level)).resolution_seconds;
    assert_eq!(resolution(&history), 0.25, "from 1,455 to 1,705");
    // The last gap is the one before the fault.
    history.retain(|sent| !(1720 * MS..2100 * MS).contains(&sent.sent_us));
    assert_eq!(resolution(&history), 0.305, "from 1,705 to the fault, 2,010 at the latest");
}

#[test]
fn service_must_have_been_healthy_before_the_fault_by_the_level_of_the_scenario() {
    let level = level(0.01);
    let exercised = |every: u64| {
        let mut history = run(2100, 2500, 6000);
        let before = history.iter_mut().filter(|sent| sent.sent_us < 1950 * MS);
        let failing = before.enumerate().filter(|(index, _)| !(*index as u64).is_multiple_of(every));
        failing.for_each(|(_, sent)| sent.outcome = Outcome::Refused);
        let survivors = good_tokens(&history);
        let observed = observed(&history, &survivors, &level);
        (recovery_point(&observed).exercised, recovery_time(&observed).exercised, recovery_time(&observed).service)
    };
    assert_eq!(exercised(20), (false, false, None), "95 of 100 fail");
    let (rpo, rto, service) = exercised(1);
    assert!(rpo && rto && service.is_some());
    let silent: Vec<Sent> = run(0, 0, 6000).into_iter().filter(|sent| sent.sent_us > 1500 * MS).collect();
    assert!(
        !recovery_point(&observed(&silent, &good_tokens(&silent), &level)).exercised,
        "half of the rate is missing"
    );
}

#[test]
fn a_failure_that_was_detected_before_the_fault_leaves_nothing_exercised() {
    let (history, level) = (run(2000, 3000, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let observed = Observed { is_disturbed: true, ..observed(&history, &survivors, &level) };
    assert!(!recovery_point(&observed).exercised && !recovery_time(&observed).exercised);
}

#[test]
fn a_control_exercises_no_time_and_tells_its_loss() {
    let (history, level) = (run(0, 0, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let whole = Observed { fault: None, ..observed(&history, &survivors, &level) };
    let point = recovery_point(&whole);
    assert_eq!((point.exercised, point.time_exercised, point.lost_writes), (true, false, Interval::exactly(0)));
    let time = recovery_time(&whole);
    assert_eq!((time.exercised, time.service, time.verified), (false, None, None));
    let lost = Observed { survivors: &survivors[2..], ..whole };
    let point = recovery_point(&lost);
    assert_eq!((point.time_exercised, point.lost_writes.lower), (true, 2));
    assert_eq!(point.seconds, Interval::new(0.045, 0.055));
}
