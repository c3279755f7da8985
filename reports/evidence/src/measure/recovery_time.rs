//! How long it took: from the fault to service that is sustained to the end of the run.

use blackstart_reports::record::Interval;

use super::{Observed, between, clients};
use crate::{
    declared::ServiceLevel,
    history::{Sender, Sent},
};

/// Whether service was sustained, and from when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sustained {
    /// It was never interrupted beyond what the level allows; if it was at all, it was back within this interval.
    Throughout(Interval<u64>),
    /// It was interrupted, and sustained again from a moment within this interval.
    Since(Interval<u64>),
    /// It was not sustained to the end of the run.
    Never,
}

impl Sustained {
    /// The interval of the moment from which service was sustained.
    pub const fn interval(self) -> Option<Interval<u64>> {
        match self {
            Self::Throughout(interval) | Self::Since(interval) => Some(interval),
            Self::Never => None,
        }
    }
}

/// The measured recovery time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecoveryTime {
    /// The moment from which service was sustained.
    pub sustained: Sustained,
    /// Whether good requests came between failures, so that the end of the outage is told from a sample.
    pub is_partial: bool,
    /// Fault to sustained service, in seconds.
    pub service: Option<Interval<f64>>,
    /// Start of recovery to sustained service, in seconds.
    pub recovery: Option<Interval<f64>>,
    /// Fault to all levels verified, in seconds.
    pub verified: Option<Interval<f64>>,
    /// The same as `service`, as the prober in a tight loop saw it.
    pub tight_loop: Option<Interval<f64>>,
    /// From taking the recovered service down on purpose to sustained service, in seconds.
    pub failback: Option<Interval<f64>>,
}

/// Measures the recovery time.
pub fn recovery_time(observed: &Observed<'_>) -> RecoveryTime {
    let clients = clients(observed.history);
    let Some(fault) = observed.fault else { return without_fault(observed, &clients) };
    let before = rate_before(&clients, observed.undisturbed_us.max(observed.load_started_us), fault.lower);
    let sustained_from = |clients: &[&Sent], fault| {
        widen(sustained_from(clients, fault, observed.level, before), observed.longest_stall_us)
    };
    // What is taken down on purpose, once it has recovered, is another outage. What was under way then says nothing of
    // either: it may have failed by being taken down.
    let failback_us = observed.failback_us.unwrap_or(u64::MAX);
    let recovering: Vec<&Sent> = clients.iter().copied().filter(|sent| sent.returned_us <= failback_us).collect();
    let returning = &clients[clients.partition_point(|sent| sent.sent_us < failback_us)..];
    let failback = observed.failback_us.map(|us| (us, sustained_from(returning, Interval::exactly(us))));
    let sustained = match failback {
        Some((_, Sustained::Never)) => Sustained::Never,
        _ => sustained_from(&recovering, fault),
    };
    let since = sustained.interval();
    RecoveryTime {
        sustained,
        is_partial: since.is_some_and(|since| is_partial(&recovering, fault, since)),
        service: since.map(|since| between(fault, since)),
        recovery: since
            .zip(observed.recovery_started_us)
            .map(|(since, started_us)| between(Interval::exactly(started_us), since)),
        verified: observed.verified_us.map(|verified_us| between(fault, Interval::exactly(verified_us))),
        failback: failback.and_then(|(us, back)| Some(between(Interval::exactly(us), back.interval()?))),
        tight_loop: tight_loop(observed, fault),
    }
}

/// A control: nothing broke, so there is nothing to recover from, unless service was interrupted all the same. Then the
/// interruption itself is measured, from between the last good request before it and the first that failed in it.
fn without_fault(observed: &Observed<'_>, clients: &[&Sent]) -> RecoveryTime {
    let start = Interval::exactly(observed.load_started_us);
    let sustained = widen(sustained_from(clients, start, observed.level, 0.0), observed.longest_stall_us);
    let service = match sustained {
        Sustained::Throughout(_) => Some(Interval::exactly(0.0)),
        Sustained::Since(since) => {
            let window_us = observed.level.sustained_for.duration().as_micros() as u64;
            let spans = super::outages(observed.history, window_us);
            let began = spans.iter().map(|span| span.began_ms).rfind(|began| began.lower * 1e3 <= since.upper as f64);
            let us = |ms: f64| (ms * 1e3) as u64;
            let from = began.map_or(start, |began| Interval::new(us(began.lower), us(began.upper)));
            Some(between(from, since))
        }
        Sustained::Never => None,
    };
    let verified = observed.verified_us.map(|_| Interval::exactly(0.0));
    RecoveryTime { sustained, is_partial: false, service, recovery: None, verified, tight_loop: None, failback: None }
}

fn widen(sustained: Sustained, stall_us: u64) -> Sustained {
    match sustained {
        Sustained::Since(since) => {
            Sustained::Since(Interval::new(since.lower.saturating_sub(stall_us), since.upper + stall_us))
        }
        other => other,
    }
}

/// Acknowledged requests in a second before the fault; the first moments of a load are left out as its warm-up.
fn rate_before(clients: &[&Sent], load_started_us: u64, fault_us: u64) -> f64 {
    let stretch = fault_us.saturating_sub(load_started_us);
    let from_us = load_started_us + (stretch / 4).min(500_000);
    let good = clients.iter().filter(|sent| sent.is_ok() && (from_us..fault_us).contains(&sent.sent_us)).count();
    let seconds = super::seconds(fault_us.saturating_sub(from_us));
    if seconds > 0.0 { good as f64 / seconds } else { 0.0 }
}

/// From when on service was sustained, after a fault.
///
/// `clients` are in the order of sending; `before` is the rate of acknowledged requests before the fault, or zero where
/// the throughput is not to be judged.
///
/// A request that was sent at `s` and failed shows that service was not there for a request of that moment; when its
/// failure was noticed shows nothing more, as it may have hung across the recovery. So windows go by the time of
/// sending. Let `i` be the start of the last window that breaks the level: service as declared had not begun by then,
/// which is the lower bound. Failures within that window may still belong to the outage even if a later window, taken
/// alone, would tolerate them; so the upper bound is the first return of a good request that was sent after the last of
/// those failures. Good requests that hung until the recovery and then succeeded keep both ends sound.
pub fn sustained_from(clients: &[&Sent], fault: Interval<u64>, level: &ServiceLevel, before: f64) -> Sustained {
    let window_us = (level.sustained_for.duration().as_micros() as u64).max(1);
    let after = &clients[clients.partition_point(|sent| sent.sent_us < fault.lower)..];
    let Some(end_us) = after.last().map(|sent| sent.sent_us) else { return Sustained::Never };
    let mut windows = Windows { requests: after, window_us, opens_us: fault.lower, end: 0, good: 0, failed: 0 };
    let mut broken_at = None;
    let mut last_is_broken = true;
    for (start, sent) in after.iter().enumerate() {
        // Only a window that was over before the run was has shown anything.
        if windows.opens_us + window_us > end_us {
            break;
        }
        last_is_broken = windows.breaks(level, before);
        if last_is_broken {
            broken_at = Some(sent.sent_us);
        }
        windows.leave(start);
    }
    if last_is_broken {
        return Sustained::Never;
    }
    let from_us = broken_at.unwrap_or(fault.lower);
    let is_in_window = |sent: &&&Sent| (from_us..from_us + window_us).contains(&sent.sent_us);
    let last_failed_us = after.iter().filter(is_in_window).filter(|sent| !sent.is_ok()).map(|sent| sent.sent_us).max();
    let served_from_us = last_failed_us.map_or(from_us.max(fault.upper), |failed_us| failed_us + 1);
    let needed = last_failed_us.map_or(0, |failed_us| longest_luck(after, failed_us));
    match (return_of_good(after, served_from_us, needed), broken_at) {
        (None, _) => Sustained::Never,
        (Some(served_us), Some(broken_us)) => Sustained::Since(Interval::new(broken_us, served_us)),
        (Some(served_us), None) => Sustained::Throughout(Interval::new(fault.lower, served_us)),
    }
}

/// An outage of which every tenth request or more is hit is told as one; failures further apart stand for themselves.
const LONGEST_LUCK: usize = 10;

/// How many good requests in a row there were before or between the failures of the outage that this failure ends.
///
/// Where one of several replicas is away, good requests come between failures. One good request after the last failure
/// then proves nothing: only more in a row than there were while the outage lasted do.
fn longest_luck(after: &[&Sent], last_failed_us: u64) -> usize {
    let (mut longest, mut luck) = (0, 0);
    for sent in after[..after.partition_point(|sent| sent.sent_us < last_failed_us)].iter().rev() {
        if sent.is_ok() {
            luck += 1;
            if luck > LONGEST_LUCK {
                return longest;
            }
        } else {
            longest = longest.max(luck);
            luck = 0;
        }
    }
    longest.max(luck)
}

/// Whether the outage hit only some of the requests of its time.
fn is_partial(clients: &[&Sent], fault: Interval<u64>, since: Interval<u64>) -> bool {
    let during = &clients[clients.partition_point(|sent| sent.sent_us < fault.upper)..];
    let failed = during.iter().filter(|sent| !sent.is_ok() && sent.sent_us <= since.upper);
    failed.map(|sent| sent.sent_us).max().is_some_and(|failed_us| longest_luck(during, failed_us) > 0)
}

/// When the good request after this many other good ones had returned, of those sent from a moment on.
fn return_of_good(after: &[&Sent], sent_from_us: u64, others: usize) -> Option<u64> {
    let served = after.iter().filter(|sent| sent.is_ok() && sent.sent_us >= sent_from_us);
    let mut returned: Vec<u64> = served.map(|sent| sent.returned_us).collect();
    (others < returned.len()).then(|| *returned.select_nth_unstable(others).1)
}

/// A window that slides over requests in the order of sending, with what it holds. It opens just after the request that
/// it left last, so the last broken window holds as its first request the one whose leaving mends it.
struct Windows<'a> {
    requests: &'a [&'a Sent],
    window_us: u64,
    opens_us: u64,
    end: usize,
    good: u64,
    failed: u64,
}

impl Windows<'_> {
    fn leave(&mut self, start: usize) {
        match (start < self.end, self.requests[start].is_ok()) {
            // Nothing was sent for longer than a window: the next request was never in it.
            (false, _) => self.end = start + 1,
            (true, true) => self.good -= 1,
            (true, false) => self.failed -= 1,
        }
        self.opens_us = self.requests[start].sent_us + 1;
    }

    fn breaks(&mut self, level: &ServiceLevel, before: f64) -> bool {
        let closes_us = self.opens_us + self.window_us;
        while let Some(sent) = self.requests.get(self.end).filter(|sent| sent.sent_us < closes_us) {
            if sent.is_ok() {
                self.good += 1
            } else {
                self.failed += 1
            }
            self.end += 1;
        }
        let share_of_errors = self.failed as f64 / (self.good + self.failed).max(1) as f64;
        let expected = before * super::seconds(self.window_us) * level.throughput.fraction();
        // A window holds a whole number of requests: one at its edge may be missing without any fault.
        share_of_errors > level.errors.fraction() || (self.good as f64) + 1.0 < expected
    }
}

/// The outage as the prober in a tight loop saw it: by errors alone, as throughput is what clients are promised.
fn tight_loop(observed: &Observed<'_>, fault: Interval<u64>) -> Option<Interval<f64>> {
    let mut probes: Vec<&Sent> = observed.history.iter().filter(|sent| sent.sender == Sender::TightLoop).collect();
    probes.sort_unstable_by_key(|sent| sent.sent_us);
    sustained_from(&probes, fault, observed.level, 0.0).interval().map(|since| between(fault, since))
}
