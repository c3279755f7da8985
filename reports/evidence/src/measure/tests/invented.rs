//! Invented runs whose truth is known.

use blackstart_reports::record::Interval;
use proptest::prelude::*;

use super::*;

/// Numbers that look random and follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    fn share(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }
}

/// A run with outages of which some hit only a share of the requests: fault at 2 s, and what followed.
pub(super) struct Partial {
    pub history: Vec<Sent>,
    /// From when to when each lasted, in milliseconds, and which share of the requests it hit.
    pub outages: Vec<(u64, u64, f64)>,
    pub period_ms: u64,
}

/// One to three outages, short ones between longer ones too, each hitting from a sixth of the requests to all of them.
pub(super) fn partial(seed: u64) -> Partial {
    let mut dice = Dice(seed);
    let (mut outages, mut at_ms) = (Vec::new(), 2000);
    for _ in 0..dice.between(1, 4) {
        let lasts_ms = if dice.share() < 0.3 { dice.between(30, 200) } else { dice.between(200, 2500) };
        let share = if dice.share() < 0.3 { 1.0 } else { 1.0 / 6.0 + dice.share() * 5.0 / 6.0 };
        outages.push((at_ms, at_ms + lasts_ms, share));
        at_ms += lasts_ms + dice.between(20, 1500);
    }
    let period_ms = dice.between(8, 50);
    let mut history = Vec::new();
    for (index, at_ms) in (0..at_ms + 15_000).step_by(period_ms as usize).enumerate() {
        let hit =
            outages.iter().find(|(from, to, _)| (*from..*to).contains(&at_ms)).map_or(0.0, |(_, _, share)| *share);
        let outcome = if dice.share() < hit { Outcome::Refused } else { Outcome::Ok };
        let sender = if index % 2 == 0 { Sender::Load } else { Sender::Probe };
        history.push(sent(&format!("t{index}"), sender, at_ms, at_ms + dice.between(1, 20), outcome));
    }
    Partial { history, outages, period_ms: 2 * period_ms }
}

/// The end of the last outage in which a request failed of those that are asked for.
fn back_ms(run: &Partial, asked: impl Fn(&Sent) -> bool) -> Option<u64> {
    let failed = |from: u64, to: u64| {
        let is_inside = |sent: &&Sent| (from * MS..to * MS).contains(&sent.sent_us);
        run.history.iter().filter(is_inside).any(|sent| !sent.is_ok() && asked(sent))
    };
    run.outages.iter().rev().find(|(from, to, _)| failed(*from, *to)).map(|(_, to, _)| *to)
}

#[test]
fn the_upper_end_of_a_partial_outage_is_a_bound_or_earns_no_pass() {
    let (mut bounded, mut partial_ones) = (0, 0);
    for seed in 0..2000 {
        let run = partial(seed);
        // Not one failure of the load is allowed, so every outage in which one failed counts.
        let (survivors, level) = (good_tokens(&run.history), level(0.0));
        let observed = Observed {
            fault: Some(Interval::exactly(2000 * MS)),
            load_interval_us: run.period_ms * MS,
            ..observed(&run.history, &survivors, &level)
        };
        let of_load = back_ms(&run, |sent| sent.sender == Sender::Load);
        let (Some(least_ms), Some(most_ms)) = (of_load, back_ms(&run, |_| true)) else { continue };
        let Some(restored) = recovery_time(&observed).restored else { panic!("seed {seed}: service came back") };
        bounded += usize::from(restored.is_bound);
        partial_ones += usize::from(restored.is_bound && run.outages.iter().any(|(_, _, share)| *share < 1.0));
        let (at, outages) = (restored.at, &run.outages);
        assert!(at.lower <= most_ms * MS, "seed {seed}: {at:?} begins after {most_ms} ms: {outages:?}");
        let is_over = !restored.is_bound || at.upper >= least_ms * MS;
        assert!(is_over, "seed {seed}: {at:?} ends before {least_ms} ms: {outages:?}");
    }
    assert!(bounded > 1500 && partial_ones > 1000, "{bounded} bounded, {partial_ones} of them partial");
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
