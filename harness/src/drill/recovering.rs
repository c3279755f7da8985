//! The recovery as the sequencer sees it: detection, the procedure, and service that lasts.

use std::time::Duration;

use blackstart_evidence::measure::is_settled;
use blackstart_reports::record::{Status, StepResult};
use tokio::sync::watch;

use super::{
    Facts, Stop,
    events::Event,
    phases::{Drill, EVERY, FaultsUnderWay, stop},
    service::is_sustained,
};
use crate::{
    plan::PlannedStep,
    scenario::{
        drill::Recoverer,
        step::{Environment, SecondaryKind, SecondaryStep, StepKind},
    },
};

/// How long after a failed procedure the service may still come back by itself.
const GRACE: Duration = Duration::from_secs(5);

impl Drill<'_> {
    /// Waits for the detection, carries out the procedure, waits for service that lasts, and carries out what comes
    /// afterwards.
    pub(super) async fn recover(
        &mut self,
        facts: &mut Facts,
        mut detected: watch::Receiver<Option<u64>>,
        faults: &mut FaultsUnderWay,
    ) -> Result<(), Stop> {
        let recovery = self.plan().recovery.clone();
        let give_up = tokio::time::Instant::now() + recovery.within;
        if recovery.by == Recoverer::Procedure {
            let found = tokio::time::timeout_at(give_up, detected.wait_for(Option::is_some)).await;
            match found.ok().and_then(|found| found.ok().and_then(|at| *at)) {
                Some(at_us) => self.proceed(facts, at_us).await?,
                None => self.never_detected(facts),
            }
        }
        let went_wrong = facts.procedure.iter().any(|step| step.status == Status::Failed);
        let give_up = if went_wrong { give_up.min(tokio::time::Instant::now() + GRACE) } else { give_up };
        faults.until(|progress| progress.all_done).await?;
        // Service from before a fault says nothing about the service after it.
        let struck_us = self.in_place().lock().await.iter().map(|fault| fault.began_us.upper).max().unwrap_or_default();
        if self.await_service(struck_us, struck_us, give_up).await {
            self.events.say(Event::Sustained);
        }
        if !recovery.afterwards.is_empty() {
            let before = facts.procedure.len();
            self.carry_out(facts, &recovery.afterwards).await?;
            let mut done = recovery.afterwards.iter().zip(&facts.procedure[before..]);
            let down = done.find(|(step, _)| shuts_secondary_down(&step.kind));
            facts.failback_us = down.map(|(_, done)| (done.began_ms * 1e3) as u64);
            // What comes back may do harm: the service must stand it for as long as it had to stand before.
            let window = self.plan().service_level.sustained_for.duration();
            let give_up = tokio::time::Instant::now() + window + GRACE;
            self.await_service(self.now_us(), facts.failback_us.unwrap_or(struck_us), give_up).await;
        }
        Ok(())
    }

    async fn proceed(&mut self, facts: &mut Facts, detected_us: u64) -> Result<(), Stop> {
        let recovery = self.plan().recovery.clone();
        let failures = recovery
            .detect
            .as_ref()
            .map(|detect| format!("{} failures of `{}` in a row", detect.failures, detect.request));
        let rows = recovery.alert.as_ref().map(|alert| alert.in_words());
        let by = failures.into_iter().chain(rows).collect::<Vec<_>>().join(", or ");
        self.events.say(Event::Detected { by });
        facts.reach(self.events, "detected", detected_us);
        tokio::time::sleep(recovery.decision).await;
        let started_us = self.now_us();
        facts.recovery_started_us = Some(started_us);
        facts.reach(self.events, "recovery_started", started_us);
        self.carry_out(facts, &recovery.procedure).await
    }

    fn never_detected(&self, facts: &mut Facts) {
        let name = "detect the failure".to_owned();
        let detail = format!("nothing was detected within {:?}", self.plan().recovery.within);
        let began_ms = self.now_us() as f64 / 1e3;
        let step = StepResult { name, began_ms, duration_ms: 0.0, status: Status::Failed, detail };
        facts.end_step(self.events, step);
    }

    /// Carries out steps in order, and stops at the first that fails.
    async fn carry_out(&mut self, facts: &mut Facts, steps: &[PlannedStep]) -> Result<(), Stop> {
        for step in steps {
            self.events.say(Event::Step { name: step.name.clone() });
            let result = self.step(step, facts).await.map_err(|error| stop("recover", error))?;
            self.events.say(Event::StepDone {
                name: result.name.clone(),
                status: result.status,
                detail: result.detail.clone(),
                duration_ms: result.duration_ms,
            });
            let failed = result.status == Status::Failed;
            facts.end_step(self.events, result);
            if failed {
                break;
            }
            if let Some(milestone) = step.kind.declared().milestone(&self.plan().declared.system) {
                facts.reach(self.events, milestone, self.now_us());
            }
        }
        Ok(())
    }

    /// Carries out one step. What evaluates a check, and where clients go, is the drill's own to do.
    async fn step(&mut self, step: &PlannedStep, facts: &Facts) -> crate::world::Result<StepResult> {
        let began_us = self.now_us();
        let done = match &step.kind {
            StepKind::SecondaryStep(SecondaryStep { kind: SecondaryKind::LevelsStep(check) }) => {
                self.check_secondary(&check.levels, facts).await
            }
            StepKind::RedirectStep(redirect) => self.redirect(redirect.to)?,
            _ => return self.procedure.carry_out(step).await,
        };
        let (status, detail) = match done {
            Ok(detail) => (Status::Passed, detail),
            Err(detail) => (Status::Failed, detail),
        };
        let duration_ms = (self.now_us() - began_us) as f64 / 1e3;
        Ok(StepResult { name: step.name.clone(), began_ms: began_us as f64 / 1e3, duration_ms, status, detail })
    }

    fn redirect(&mut self, to: Environment) -> crate::world::Result<std::result::Result<String, String>> {
        let world = match to {
            Environment::Primary => &self.scene.world,
            Environment::Secondary => &self.procedure.secondary()?.world,
        };
        world.serve_clients();
        self.clients.redirect(std::sync::Arc::clone(world));
        self.in_service = to;
        Ok(Ok(format!("every request goes to the {} environment from now on", to.name())))
    }

    /// Waits until the service has been as declared for as long as declared, in a window that begins after a moment, and
    /// until enough requests have followed the last failure since the fault to tell when the outage ended at the latest.
    async fn await_service(&self, since_us: u64, struck_us: u64, give_up: tokio::time::Instant) -> bool {
        let merge_us = self.plan().service_level.sustained_for.duration().as_micros() as u64;
        loop {
            let now_us = self.now_us();
            let (is_back, is_settled) = self.clients.with_history(|history| {
                let is_back = is_sustained(self.plan(), history, since_us, now_us);
                (is_back, is_back && is_settled(history, struck_us, merge_us))
            });
            if is_settled || tokio::time::Instant::now() >= give_up {
                return is_back;
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Whether a failback begins with this step.
const fn shuts_secondary_down(kind: &StepKind) -> bool {
    matches!(kind, StepKind::SecondaryStep(SecondaryStep { kind: SecondaryKind::ShutDown(_) }))
}
