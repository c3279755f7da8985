//! The faults of a plan, each at its time, beside everything else: a fault may strike while a recovery is under way.

use std::{sync::Arc, time::Duration};

use blackstart_evidence::fact::Fact;
use tokio::{sync::watch, task::JoinSet};

use super::events::{Event, Events};
use crate::{
    fault::{Scene, joined},
    plan::PlannedFault,
    recovery::FaultsInPlace,
    world::{Result, WorldError, WorldErrorKind},
};

/// How long it may take to put one fault in place, to see it bite, or to heal it. A drill must not hang on an engine
/// that never answers.
const WITHIN: Duration = Duration::from_secs(60);

/// Gives up what the world does not do in time.
pub async fn bounded<T>(act: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(WITHIN, act).await.unwrap_or_else(|_| {
        let happened = format!("it did not end within {WITHIN:?}");
        Err(WorldError::new(WorldErrorKind::TimedOut, "put a fault in place, see it bite, or heal it", happened))
    })
}

/// How far the faults of a plan have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many are in place, or have been.
    pub in_place: usize,
    /// Whether every one of them has struck, was seen to bite, and was healed where the plan says so.
    pub all_done: bool,
}

/// What puts the faults of a plan in place.
#[derive(Clone)]
pub struct Injector {
    /// What it works on.
    pub scene: Scene,
    pub in_place: FaultsInPlace,
    /// Where it says what it does.
    pub events: Events,
}

impl Injector {
    /// Puts every fault in place at its time, sees it bite, and heals it where the plan says so.
    ///
    /// # Errors
    /// The first fault that could not be put in place, or had no effect.
    pub async fn run(self, load_started_us: u64, progress: watch::Sender<Progress>) -> Result<()> {
        let faults = self.scene.plan.faults.clone();
        let mut aftermath = JoinSet::new();
        for (index, fault) in faults.iter().enumerate() {
            let at_us = load_started_us + fault.at.unwrap_or_default().as_micros() as u64;
            tokio::time::sleep_until(self.scene.clock.at_us(at_us)).await;
            let in_place = bounded(self.scene.inject(fault)).await?;
            let (began_us, takes_service) = (in_place.began_us, fault.effects().takes_service);
            self.in_place.lock().await.push(in_place);
            self.events.state(Fact::Struck { began_us, takes_service });
            self.events.say(Event::Fault { summary: fault.summary.clone() });
            progress.send_modify(|progress| progress.in_place += 1);
            let (injector, fault) = (self.clone(), Arc::new(fault.clone()));
            aftermath.spawn(async move { injector.follow(index, &fault).await });
        }
        while let Some(done) = aftermath.join_next().await {
            done.unwrap_or_else(|panic| {
                Err(WorldError::new(WorldErrorKind::Other, "follow a fault that is in place", panic.to_string()))
            })?;
        }
        progress.send_modify(|progress| progress.all_done = true);
        Ok(())
    }

    async fn follow(&self, index: usize, fault: &PlannedFault) -> Result<()> {
        let due = fault.heal_after.map(|after| tokio::time::Instant::now() + after);
        let proof = bounded(self.scene.prove(fault)).await?;
        if let Some(in_place) = self.in_place.lock().await.get_mut(index) {
            let seen = std::mem::take(&mut in_place.proof);
            in_place.proof = joined(seen, proof);
            self.events.say(Event::Bit { proof: in_place.proof.clone() });
        }
        let Some(due) = due else { return Ok(()) };
        tokio::time::sleep_until(due).await;
        let mut all = self.in_place.lock().await;
        if let Some(in_place) = all.get_mut(index).filter(|in_place| in_place.stands()) {
            bounded(self.scene.heal(in_place)).await?;
            self.events.say(Event::Healed { summary: fault.summary.clone() });
        }
        Ok(())
    }
}
