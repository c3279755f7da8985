//! When a drill may go on: has the service been as declared for as long as declared?
//!
//! This only decides when to stop watching. What the outage was is measured afterwards, from the whole history.

use crate::{
    plan::Plan,
    workload::{History, Sender, Sent},
};

/// Requests of the last moments may still be out: they are left to the next look.
const STILL_OUT_US: u64 = 100_000;

/// Whether the service level held in the window that ends now, against the rate at which requests were intended.
pub fn is_sustained(plan: &Plan, history: &History, since_us: u64, now_us: u64) -> bool {
    let level = &plan.service_level;
    let window_us = level.sustained_for.duration().as_micros() as u64;
    let end_us = now_us.saturating_sub(STILL_OUT_US);
    let start_us = end_us.saturating_sub(window_us);
    if start_us < since_us {
        return false;
    }
    let is_inside = |sent: &&Sent| (start_us..end_us).contains(&sent.intended_us);
    let is_client = |sent: &&Sent| matches!(sent.sender, Sender::Load | Sender::Probe);
    // The history is in order of return, so the window lies near its end.
    let recent = history.iter().rev().take_while(|sent| sent.returned_us + 60_000_000 > start_us);
    let (mut good, mut bad) = (0_u64, 0_u64);
    for sent in recent.filter(is_client).filter(is_inside) {
        if sent.is_ok() { good += 1 } else { bad += 1 }
    }
    let seconds = window_us as f64 / 1e6;
    let intended = seconds / plan.load.interval.as_secs_f64() + seconds / plan.load.probe_interval.as_secs_f64();
    let share_of_errors = bad as f64 / ((good + bad) as f64).max(1.0);
    good as f64 >= intended * level.throughput.fraction() && share_of_errors <= level.errors.fraction()
}
