//! The measuring held against invented runs whose truth is known.

use proptest::prelude::*;

use super::*;
use crate::{
    history::Outcome,
    units::{Share, Span},
};

const MS: u64 = 1000;

fn sent(token: &str, sender: Sender, sent_ms: u64, returned_ms: u64, outcome: Outcome) -> Sent {
    Sent {
        token: token.into(),
        sender,
        kind: "place".into(),
        intended_us: sent_ms * MS,
        sent_us: sent_ms * MS,
        returned_us: returned_ms * MS,
        outcome,
        reply: "".into(),
    }
}

fn level(errors: f64) -> ServiceLevel {
    ServiceLevel {
        throughput: Share::from_fraction(0.9),
        errors: Share::from_fraction(errors),
        sustained_for: Span::from_ms(1000),
    }
}

/// A run with a request every 50 ms, up to `until_ms`, good except from `down_ms` to `up_ms`.
fn run(down_ms: u64, up_ms: u64, until_ms: u64) -> Vec<Sent> {
    let request = |at_ms: u64| {
        let is_down = (down_ms..up_ms).contains(&at_ms);
        let outcome = if is_down { Outcome::Refused } else { Outcome::Ok };
        sent(&format!("t{at_ms}"), Sender::Probe, at_ms, at_ms + 5, outcome)
    };
    (0..until_ms).step_by(50).map(request).collect()
}

fn observed<'a>(history: &'a [Sent], survivors: &'a [String], level: &'a ServiceLevel) -> Observed<'a> {
    Observed {
        history,
        fault: Some(Interval::new(2000 * MS, 2010 * MS)),
        recovery_started_us: Some(2500 * MS),
        failback_us: None,
        undisturbed_us: 0,
        faults: &[],
        load_started_us: 0,
        load_ended_us: history.iter().map(|sent| sent.returned_us).max().unwrap_or_default(),
        load_interval_us: 50 * MS,
        survivors,
        stranded: None,
        level,
        verified_us: None,
        longest_stall_us: 0,
    }
}

fn good_tokens(history: &[Sent]) -> Vec<String> {
    history.iter().filter(|sent| sent.is_ok()).map(|sent| sent.token.to_string()).collect()
}

#[test]
fn a_planned_failback_is_an_outage_of_its_own() {
    let (mut history, level) = (run(2000, 3000, 9000), level(0.01));
    let is_away = |sent: &Sent| (5200 * MS..6200 * MS).contains(&sent.sent_us);
    history.iter_mut().filter(|sent| is_away(sent)).for_each(|sent| sent.outcome = Outcome::Refused);
    // Sent before, and cut off by it.
    let cut_off = history.iter_mut().filter(|sent| (5100 * MS..5200 * MS).contains(&sent.sent_us));
    cut_off.for_each(|sent| (sent.outcome, sent.returned_us) = (Outcome::Indeterminate, 5600 * MS));
    let survivors = good_tokens(&history);
    let observe = |history: &[Sent]| {
        let observed = Observed { failback_us: Some(5190 * MS), ..observed(history, &survivors, &level) };
        (recovery_time(&observed), measure_load(&observed, Some(Interval::exactly(3000 * MS))))
    };
    let (time, load) = observe(&history);
    assert_eq!((time.service, time.failback), (Some(Interval::new(0.94, 1.005)), Some(Interval::new(0.96, 1.015))));
    let told: Vec<(&str, u64)> = load.stages.iter().map(|stage| (stage.stage.as_str(), stage.refused)).collect();
    assert_eq!(told, [("before", 0), ("during", 20), ("after", 0), ("failback", 20)]);

    history.iter_mut().filter(|sent| sent.sent_us >= 5200 * MS).for_each(|sent| sent.outcome = Outcome::Refused);
    let (time, _) = observe(&history);
    assert_eq!((time.sustained, time.service, time.failback), (Sustained::Never, None, None), "it never came home");
}

#[test]
fn an_outage_lies_between_the_last_failure_and_the_first_good_answer() {
    let (history, level) = (run(2000, 3000, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let time = recovery_time(&observed(&history, &survivors, &level));
    assert_eq!(time.sustained, Sustained::Since(Interval::new(2950 * MS, 3005 * MS)));
    assert_eq!(time.service, Some(Interval::new(0.94, 1.005)));
    assert_eq!(time.recovery, Some(Interval::new(0.45, 0.505)));
}

#[test]
fn a_good_request_among_failures_does_not_end_an_outage() {
    // One of three replicas is away from 2.0 s on, and two in three requests are served all the same.
    let (mut history, level) = (run(0, 0, 6000), level(0.01));
    for request in history.iter_mut().filter(|sent| (2000 * MS..3000 * MS).contains(&sent.sent_us)) {
        if request.sent_us % (150 * MS) == 0 {
            request.outcome = Outcome::Indeterminate;
        }
    }
    let survivors = good_tokens(&history);
    let time = recovery_time(&observed(&history, &survivors, &level));
    // The last failure was at 2.85 s. Two good requests may be luck, as before; the third is not.
    assert_eq!(time.sustained, Sustained::Since(Interval::new(2850 * MS, 3005 * MS)));
    assert!(time.is_partial);
    let (total, survivors) = (self::run(2000, 3000, 6000), Vec::new());
    assert!(!recovery_time(&observed(&total, &survivors, &level)).is_partial);
}

#[test]
fn service_that_ends_broken_or_too_soon_is_never_sustained() {
    let level = level(0.01);
    for history in [run(2000, 60_000, 6000), run(2000, 5500, 6000), run(5800, 6000, 6000), run(2000, 3000, 3900)] {
        let survivors = good_tokens(&history);
        assert_eq!(recovery_time(&observed(&history, &survivors, &level)).sustained, Sustained::Never);
    }
}

#[test]
fn a_silence_longer_than_a_window_is_measured_like_any_outage() {
    // We stalled, or the machine did: nothing at all was sent for longer than service has to last.
    let mut history = run(2000, 2100, 9000);
    history.retain(|sent| !(2100 * MS..4500 * MS).contains(&sent.sent_us));
    let survivors = good_tokens(&history);
    let level = level(0.01);
    let Sustained::Since(since) = recovery_time(&observed(&history, &survivors, &level)).sustained else {
        panic!("service came back");
    };
    assert!(since.lower <= 4500 * MS && since.upper >= 4500 * MS, "{since:?}");
}

#[test]
fn an_outage_that_nobody_saw_is_bounded_by_what_was_seen() {
    let (history, level) = (run(0, 0, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let time = recovery_time(&observed(&history, &survivors, &level));
    assert_eq!(time.service, Some(Interval::new(0.0, 0.055)));
    assert!(outages(&history, 1000 * MS).is_empty());
}

#[test]
fn a_control_has_no_outage_at_all() {
    let (history, level) = (run(0, 0, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let observed = Observed { fault: None, ..observed(&history, &survivors, &level) };
    assert_eq!(recovery_time(&observed).service, Some(Interval::exactly(0.0)));
    let point = recovery_point(&observed);
    assert!(point.exercised);
    assert_eq!((point.lost_writes, point.seconds), (Interval::exactly(0), Interval::exactly(0.0)));
}

#[test]
fn a_control_that_was_interrupted_is_timed_from_the_interruption_and_from_no_stray_failure() {
    let (mut history, level) = (run(4000, 5000, 9000), level(0.05));
    let stray = history.iter_mut().find(|sent| sent.sent_us == 1000 * MS).unwrap();
    stray.outcome = Outcome::Refused;
    let survivors = good_tokens(&history);
    let observed = Observed { fault: None, longest_stall_us: 20 * MS, ..observed(&history, &survivors, &level) };
    // From between the last good request at 3,950 and the first failure, to between the last window that breaks the level, at
    // 4,900, and the first good answer; and the stall on both sides of that.
    assert_eq!(recovery_time(&observed).service, Some(Interval::new(0.875, 1.075)));
}

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
fn the_rate_before_a_fault_is_that_of_undisturbed_load() {
    // A backup that takes the system down for two seconds, a second of load, the fault, and a service at half its rate.
    let mut history = run(0, 2000, 8000);
    history.retain(|sent| sent.sent_us < 3100 * MS || (sent.sent_us / MS).is_multiple_of(100));
    let (survivors, level) = (good_tokens(&history), level(0.01));
    let observed = Observed {
        fault: Some(Interval::exactly(3000 * MS)),
        undisturbed_us: 2000 * MS,
        ..observed(&history, &survivors, &level)
    };
    assert_eq!(recovery_time(&observed).sustained, Sustained::Never);
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
fn a_write_acknowledged_after_the_fault_and_lost_counts_and_takes_no_time() {
    let (history, level) = (run(2500, 3000, 6000), level(0.01));
    let survivors: Vec<String> = good_tokens(&history).into_iter().filter(|token| token != "t2400").collect();
    let point = recovery_point(&observed(&history, &survivors, &level));
    assert_eq!(point.lost_writes.lower, 1);
    assert_eq!(point.seconds, Interval::exactly(0.0));
}

#[test]
fn latency_counts_from_the_intended_time() {
    let mut late = sent("late", Sender::Load, 100, 110, Outcome::Ok);
    late.intended_us = 10 * MS;
    let (history, level) = (vec![late], level(0.01));
    let observed = Observed { fault: None, ..observed(&history, &[], &level) };
    let latency = measure_load(&observed, None).latency_ms.unwrap();
    assert!((99.9..100.2).contains(&latency.max), "{latency:?}");
}

/// A true history of a service: when it was down for good, and how each request fared.
#[derive(Debug, Clone)]
struct Truth {
    fault_us: u64,
    fault: Interval<u64>,
    back_us: Option<u64>,
    history: Vec<Sent>,
    survivors: Vec<String>,
    earliest_lost_commit_us: Option<u64>,
    lost: u64,
}

#[derive(Debug, Clone)]
struct Shape {
    fault_ms: u64,
    blur_before_ms: u64,
    blur_after_ms: u64,
    outage_ms: u64,
    comes_back: bool,
    period_ms: u64,
    lag_ms: u64,
    requests: Vec<(u64, u8)>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let requests = proptest::collection::vec((1_u64..60, any::<u8>()), 600);
    ((1500_u64..3000, 0_u64..80, 0_u64..80, 0_u64..3000), (any::<bool>(), 10_u64..60, 0_u64..500), requests).prop_map(
        |((fault_ms, blur_before_ms, blur_after_ms, outage_ms), (comes_back, period_ms, lag_ms), requests)| Shape {
            fault_ms,
            blur_before_ms,
            blur_after_ms,
            outage_ms,
            comes_back,
            period_ms,
            lag_ms,
            requests,
        },
    )
}

/// Plays a shape: a service that acknowledges, is down from the fault on, and may come back; an asynchronous standby
/// that had everything up to `lag_ms` before the fault.
fn play(shape: &Shape) -> Truth {
    let fault_us = shape.fault_ms * MS;
    let back_ms = shape.fault_ms + shape.outage_ms;
    let end_ms = back_ms + 3000;
    let mut truth = Truth {
        fault_us,
        fault: Interval::new(fault_us - shape.blur_before_ms * MS, fault_us + shape.blur_after_ms * MS),
        back_us: shape.comes_back.then_some(back_ms * MS),
        history: Vec::new(),
        survivors: Vec::new(),
        earliest_lost_commit_us: None,
        lost: 0,
    };
    let mut earliest_return_us = u64::MAX;
    for (index, at_ms) in (0..end_ms).step_by(shape.period_ms as usize).enumerate() {
        let (took_ms, whim) = shape.requests[index % shape.requests.len()];
        let is_up = |ms: u64| ms < shape.fault_ms || (shape.comes_back && ms >= back_ms);
        let token = format!("t{index}");
        let committed_ms = at_ms + took_ms / 2;
        let mut request = sent(&token, Sender::Load, at_ms, at_ms + took_ms, Outcome::Ok);
        // A request is served if the service is there from its sending to its commit; one that finds it down is
        // refused at once, hangs until its deadline, or hangs until the service is back.
        if !(is_up(at_ms) && is_up(committed_ms)) {
            let hangs_until_back = whim % 7 == 0 && shape.comes_back && at_ms < back_ms && back_ms - at_ms < 400;
            if hangs_until_back {
                request.returned_us = back_ms * MS + took_ms * MS;
                truth.survivors.push(token);
            } else {
                request.outcome = if whim % 2 == 0 { Outcome::Refused } else { Outcome::Indeterminate };
                let waited_ms = if whim % 2 == 0 { 2 } else { 400 };
                request.returned_us = (at_ms + waited_ms) * MS;
            }
        } else if committed_ms < shape.fault_ms && committed_ms + shape.lag_ms >= shape.fault_ms {
            truth.lost += 1;
            if request.returned_us < earliest_return_us {
                earliest_return_us = request.returned_us;
                truth.earliest_lost_commit_us = Some(committed_ms * MS);
            }
        } else {
            truth.survivors.push(token);
        }
        truth.history.push(request);
    }
    truth.history.sort_by_key(|sent| sent.returned_us);
    truth
}

proptest! {
    #[test]
    fn the_truth_lies_within_the_bounds(shape in shapes()) {
        let truth = play(&shape);
        let level = level(0.01);
        let observed = Observed {
            fault: Some(truth.fault),
            recovery_started_us: None,
            load_interval_us: shape.period_ms * MS,
            ..observed(&truth.history, &truth.survivors, &level)
        };
        let point = recovery_point(&observed);
        prop_assert!(point.lost_writes.lower <= truth.lost && truth.lost <= point.lost_writes.upper);
        if let Some(commit_us) = truth.earliest_lost_commit_us {
            let lost_seconds = seconds(truth.fault_us - commit_us);
            prop_assert!(point.seconds.lower <= lost_seconds && lost_seconds <= point.seconds.upper);
        }
        let measured = recovery_time(&observed).service;
        match (measured, truth.back_us) {
            (Some(measured), Some(back_us)) => {
                let truly = seconds(back_us - truth.fault_us);
                prop_assert!(measured.lower <= truly + 1e-9, "{measured:?} above {truly}");
                prop_assert!(truly <= measured.upper + 1e-9, "{measured:?} below {truly}");
            }
            (Some(measured), None) => prop_assert!(false, "claims {measured:?} of a service that never came back"),
            (None, _) => {}
        }
    }
}
