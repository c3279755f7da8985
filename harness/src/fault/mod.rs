//! One file per family of faults: put it in place, prove that it bit, end it.
//!
//! Which node is hit, and when, is the plan's to say; when a fault ends is the drill's or the procedure's. A fault
//! without effect is an error of the run, never a mild disaster.

mod network;
mod process;

use std::{sync::Arc, time::Duration};

use blackstart_reports::record::Interval;
use futures_util::future::try_join_all;

use crate::{
    clock::Clock,
    plan::{FaultAction, Plan, PlannedFault},
    world::{Result, World, WorldError, WorldErrorKind},
};

/// How long one attempt to see a fault bite may wait.
const PROOF_WITHIN: Duration = Duration::from_millis(400);

/// What a fault works on.
#[derive(Clone)]
pub struct Scene {
    /// The world.
    pub world: Arc<dyn World>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
}

/// A fault that is in place. It must be given an end: healed, or, where nothing heals it, accepted by a recovery.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a fault that is in place must be healed or kept on purpose"]
pub struct InPlace {
    /// The fault as planned.
    pub fault: PlannedFault,
    /// The interval within which it was put in place, in microseconds.
    pub began_us: Interval<u64>,
    /// How it was seen to bite; empty until it was.
    pub proof: String,
    /// The interval within which it was healed.
    pub healed_us: Option<Interval<u64>>,
}

impl InPlace {
    /// Whether the fault still stands.
    pub const fn stands(&self) -> bool {
        self.healed_us.is_none()
    }
}

impl Scene {
    /// Puts a fault in place. What it did is not proved yet: that takes time, and the moment must not be blurred by it.
    ///
    /// # Errors
    /// Where the world could not do it.
    pub async fn inject(&self, fault: &PlannedFault) -> Result<InPlace> {
        let world = self.world.as_ref();
        let lower = self.clock.now_us();
        match &fault.action {
            FaultAction::Kill => try_join_all(fault.victims.iter().map(|node| world.kill(node))).await.map(drop)?,
            FaultAction::Freeze => try_join_all(fault.victims.iter().map(|node| world.freeze(node))).await.map(drop)?,
            FaultAction::Cut { refuses } => world.refuse(refuses).await?,
            FaultAction::SlowLink { from, to, bandwidth } => world.limit(from, to, *bandwidth).await?,
        }
        let began_us = Interval::new(lower, self.clock.now_us());
        Ok(InPlace { fault: fault.clone(), began_us, proof: String::new(), healed_us: None })
    }

    /// Sees that a fault bites, and says how.
    ///
    /// # Errors
    /// When it has no effect, or nothing could be seen.
    pub async fn prove(&self, fault: &PlannedFault) -> Result<String> {
        match &fault.action {
            FaultAction::Kill => process::prove_killed(self, &fault.victims).await,
            FaultAction::Freeze => process::prove_frozen(self, &fault.victims).await,
            FaultAction::Cut { refuses } => network::prove_cut(self, refuses).await,
            FaultAction::SlowLink { from, to, .. } => network::prove_slow(self, from, to).await,
        }
    }

    /// Ends a reversible fault and sees that it ended.
    ///
    /// # Errors
    /// Where the world could not do it, or the fault still bites afterwards.
    pub async fn heal(&self, standing: &mut InPlace) -> Result<()> {
        let world = self.world.as_ref();
        let lower = self.clock.now_us();
        match &standing.fault.action {
            FaultAction::Kill => {
                let doing = format!("heal `{}`", standing.fault.summary);
                let happened = "a killed node is not healed; a recovery starts it again";
                return Err(WorldError::new(WorldErrorKind::Other, doing, happened));
            }
            FaultAction::Freeze => {
                try_join_all(standing.fault.victims.iter().map(|node| world.thaw(node))).await.map(drop)?;
            }
            FaultAction::Cut { refuses } => {
                world.accept(refuses).await?;
                network::prove_healed(self, refuses).await?;
            }
            FaultAction::SlowLink { from, to, .. } => world.unlimit(from, to).await?,
        }
        standing.healed_us = Some(Interval::new(lower, self.clock.now_us()));
        Ok(())
    }
}

/// The error of a fault without effect.
fn without_effect(what: &str, seen: impl Into<String>) -> WorldError {
    WorldError::new(WorldErrorKind::Other, format!("see that {what}"), seen)
}
