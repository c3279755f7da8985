//! Whether there was anything to lose: service as declared just before the fault, with work acknowledged in it.

use super::{Observed, level::breaks, recovery_point::counts_as_loss};
use crate::history::Sender;

/// Whether a fault met healthy service: something was acknowledged within a second, or five intervals of a slow load,
/// before it, and the load was served by the declared level in the last window before it. A control exercises nothing.
pub fn is_exercised(observed: &Observed<'_>) -> bool {
    let Some(fault) = observed.fault.filter(|_| !observed.is_disturbed) else { return false };
    let shortly = fault.lower.saturating_sub(observed.shortly_us())..=fault.lower;
    let is_recent = |sent: &&crate::history::Sent| sent.is_ok() && shortly.contains(&sent.returned_us);
    observed.history.iter().filter(|sent| counts_as_loss(sent)).any(|sent| is_recent(&sent))
        && was_healthy(observed, fault.lower)
}

/// Windows before a fault go by the time of return: what had returned by then was no victim of it.
fn was_healthy(observed: &Observed<'_>, fault_us: u64) -> bool {
    let start_us = observed.undisturbed_us.max(observed.load_started_us);
    let window_us = observed.level.sustained_for.duration().as_micros() as u64;
    let from_us = fault_us.saturating_sub(window_us).max(start_us);
    let (mut good, mut failed) = (0, 0);
    for sent in observed.history.iter().filter(|sent| sent.sender == Sender::Load) {
        if sent.sent_us >= start_us && (from_us..fault_us).contains(&sent.returned_us) {
            if sent.is_ok() { good += 1 } else { failed += 1 }
        }
    }
    let ran_us = fault_us.saturating_sub(from_us).saturating_sub(observed.stalls().within(from_us, fault_us));
    fault_us > from_us && !breaks(observed.level, observed.intended_rate(), good, failed, ran_us)
}
