//! When a drill may go on: has the service been as declared for as long as declared?
//!
//! This only decides when to stop watching. What the outage was is measured afterwards, from the whole history.

use crate::{
    plan::Plan,
    workload::{History, Sender, Sent},
};

/// Requests of the last moments may still be out: they are left to the next look.
const STILL_OUT_US: u64 = 100_000;

/// Whether the service level of the load held in the window that ends now, against the rate at which requests were intended.
pub fn is_sustained(plan: &Plan, history: &History, since_us: u64, now_us: u64) -> bool {
    let level = &plan.service_level;
    let window_us = level.sustained_for.duration().as_micros() as u64;
    let end_us = now_us.saturating_sub(STILL_OUT_US);
    let start_us = end_us.saturating_sub(window_us);
    if start_us < since_us {
        return false;
    }
    let is_inside = |sent: &&Sent| (start_us..end_us).contains(&sent.intended_us);
    let is_load = |sent: &&Sent| sent.sender == Sender::Load;
    // The history is in order of return, so the window lies near its end.
    let recent = history.iter().rev().take_while(|sent| sent.returned_us + 60_000_000 > start_us);
    let (mut good, mut bad) = (0_u64, 0_u64);
    for sent in recent.filter(is_load).filter(is_inside) {
        if sent.is_ok() { good += 1 } else { bad += 1 }
    }
    let intended = window_us as f64 / 1e6 / plan.load.interval.as_secs_f64();
    let share_of_errors = bad as f64 / ((good + bad) as f64).max(1.0);
    // A window holds a whole number of requests: one at its edge may be missing without any fault.
    good as f64 + 1.0 >= intended * level.throughput.fraction() && share_of_errors <= level.errors.fraction()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Outcome;

    fn plan() -> Plan {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../scenarios/order-management/primary-zone-outage.yaml");
        crate::plan::build(crate::scenario::read(&file).unwrap(), 1).unwrap()
    }

    /// Forty requests in a second, good but for those sent in a stretch, up to five seconds.
    fn history(down_ms: std::ops::Range<u64>) -> History {
        let request = |index: u64| {
            let at_us = index * 25_000;
            Sent {
                token: index.to_string().into(),
                sender: if index.is_multiple_of(2) { Sender::Load } else { Sender::Probe },
                kind: "probe".into(),
                intended_us: at_us,
                sent_us: at_us,
                returned_us: at_us + 5000,
                outcome: if down_ms.contains(&(at_us / 1000)) { Outcome::Refused } else { Outcome::Ok },
                reply: "".into(),
            }
        };
        (0..200).map(request).collect()
    }

    #[test]
    fn service_is_sustained_only_after_a_whole_good_window() {
        let (plan, history) = (plan(), history(1000..2000));
        assert!(!is_sustained(&plan, &history, 1_000_000, 3_000_000));
        assert!(!is_sustained(&plan, &history, 1_000_000, 4_050_000));
        assert!(is_sustained(&plan, &history, 1_000_000, 4_150_000));
    }

    #[test]
    fn what_was_good_before_the_fault_does_not_count() {
        assert!(!is_sustained(&plan(), &history(0..0), 4_000_000, 4_500_000));
    }

    #[test]
    fn silence_is_no_service() {
        assert!(!is_sustained(&plan(), &Vec::new(), 0, 10_000_000));
        assert!(!is_sustained(&plan(), &history(0..0), 0, 9_000_000));
    }
}
