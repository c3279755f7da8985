//! Detection: so many failures of a request in a row, or a query that lists what must not be. It runs from the start of
//! the load, as a real monitor would, and knows nothing of when a fault strikes.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    fault::Scene,
    plan::Draw,
    scenario::{drill::Detect, question::Alert},
    workload::{Clients, Sender},
};

/// How long the query of an alert may take.
const ALERT_WITHIN: Duration = Duration::from_secs(5);

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

/// What watches for damage that no request shows.
pub struct AlertDetector {
    scene: Scene,
    alert: Alert,
}

impl AlertDetector {
    /// An alert detector as declared.
    pub const fn new(scene: Scene, alert: Alert) -> Self {
        Self { scene, alert }
    }

    /// Watches until the answer tells of damage or it is stopped. A question that fails tells nothing of damage.
    pub async fn run(self, detected: watch::Sender<Option<u64>>, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            let mut due = tokio::time::Instant::now();
            while !self.sees_damage().await {
                due = (due + self.alert.every.duration()).max(tokio::time::Instant::now());
                tokio::time::sleep_until(due).await;
            }
            detected.send_replace(Some(self.scene.clock.now_us()));
        })
        .await;
    }

    async fn sees_damage(&self) -> bool {
        let Ok(rows) = self.scene.asker().ask(&self.alert.kind, ALERT_WITHIN).await else { return false };
        match &self.alert.expect {
            Some(damage) => damage.holds(&rows),
            None => !rows.is_empty(),
        }
    }
}
