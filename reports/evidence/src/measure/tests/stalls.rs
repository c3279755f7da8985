//! Stalls of the harness itself: they widen every bound that they touch.

use blackstart_reports::record::Interval;

use super::*;

/// A service that is away from 2.0 s to a moment, watched by a harness that is stopped from 2.5 s to 5.5 s. What was in flight
/// when it was stopped seems to have failed, whatever became of it.
fn stopped(back_ms: u64, deadline_ms: u64) -> Vec<Sent> {
    let mut history = run(2000, back_ms, 9000);
    history.retain(|sent| !(2500 * MS..5500 * MS).contains(&sent.sent_us));
    for request in history.iter_mut().filter(|sent| (2500 * MS).saturating_sub(sent.sent_us) < deadline_ms * MS) {
        if (2000 * MS..2500 * MS).contains(&request.sent_us) {
            (request.outcome, request.returned_us) = (Outcome::Indeterminate, 5500 * MS);
        }
    }
    history
}

const STALL: Interval<u64> = Interval::new(2500 * MS, 5500 * MS);

#[test]
fn a_harness_that_is_stopped_for_three_seconds_is_seen_in_the_bounds() {
    let level = level(0.01);
    for back_ms in [2100, 2300, 2600, 4000, 5400] {
        let history = stopped(back_ms, 400);
        let survivors = good_tokens(&history);
        let observed = Observed { stalls: &[STALL], ..observed(&history, &survivors, &level) };
        let service = recovery_time(&observed).service.expect("service came back");
        let truly = (back_ms - 2000) as f64 / 1e3;
        assert!(service.lower <= truly && truly <= service.upper, "{truly}: {service:?}");
        assert!(service.upper - service.lower >= 3.0, "{service:?}");
    }
}

#[test]
fn a_moment_that_falls_into_a_stall_may_have_been_any_moment_of_it() {
    let (history, level) = (run(2000, 3000, 9000), level(0.01));
    let survivors = good_tokens(&history);
    let stall = [Interval::new(2480 * MS, 2560 * MS)];
    let observed = Observed { stalls: &stall, verified_us: Some(7000 * MS), ..observed(&history, &survivors, &level) };
    let time = recovery_time(&observed);
    assert_eq!(time.recovery, Some(Interval::new(0.39, 0.525)), "started between 2,480 and 2,560");
    assert_eq!(time.service, Some(Interval::new(0.94, 1.005)), "no stall touches it");
    let stall = [Interval::new(6900 * MS, 7010 * MS)];
    let time = recovery_time(&Observed { stalls: &stall, ..observed });
    assert_eq!(time.verified, Some(Interval::new(4.89, 5.01)));
}

#[test]
fn silence_of_our_own_is_no_silence_of_the_service() {
    let (mut history, level) = (run(2000, 3000, 9000), level(0.01));
    history.retain(|sent| !(6000 * MS..6900 * MS).contains(&sent.sent_us));
    let survivors = good_tokens(&history);
    let without = observed(&history, &survivors, &level);
    assert!(recovery_time(&without).service.is_some_and(|service| service.upper > 3.0), "taken for an outage");
    let stall = [Interval::new(6000 * MS, 6900 * MS)];
    let time = recovery_time(&Observed { stalls: &stall, ..without });
    assert_eq!(time.service, Some(Interval::new(0.94, 1.005)));
}

#[test]
fn a_failure_that_only_we_may_have_made_leaves_no_upper_bound_where_it_decides() {
    // The last window before the end holds nothing but failures that were noticed when we ran again.
    let (mut history, level) = (run(2000, 3000, 9000), level(0.01));
    let last = history.iter_mut().filter(|sent| sent.sent_us >= 8800 * MS);
    last.for_each(|sent| (sent.outcome, sent.returned_us) = (Outcome::Indeterminate, 9600 * MS));
    let survivors = good_tokens(&history);
    let stall = [Interval::new(9000 * MS, 9700 * MS)];
    let observed = Observed { stalls: &stall, ..observed(&history, &survivors, &level) };
    let restored = recovery_time(&observed).restored.expect("it may have come back");
    assert!(!restored.is_bound);
}
