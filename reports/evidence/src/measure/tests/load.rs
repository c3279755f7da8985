//! Counts and latencies of what the clients sent.

use super::*;

#[test]
fn latency_counts_from_the_intended_time() {
    let mut late = sent("late", Sender::Load, 100, 110, Outcome::Ok);
    late.intended_us = 10 * MS;
    let (history, level) = (vec![late], level(0.01));
    let observed = Observed { fault: None, ..observed(&history, &[], &level) };
    let latency = measure_load(&observed, None).latency_ms.unwrap();
    assert!((99.9..100.2).contains(&latency.max), "{latency:?}");
}

#[test]
fn latency_includes_what_was_never_answered_at_its_deadline_at_least() {
    let level = level(0.01);
    let mut history: Vec<Sent> = run(0, 0, 5000);
    for request in history.iter_mut().skip(50).take(5) {
        (request.outcome, request.returned_us) = (Outcome::Indeterminate, request.sent_us + 700 * MS);
    }
    let observed = Observed { fault: None, ..observed(&history, &[], &level) };
    let load = measure_load(&observed, None);
    let latency = load.latency_ms.unwrap();
    // The harness gave up at 700 ms, and the client was to wait for a second.
    assert!((1000.0..1001.5).contains(&latency.p99), "{latency:?}");
    let refused = sent("refused", Sender::Load, 0, 900, Outcome::Refused);
    let load = measure_load(&Observed { history: &[refused], ..observed }, None);
    assert_eq!((load.refused, load.latency_ms), (1, None), "a refusal is an answer, and no service");
}
