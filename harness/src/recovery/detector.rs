//! Detection: so many failures of a request in a row. It runs from the start of the load, as a real monitor would, and
//! knows nothing of when a fault strikes.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    plan::Draw,
    scenario::drill::Detect,
    workload::{Clients, Sender},
};

/// A detector of failures.
pub struct Detector {
    clients: Clients,
    clock: Clock,
    detect: Detect,
}

impl Detector {
    /// A detector as declared.
    pub const fn new(clients: Clients, clock: Clock, detect: Detect) -> Self {
        Self { clients, clock, detect }
    }

    /// Watches until a failure is detected or it is stopped.
    pub async fn run(self, detected: watch::Sender<Option<u64>>, stop: CancellationToken) {
        let every: Duration = self.detect.every.duration();
        let mut in_a_row = 0;
        let mut due = tokio::time::Instant::now();
        for index in 0.. {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(due) => {}
            }
            let draw = Draw { kind: self.detect.request.clone(), number: 1 };
            let deadline = self.detect.deadline.duration();
            let sent = self.clients.send(Sender::Detector, index, &draw, self.clock.now_us(), deadline).await;
            in_a_row = if sent.is_ok() { 0 } else { in_a_row + 1 };
            if in_a_row >= self.detect.failures {
                detected.send_replace(Some(self.clock.now_us()));
                return;
            }
            // A try that took longer than the interval is followed by the next at once, and not by a burst.
            due = (due + every).max(tokio::time::Instant::now());
        }
    }
}
