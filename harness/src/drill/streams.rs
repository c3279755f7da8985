//! The clients of a drill: the warm-up, the load, the probe, the detector, and the prober in a tight loop.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    events::{Event, Events},
    phases::{Drill, EVERY},
};
use crate::{
    clock::Clock,
    plan::{Draw, Plan, draws},
    recovery::{AlertDetector, Detector},
    workload::{Clients, Sender, Stream},
    world::{WorldError, WorldErrorKind},
};

/// From one request of the prober in a tight loop to the next. It does not wait for answers: in an outage one request that
/// hangs would blind it until that one is answered.
const TIGHT: Duration = Duration::from_millis(10);

/// How many requests in a row must be acknowledged before the load starts.
const WARM: usize = 6;

/// How long that may take.
pub(crate) const WARM_WITHIN: Duration = Duration::from_secs(20);

/// Sends probes until the service has answered several in a row: a load that starts against a balancer that has not yet
/// seen its servers would count our own haste as failures of the system. Tokens are numbered from `next` on, which
/// is the first free number afterwards.
pub(crate) async fn warm_up(
    plan: &Plan,
    clients: &Clients,
    clock: Clock,
    next: &mut usize,
    within: Duration,
) -> Result<(), WorldError> {
    let give_up = tokio::time::Instant::now() + within;
    let draw = Draw { kind: plan.load.probe.clone(), number: 1 };
    let mut in_a_row = 0;
    loop {
        let now_us = clock.now_us();
        let sent = clients.send(Sender::WarmUp, *next, &draw, now_us, plan.load.probe_deadline).await;
        *next += 1;
        in_a_row = if sent.is_ok() { in_a_row + 1 } else { 0 };
        if in_a_row >= WARM {
            return Ok(());
        }
        if tokio::time::Instant::now() >= give_up {
            let happened = format!("its last answer was: {}", sent.reply);
            return Err(WorldError::new(WorldErrorKind::TimedOut, "see the service answer", happened));
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Drill<'_> {
    /// Starts every stream. Gives the moment of detection, once there is one.
    pub(super) fn start_clients(&mut self) -> watch::Receiver<Option<u64>> {
        let load = self.plan().load.clone();
        let seed = self.plan().seed;
        let probe = Draw { kind: load.probe.clone(), number: 1 };
        let mut streams = vec![
            Stream {
                sender: Sender::Load,
                interval: load.interval,
                deadline: load.deadline,
                draws: Box::new(draws(seed, &load.mix)),
            },
            Stream {
                sender: Sender::Probe,
                interval: load.probe_interval,
                deadline: load.probe_deadline,
                draws: Box::new(std::iter::repeat(probe.clone())),
            },
        ];
        if self.setting.tight_loop {
            streams.push(Stream {
                sender: Sender::TightLoop,
                interval: TIGHT,
                deadline: load.probe_deadline,
                draws: Box::new(std::iter::repeat(probe)),
            });
        }
        for stream in streams {
            self.tasks.spawn(self.clients.clone().run(stream, self.stop.clone()));
        }
        self.tasks.spawn(report_traffic(self.clients.clone(), self.events.clone(), self.stop.clone()));
        let (tell, detected) = watch::channel(None);
        if let Some(detect) = self.plan().recovery.detect.clone() {
            let detector = Detector::new(self.clients.clone(), self.scene.clock, detect);
            self.tasks.spawn(detector.run(tell.clone(), self.stop.clone()));
        }
        if let Some(alert) = self.plan().recovery.alert.clone() {
            let alert_detector = AlertDetector::new(self.scene.clone(), alert);
            self.tasks.spawn(alert_detector.run(tell, self.stop.clone()));
        }
        detected
    }
}

async fn report_traffic(clients: Clients, events: Events, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        let (acknowledged, failed) = clients.with_history(|history| {
            let good = history.iter().filter(|sent| sent.is_ok()).count() as u64;
            (good, history.len() as u64 - good)
        });
        events.say(Event::Traffic { acknowledged, failed });
    }
}
