//! A timer beside the clients that notices when the harness itself did not get to run.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use blackstart_reports::record::Interval;
use tokio::task::JoinHandle;

use crate::clock::Clock;

/// How often the timer is due. A stall shorter than this can hide.
const PERIOD: Duration = Duration::from_millis(5);

/// Watches the harness's own timers until it is dropped.
#[derive(Debug)]
pub struct StallWatch {
    stalls_us: Arc<Mutex<Vec<Interval<u64>>>>,
    task: JoinHandle<()>,
}

impl StallWatch {
    /// Starts to watch.
    pub fn start(clock: Clock) -> Self {
        let stalls_us = Arc::<Mutex<Vec<Interval<u64>>>>::default();
        let seen = Arc::clone(&stalls_us);
        let task = tokio::spawn(async move {
            let mut awake_us = clock.now_us();
            loop {
                tokio::time::sleep_until(clock.at_us(awake_us) + PERIOD).await;
                let (slept_us, now_us) = (awake_us, clock.now_us());
                awake_us = now_us;
                if is_late(slept_us, now_us) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(Interval::new(slept_us, now_us));
                }
            }
        });
        Self { stalls_us, task }
    }

    /// The spans in which the timer was late by its period or more, in order, from the last time that it ran.
    pub fn stalls_us(&self) -> Vec<Interval<u64>> {
        self.stalls_us.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A period in which nothing ran goes unseen: two of them do not.
fn is_late(slept_us: u64, now_us: u64) -> bool {
    now_us.saturating_sub(slept_us) >= 2 * PERIOD.as_micros() as u64
}

/// The longest time by which the timer was late, in microseconds.
pub fn longest_us(stalls_us: &[Interval<u64>]) -> u64 {
    let late = |stall: &Interval<u64>| (stall.upper - stall.lower).saturating_sub(PERIOD.as_micros() as u64);
    stalls_us.iter().map(late).max().unwrap_or_default()
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
