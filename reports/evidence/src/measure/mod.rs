//! Pure measurement: from the history of every request, and a few moments, to RPO, RTO, outages and latencies.
//!
//! Everything that is told is an interval that must contain the truth. Nothing here knows a target. Times are
//! microseconds on the run's clock until they leave this module.
//!
//! What a recorded request shows: it was sent at or after `sent_us` and answered at or before `returned_us`, however
//! late the harness itself was. So recorded sends are sound lower bounds and recorded returns sound upper bounds; a
//! stall of the harness can only blur which request was the last to fail, which is why it widens the recovery time.

mod load;
mod outage;
mod recovery_point;
mod recovery_time;

use blackstart_reports::record::Interval;

pub use load::{measure_load, stage_between};
pub use outage::outages;
pub use recovery_point::{Loss, RecoveryPoint, loss, recovery_point};
pub use recovery_time::{RecoveryTime, Sustained, recovery_time, sustained_from};

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
    /// When the load ended.
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
    /// The longest stall of the harness itself.
    pub longest_stall_us: u64,
}

/// Whether a request belongs to the service that clients are promised. Detection and checks come and go with the
/// drill, so they count for what was lost and not for the level of service.
const fn is_client(sent: &Sent) -> bool {
    matches!(sent.sender, Sender::Load | Sender::Probe)
}

/// The requests of clients, in the order of sending.
fn clients(history: &[Sent]) -> Vec<&Sent> {
    let mut clients: Vec<&Sent> = history.iter().filter(|sent| is_client(sent)).collect();
    clients.sort_unstable_by_key(|sent| sent.sent_us);
    clients
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
