//! One file per family of faults: put it in place, prove that it bit, end it.
//!
//! Which node is hit, and when, is the plan's to say; when a fault ends is the drill's or the procedure's. A fault
//! without effect is an error of the run, never a mild disaster.

mod data;
mod interruption;
mod network;
mod process;
mod storage;

use std::{sync::Arc, time::Duration};

use blackstart_reports::record::Interval;
use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use crate::{
    clock::Clock,
    plan::{FaultAction, Plan, PlannedFault},
    topology,
    world::{Moment, Result, SqlTarget, Taken, World, WorldError, WorldErrorKind},
};

/// How long one attempt to see a fault bite may wait.
const PROOF_WITHIN: Duration = Duration::from_millis(400);

/// How long a server may take to say whether it takes writes.
const WRITER_WITHIN: Duration = Duration::from_secs(1);

/// The backups that were taken, shared between what takes them and what spoils or restores them.
pub type Shelf = Arc<Mutex<Vec<Taken>>>;

/// What a fault works on.
#[derive(Clone)]
pub struct Scene {
    /// The world.
    pub world: Arc<dyn World>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The backups that were taken.
    pub shelf: Shelf,
}

/// A fault that is in place. It must be given an end: healed, or, where nothing heals it, accepted by a recovery.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a fault that is in place must be healed or kept on purpose"]
pub struct InPlace {
    /// The fault as planned.
    pub fault: PlannedFault,
    /// The interval within which it was put in place, in microseconds.
    pub began_us: Interval<u64>,
    /// How it was seen to bite. What could be seen only while it was put in place is here at once, the rest follows.
    pub proof: String,
    /// The moment just before it, as the database itself tells it, where it was a change.
    pub moment: Option<Moment>,
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
        let mut seen = String::new();
        let mut moment = None;
        match &fault.action {
            FaultAction::Kill | FaultAction::LoseData | FaultAction::LoseSite => {
                try_join_all(fault.victims.iter().map(|node| world.kill(node))).await.map(drop)?;
            }
            FaultAction::Freeze => try_join_all(fault.victims.iter().map(|node| world.freeze(node))).await.map(drop)?,
            FaultAction::Cut { refuses } => world.refuse(refuses).await?,
            FaultAction::SlowLink { from, to, bandwidth } => world.limit(from, to, *bandwidth).await?,
            FaultAction::LosePower => storage::lose_power(self, &fault.victims).await?,
            FaultAction::FillDisk => seen = storage::fill(self, &fault.victims).await?,
            FaultAction::FailDisk => storage::fail(self, &fault.victims).await?,
            FaultAction::SpoilBackup { backup, by } => seen = data::spoil(self, backup, *by).await?,
            FaultAction::BadChange { database, user, statement, .. } => {
                let before;
                (before, seen) = data::change(self, database, user, statement).await?;
                moment = Some(before);
            }
        }
        let began_us = Interval::new(lower, self.clock.now_us());
        // An alert may have the server taken down for a restore at any moment: what shows the change is asked at once.
        if let FaultAction::BadChange { database, shows, .. } = &fault.action {
            seen = format!("{seen}; {}", data::prove_changed(self, database, shows).await?);
        }
        Ok(InPlace { fault: fault.clone(), began_us, proof: seen, moment, healed_us: None })
    }

    /// Sees that a fault bites, and says how. What destroys more than can be done at once does the rest here: for clients
    /// data is gone with the kill, and how long the removal of files takes must not blur the moment.
    ///
    /// # Errors
    /// When it has no effect, or nothing could be seen.
    pub async fn prove(&self, fault: &PlannedFault) -> Result<String> {
        match &fault.action {
            FaultAction::Kill => process::prove_killed(self, &fault.victims).await,
            FaultAction::LoseData => data::lose(self, &fault.victims).await,
            FaultAction::LosePower => storage::prove_power_lost(self, &fault.victims).await,
            FaultAction::LoseSite => storage::lose_site(self, &fault.victims).await,
            FaultAction::FillDisk | FaultAction::FailDisk => storage::prove_no_write(self, &fault.victims).await,
            // Their proof was taken while they were put in place.
            FaultAction::SpoilBackup { .. } | FaultAction::BadChange { .. } => Ok(String::new()),
            FaultAction::Freeze => process::prove_frozen(self, &fault.victims).await,
            FaultAction::Cut { refuses } => network::prove_cut(self, refuses).await,
            FaultAction::SlowLink { from, to, .. } => network::prove_slow(self, from, to).await,
        }
    }

    /// A backup that was taken.
    pub async fn on_shelf(&self, id: &str) -> Option<Taken> {
        self.shelf.lock().await.iter().find(|taken| taken.id == id).cloned()
    }

    /// Where a database takes writes at this moment.
    ///
    /// # Errors
    /// When no server does, or several do.
    pub async fn writer(&self, name: &str) -> Result<SqlTarget> {
        let doing = format!("find where {name} takes writes");
        let known = self.plan.database(name);
        let access = known.ok_or_else(|| WorldError::new(WorldErrorKind::NotFound, &doing, "no such database"))?;
        let asked = topology::ask_writers(self.world.as_ref(), name, access, WRITER_WITHIN).await;
        let mut takes = asked.into_iter().filter(|(_, answer)| matches!(answer, Ok(true))).map(|(target, _)| target);
        match (takes.next(), takes.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(WorldError::new(WorldErrorKind::Answered, doing, "no server does")),
            (Some(_), Some(_)) => Err(WorldError::new(WorldErrorKind::Answered, doing, "several do")),
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
            FaultAction::FillDisk => storage::make_room(self, &standing.fault.victims).await?,
            FaultAction::Kill
            | FaultAction::LoseData
            | FaultAction::LosePower
            | FaultAction::FailDisk
            | FaultAction::LoseSite
            | FaultAction::BadChange { .. }
            | FaultAction::SpoilBackup { .. } => {
                let doing = format!("heal `{}`", standing.fault.summary);
                let happened = "what it destroyed is not healed; a recovery brings it back";
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

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The error of a fault without effect.
fn without_effect(what: &str, seen: impl Into<String>) -> WorldError {
    WorldError::new(WorldErrorKind::WithoutEffect, format!("see that {what}"), seen)
}
