//! The recovery time.

use blackstart_reports::record::Interval;

use super::*;

fn at(restored: Option<Restored>) -> Option<Interval<u64>> {
    restored.map(|restored| restored.at)
}

#[test]
fn an_outage_lies_between_the_last_failure_and_the_first_good_answer() {
    let (history, level) = (run(2000, 3000, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let time = recovery_time(&observed(&history, &survivors, &level));
    assert_eq!(at(time.restored), Some(Interval::new(2950 * MS, 3005 * MS)));
    assert!(time.restored.is_some_and(|restored| restored.was_interrupted && restored.is_bound));
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
    // The last failure was at 2.85 s. What hits six requests of sixteen, or fewer, lets 44 pass by luck once in a thousand times.
    assert_eq!(at(time.restored), Some(Interval::new(2850 * MS, 5055 * MS)));
    assert!(time.restored.is_some_and(|restored| restored.is_bound));
    history.retain(|sent| sent.sent_us < 5000 * MS);
    let early = recovery_time(&observed(&history, &survivors, &level));
    assert_eq!(at(early.restored), Some(Interval::new(2850 * MS, 4955 * MS)), "the end of the load");
    assert!(early.restored.is_some_and(|restored| !restored.is_bound));
}

#[test]
fn service_that_ends_broken_or_too_soon_is_never_sustained() {
    let level = level(0.01);
    for history in [run(2000, 60_000, 6000), run(2000, 5500, 6000), run(5800, 6000, 6000), run(2000, 3000, 3900)] {
        let survivors = good_tokens(&history);
        assert_eq!(recovery_time(&observed(&history, &survivors, &level)).restored, None);
    }
}

#[test]
fn service_must_hold_to_the_end_its_last_request_and_any_silence_included() {
    let level = level(0.05);
    let ends = |history: Vec<Sent>, stopped_ms: u64| {
        let survivors = good_tokens(&history);
        let observed = Observed { load_stopped_us: stopped_ms * MS, ..observed(&history, &survivors, &level) };
        recovery_time(&observed).service.is_some()
    };
    assert!(ends(run(2000, 3000, 6000), 6000));
    let mut last_failed = run(2000, 3000, 6000);
    last_failed.last_mut().unwrap().outcome = Outcome::Refused;
    assert!(!ends(last_failed, 6000), "the last request failed, however few the level lets fail");
    assert!(!ends(run(2000, 3000, 6000), 6500), "silence of half a window before the load ended");
}

#[test]
fn the_service_level_is_that_of_the_load_and_probes_dilute_nothing() {
    // Every business request fails from the fault on, at one in a second, beside two hundred good probes in a second.
    let good = |at_ms: u64| sent(&format!("p{at_ms}"), Sender::Probe, at_ms, at_ms + 2, Outcome::Ok);
    let business = |at_ms: u64| {
        let outcome = if at_ms < 2000 { Outcome::Ok } else { Outcome::Refused };
        sent(&format!("l{at_ms}"), Sender::Load, at_ms, at_ms + 5, outcome)
    };
    let load = (0..20_000).step_by(1000).map(business);
    let history: Vec<Sent> = (0..20_000).step_by(5).map(good).chain(load).collect();
    let (survivors, level) = (good_tokens(&history), level(0.01));
    let observed = Observed { load_interval_us: 1000 * MS, ..observed(&history, &survivors, &level) };
    assert_eq!(recovery_time(&observed).restored, None);
}

#[test]
fn probes_tell_moments_between_requests_of_a_slow_load() {
    let slow = |at_ms: u64| {
        let outcome = if (2000..3000).contains(&at_ms) { Outcome::Refused } else { Outcome::Ok };
        sent(&format!("l{at_ms}"), Sender::Load, at_ms, at_ms + 5, outcome)
    };
    let probes = run(2000, 3000, 6000).into_iter().map(|probe| Sent { sender: Sender::Probe, ..probe });
    let history: Vec<Sent> = probes.chain((10..6000).step_by(400).map(slow)).collect();
    let (survivors, level) = (good_tokens(&history), level(0.01));
    let observed = Observed { load_interval_us: 400 * MS, ..observed(&history, &survivors, &level) };
    assert_eq!(recovery_time(&observed).service, Some(Interval::new(0.94, 1.005)));
}

#[test]
fn a_silence_longer_than_a_window_is_measured_like_any_outage() {
    // We stalled, or the machine did: nothing at all was sent for longer than service has to last.
    let mut history = run(2000, 2100, 9000);
    history.retain(|sent| !(2100 * MS..4500 * MS).contains(&sent.sent_us));
    let survivors = good_tokens(&history);
    let level = level(0.01);
    let since = at(recovery_time(&observed(&history, &survivors, &level)).restored).expect("service came back");
    assert!(since.lower <= 4500 * MS && since.upper >= 4500 * MS, "{since:?}");
}

#[test]
fn an_outage_that_nobody_saw_is_bounded_by_what_was_seen() {
    let (history, level) = (run(0, 0, 6000), level(0.01));
    let survivors = good_tokens(&history);
    let time = recovery_time(&observed(&history, &survivors, &level));
    assert_eq!(time.service, Some(Interval::new(0.0, 0.055)));
    assert!(outages(&history, 1000 * MS, 6000 * MS, &[]).is_empty());
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
    assert_eq!(recovery_time(&observed).restored, None);
}
