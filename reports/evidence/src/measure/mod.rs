//! Pure measurement: from the history of every request, and a few moments, to RPO, RTO, outages and latencies.
//!
//! Everything that is told is an interval that must contain the truth. Nothing here knows a target. Times are
//! microseconds on the run's clock until they leave this module.
//!
//! What a recorded request shows: it was sent at or after `sent_us` and answered at or before `returned_us`, however
//! late the harness itself was. So recorded sends are sound lower bounds and recorded returns sound upper bounds. A stall of
//! the harness can blur which request failed, and when a single moment was; so it widens every bound that it touches.

mod calls;
mod exercised;
mod level;
mod load;
mod outage;
mod recovery_point;
mod recovery_time;
mod sample;

use blackstart_reports::record::Interval;
pub use calls::Stalls;
pub use load::{Deadlines, measure_load, stage_between};
pub use outage::outages;
pub use recovery_point::{Loss, RecoveryPoint, loss, recovery_point};
pub use recovery_time::{RecoveryTime, Restored, is_settled, recovery_time};

use crate::{
    declared::ServiceLevel,
    history::{Sender, Sent},
};

/// What was observed in a run.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Every request.
    pub history: &'a [Sent],
    /// The interval within which the first fault was put in place; a control has none.
    pub fault: Option<Interval<u64>>,
    /// The same of every fault that could take work away, in order; none for a control.
    pub faults: &'a [Interval<u64>],
    /// When the recovery started.
    pub recovery_started_us: Option<u64>,
    /// When the recovered service was taken down on purpose, to bring it back to where it came from.
    pub failback_us: Option<u64>,
    /// When the load started.
    pub load_started_us: u64,
    /// From when on the load was undisturbed: the backups of the drill were done.
    pub undisturbed_us: u64,
    /// When no more requests of the load were sent.
    pub load_stopped_us: u64,
    /// When the load ended: the last answer was there, or given up.
    pub load_ended_us: u64,
    /// From one intended request of the load to the next.
    pub load_interval_us: u64,
    /// The tokens that the recovered writer holds.
    pub survivors: &'a [String],
    /// The tokens that the failed node still holds, where it could be asked.
    pub stranded: Option<&'a [String]>,
    /// What counts as service.
    pub level: &'a ServiceLevel,
    /// When all levels were verified.
    pub verified_us: Option<u64>,
    /// When the harness itself did not run, in order and apart from each other.
    pub stalls: &'a [Interval<u64>],
    /// Whether a failure was detected before the fault.
    pub is_disturbed: bool,
    /// How long clients wait for an answer.
    pub deadlines: Deadlines,
}

impl<'a> Observed<'a> {
    const fn stalls(&self) -> Stalls<'a> {
        Stalls(self.stalls)
    }

    /// Requests of the load that were meant to be sent in a second.
    fn intended_rate(&self) -> f64 {
        if self.load_interval_us == 0 { 0.0 } else { 1e6 / self.load_interval_us as f64 }
    }

    /// How long before a fault is shortly before it: a second, or five intervals of a slow load.
    fn shortly_us(&self) -> u64 {
        (5 * self.load_interval_us).max(1_000_000)
    }
}

/// Whether a sender belongs to the service that clients are promised. Detection and checks come and go with the drill, so
/// they count for what was lost and not for the level of service.
const fn is_client(sender: Sender) -> bool {
    matches!(sender, Sender::Load | Sender::Probe)
}

/// Microseconds to seconds.
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// From an earlier interval to a later one, in seconds; what would be negative is zero.
fn between(from: Interval<u64>, to: Interval<u64>) -> Interval<f64> {
    Interval::new(seconds(to.lower.saturating_sub(from.upper)), seconds(to.upper.saturating_sub(from.lower)))
}

#[cfg(test)]
mod tests;
