//! How long it took: from the fault to service that is sustained to the end of the run.

use blackstart_reports::record::Interval;

use super::{
    Observed, between,
    calls::{Call, calls},
    exercised::is_exercised,
    is_client,
    level::{Stretch, last_broken},
    outage::{clusters, ended, failures},
};
use crate::history::{Sender, Sent};

/// When service was sustained again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Restored {
    /// The interval of the moment from which it was.
    pub at: Interval<u64>,
    /// Whether it had been interrupted beyond what the level allows.
    pub was_interrupted: bool,
    /// Whether the upper end is one: enough good requests followed to tell.
    pub is_bound: bool,
}

/// The measured recovery time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecoveryTime {
    /// Whether there was a fault, and healthy service before it that it could take.
    pub exercised: bool,
    /// When service was sustained again; none if it was not, to the end of the run.
    pub restored: Option<Restored>,
    /// Fault to sustained service, in seconds.
    pub service: Option<Interval<f64>>,
    /// Start of recovery to sustained service, in seconds.
    pub recovery: Option<Interval<f64>>,
    /// Fault to all levels verified, in seconds.
    pub verified: Option<Interval<f64>>,
    /// The same as `service`, as the prober in a tight loop saw it.
    pub tight_loop: Option<Interval<f64>>,
    /// From taking the recovered service down on purpose to sustained service, in seconds; the flag as in [`Restored`].
    pub failback: Option<(Interval<f64>, bool)>,
}

/// Measures the recovery time. A control has none: its outages are told, and nothing is counted from a fault.
pub fn recovery_time(observed: &Observed<'_>) -> RecoveryTime {
    let Some(fault) = observed.fault.filter(|_| is_exercised(observed)) else { return not_exercised() };
    let all = calls(observed.history, is_client);
    let failback = observed.failback_us.map(|us| failback(observed, &all, us));
    let restored = match failback {
        Some(None) => None,
        _ => recovered(observed, all, fault),
    };
    let at = restored.map(|restored| restored.at);
    let since = |started_us: u64| observed.stalls().widen(Interval::exactly(started_us));
    RecoveryTime {
        exercised: true,
        restored,
        service: at.map(|at| between(fault, at)),
        recovery: at.zip(observed.recovery_started_us).map(|(at, us)| between(since(us), at)),
        verified: observed.verified_us.map(|us| between(fault, since(us))),
        failback: failback
            .flatten()
            .zip(observed.failback_us)
            .map(|(back, us)| (between(since(us), back.at), back.is_bound)),
        tight_loop: tight_loop(observed, fault),
    }
}

const fn not_exercised() -> RecoveryTime {
    RecoveryTime {
        exercised: false,
        restored: None,
        service: None,
        recovery: None,
        verified: None,
        tight_loop: None,
        failback: None,
    }
}

/// When service was sustained again after the fault. What was in flight when it was taken down on purpose belongs to the
/// failback: here it shows neither a failure nor its absence.
fn recovered(observed: &Observed<'_>, mut all: Vec<Call>, fault: Interval<u64>) -> Option<Restored> {
    let until_us = observed.failback_us.unwrap_or(observed.load_stopped_us);
    all.truncate(all.partition_point(|call| call.sent_us < until_us));
    if let Some(failback_us) = observed.failback_us {
        all.iter_mut().filter(|call| call.returned_us > failback_us).for_each(|call| call.is_ok = true);
    }
    let before = rate_before(observed, &all, fault.lower);
    restored(&all, stretch(observed, fault, until_us, before))
}

/// When service was sustained again after it was taken down on purpose. What failed in flight failed at that moment.
fn failback(observed: &Observed<'_>, all: &[Call], failback_us: u64) -> Option<Restored> {
    let before = observed.fault.map_or(0.0, |fault| rate_before(observed, all, fault.lower));
    let in_flight = |call: &&Call| call.sent_us < failback_us && call.returned_us > failback_us && !call.is_ok;
    let mut own: Vec<Call> = all.iter().filter(in_flight).map(|call| Call { sent_us: failback_us, ..*call }).collect();
    own.extend_from_slice(&all[all.partition_point(|call| call.sent_us < failback_us)..]);
    own.sort_unstable();
    restored(&own, stretch(observed, Interval::exactly(failback_us), observed.load_stopped_us, before))
}

fn stretch<'a>(observed: &Observed<'a>, fault: Interval<u64>, until_us: u64, before: f64) -> Stretch<'a> {
    Stretch {
        fault,
        until_us,
        load_ended_us: observed.load_ended_us,
        level: observed.level,
        before,
        stalls: observed.stalls(),
    }
}

/// Acknowledged requests of the load in a second before the fault, and no more than were intended; the first moments of a
/// load are left out as its warm-up.
fn rate_before(observed: &Observed<'_>, calls: &[Call], fault_us: u64) -> f64 {
    let start_us = observed.undisturbed_us.max(observed.load_started_us);
    let from_us = start_us + (fault_us.saturating_sub(start_us) / 4).min(500_000);
    let is_counted = |call: &&Call| call.is_load && call.is_ok && (from_us..fault_us).contains(&call.sent_us);
    let good = calls.iter().filter(is_counted).count();
    let seconds = super::seconds(fault_us.saturating_sub(from_us));
    let rate = if seconds > 0.0 { good as f64 / seconds } else { 0.0 };
    rate.min(observed.intended_rate())
}

/// When service was sustained again. A failure that may be ours is taken once for one and once for none, and both answers
/// are within the bounds.
fn restored(calls: &[Call], stretch: Stretch<'_>) -> Option<Restored> {
    let told = sustained_from(calls, stretch);
    if !calls.iter().any(|call| stretch.stalls.may_have_failed(call)) {
        return told;
    }
    let excused = |call: &Call| Call { is_ok: call.is_ok || stretch.stalls.may_have_failed(call), ..*call };
    let other = sustained_from(&calls.iter().map(excused).collect::<Vec<_>>(), stretch);
    let (one, other) = match (told, other) {
        (None, None) => return None,
        (Some(only), None) | (None, Some(only)) => {
            let at = Interval::new(only.at.lower, only.at.upper.max(stretch.load_ended_us));
            return Some(Restored { at, is_bound: false, ..only });
        }
        (Some(one), Some(other)) => (one, other),
    };
    Some(Restored {
        at: Interval::new(one.at.lower.min(other.at.lower), one.at.upper.max(other.at.upper)),
        was_interrupted: one.was_interrupted || other.was_interrupted,
        is_bound: one.is_bound && other.is_bound,
    })
}

/// From when on service was sustained, after a fault. `calls` are in the order of sending.
///
/// A request that was sent at `s` and failed shows that service was not there for a request of that moment; when its
/// failure was noticed shows nothing more, as it may have hung across the recovery. So windows go by the time of
/// sending. Let `i` be the start of the last window of the load that breaks the level: service as declared had not begun
/// by then, which is the lower bound; it is later still where nothing but failures followed. The failures of any client
/// from there on, each closer to the one before than service must be sustained, belong to the outage, even if a later
/// window, taken alone, would tolerate them; the upper bound is the end of that outage.
fn sustained_from(calls: &[Call], stretch: Stretch<'_>) -> Option<Restored> {
    let after = &calls[calls.partition_point(|call| call.sent_us < stretch.fault.lower)..];
    let broken_us = last_broken(after, stretch)?;
    if after.iter().rfind(|call| call.is_load).is_none_or(|last| !last.is_ok) {
        return None;
    }
    let from_us = broken_us.unwrap_or(stretch.fault.lower);
    let until_us = from_us + stretch.window_us();
    let failed = failures(after);
    let outages = clusters(after, &failed, stretch.window_us());
    let is_there = |index: &usize| (from_us..until_us).contains(&after[*index].sent_us);
    let outage = outages.iter().rposition(|cluster| cluster.iter().any(is_there));
    let (upper, is_bound) = match outage {
        Some(index) => {
            let next = outages.get(index + 1).map_or(after.len(), |cluster| cluster[0]);
            let ended = ended(&after[..next], outages[index], stretch.load_ended_us)?;
            (ended.at.upper, ended.is_bound)
        }
        None => (first_good(after, broken_us, stretch.fault)?, true),
    };
    let lower = broken_us.map_or(stretch.fault.lower, |us| last_of_run(after, us));
    let at = stretch.stalls.widen(Interval::new(lower.min(upper), upper));
    Some(Restored { at, was_interrupted: broken_us.is_some(), is_bound })
}

/// Where nothing failed, the first good request after the last broken window, which was one of the load, or after the fault.
fn first_good(after: &[Call], broken_us: Option<u64>, fault: Interval<u64>) -> Option<u64> {
    let good = after.iter().filter(|call| call.is_ok);
    match broken_us {
        Some(us) => good.filter(|call| call.is_load && call.sent_us > us).map(|call| call.returned_us).min(),
        None => good.filter(|call| call.sent_us >= fault.upper).map(|call| call.returned_us).min(),
    }
}

/// The last of the failures that follow one another from a moment on without a good request between them; the moment itself,
/// where there is none.
fn last_of_run(after: &[Call], from_us: u64) -> u64 {
    let run = after[after.partition_point(|call| call.sent_us < from_us)..].iter().take_while(|call| !call.is_ok);
    run.last().map_or(from_us, |call| call.sent_us)
}

/// The outage as the prober in a tight loop saw it: by errors alone, as throughput is what clients are promised.
fn tight_loop(observed: &Observed<'_>, fault: Interval<u64>) -> Option<Interval<f64>> {
    let mut probes = calls(observed.history, |sender| sender == Sender::TightLoop);
    probes.iter_mut().for_each(|call| call.is_load = true);
    sustained_from(&probes, stretch(observed, fault, observed.load_stopped_us, 0.0))
        .map(|found| between(fault, found.at))
}

/// Whether every end that can be told of the outages since a moment is a bound: enough good requests have followed.
pub fn is_settled(history: &[Sent], since_us: u64, merge_us: u64) -> bool {
    let all = calls(history, is_client);
    let calls = &all[all.partition_point(|call| call.sent_us < since_us)..];
    let failed = failures(calls);
    clusters(calls, &failed, merge_us)
        .last()
        .is_none_or(|cluster| ended(calls, cluster, 0).is_some_and(|end| end.is_bound))
}
