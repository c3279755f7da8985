//! Windows of the load, held against the declared service level.

use blackstart_reports::record::Interval;

use super::{
    calls::{Call, Stalls},
    seconds,
};
use crate::declared::ServiceLevel;

/// The stretch of a run in which service is to come back, and by what it is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'a> {
    /// What took service away, as the interval within which it did.
    pub fault: Interval<u64>,
    /// When no more requests were sent.
    pub until_us: u64,
    /// When the last answer was there, or given up.
    pub load_ended_us: u64,
    /// What counts as service.
    pub level: &'a ServiceLevel,
    /// The rate of acknowledged requests before, in a second; zero where the throughput is not to be evaluated.
    pub before: f64,
    /// When the harness did not run.
    pub stalls: Stalls<'a>,
}

impl Stretch<'_> {
    pub fn window_us(&self) -> u64 {
        (self.level.sustained_for.duration().as_micros() as u64).max(1)
    }

    fn is_broken(&self, good: u64, failed: u64, opens_us: u64) -> bool {
        let closes_us = opens_us + self.window_us();
        let ran_us = self.window_us() - self.stalls.within(opens_us, closes_us).min(self.window_us());
        breaks(self.level, self.before, good, failed, ran_us)
    }
}

/// Whether requests of a window break the level. A window holds a whole number of requests: one at its edge may be missing
/// without any fault.
pub(super) fn breaks(level: &ServiceLevel, rate: f64, good: u64, failed: u64, window_us: u64) -> bool {
    let share_of_errors = failed as f64 / (good + failed).max(1) as f64;
    let expected = rate * seconds(window_us) * level.throughput.fraction();
    share_of_errors > level.errors.fraction() || (good as f64) + 1.0 < expected
}

/// The start of the last window that breaks the level, if any does; nothing where the level was not held to the end. The last
/// window ends with the stretch, and holds its last request and any silence after it. `after` begins with the fault.
pub(super) fn last_broken(after: &[Call], stretch: Stretch<'_>) -> Option<Option<u64>> {
    let last_opens_us = stretch.until_us.checked_sub(stretch.window_us())?;
    if last_opens_us < stretch.fault.lower || is_broken_at_the_end(after, last_opens_us, stretch) {
        return None;
    }
    let mut windows = Windows { requests: after, stretch, opens_us: stretch.fault.lower, end: 0, good: 0, failed: 0 };
    let mut broken_us = None;
    for (start, call) in after.iter().enumerate().filter(|(_, call)| call.is_load) {
        // Only a window that was over before the run was has shown anything.
        if windows.opens_us > last_opens_us {
            break;
        }
        if windows.is_broken() {
            broken_us = Some(call.sent_us);
        }
        windows.leave(start);
    }
    Some(broken_us)
}

fn is_broken_at_the_end(after: &[Call], opens_us: u64, stretch: Stretch<'_>) -> bool {
    let in_it = after[after.partition_point(|call| call.sent_us < opens_us)..].iter().filter(|call| call.is_load);
    let (good, failed) =
        in_it.fold((0, 0), |(good, failed), call| if call.is_ok { (good + 1, failed) } else { (good, failed + 1) });
    stretch.is_broken(good, failed, opens_us)
}

/// A window that slides over the load in the order of sending, with what it holds. It opens just after the request that
/// it left last, so the last broken window holds as its first request the one whose leaving mends it.
struct Windows<'a> {
    requests: &'a [Call],
    stretch: Stretch<'a>,
    opens_us: u64,
    end: usize,
    good: u64,
    failed: u64,
}

impl Windows<'_> {
    fn leave(&mut self, start: usize) {
        match (start < self.end, self.requests[start].is_ok) {
            // Nothing was sent for longer than a window: the next request was never in it.
            (false, _) => self.end = start + 1,
            (true, true) => self.good -= 1,
            (true, false) => self.failed -= 1,
        }
        self.opens_us = self.requests[start].sent_us + 1;
    }

    fn is_broken(&mut self) -> bool {
        let closes_us = self.opens_us + self.stretch.window_us();
        while let Some(call) = self.requests.get(self.end).filter(|call| call.sent_us < closes_us) {
            match (call.is_load, call.is_ok) {
                (false, _) => {}
                (true, true) => self.good += 1,
                (true, false) => self.failed += 1,
            }
            self.end += 1;
        }
        self.stretch.is_broken(self.good, self.failed, self.opens_us)
    }
}
