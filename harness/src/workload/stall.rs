//! A timer beside the clients that notices when the harness itself did not get to run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

/// How often the timer is due. A stall shorter than this can hide.
const PERIOD: Duration = Duration::from_millis(5);

/// Watches the harness's own timers until it is dropped.
#[derive(Debug)]
pub struct StallWatch {
    longest_us: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl StallWatch {
    /// Starts to watch.
    pub fn start() -> Self {
        let longest_us = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&longest_us);
        let task = tokio::spawn(async move {
            loop {
                let due = Instant::now() + PERIOD;
                tokio::time::sleep_until(due).await;
                seen.fetch_max(due.elapsed().as_micros() as u64, Ordering::Relaxed);
            }
        });
        Self { longest_us, task }
    }

    /// The longest time by which the timer was late, in microseconds.
    pub fn longest_us(&self) -> u64 {
        self.longest_us.load(Ordering::Relaxed)
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
