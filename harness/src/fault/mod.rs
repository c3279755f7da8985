//! One file per fault: put it in place, prove that it bit, end it. What is declared of it stands in the file of the same name in
//! `harness/src/scenario/fault/`, whose registry makes the list here too.
//!
//! Which node is hit, and when, is the plan's to say; when a fault ends is the drill's or the procedure's. A fault
//! without effect is an error of the run, never a mild disaster.

mod disk;
mod interruption;
mod process;
mod reach;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use blackstart_reports::record::Interval;
use tokio::sync::Mutex;

use crate::{
    clock::Clock,
    plan::{Plan, PlannedFault},
    question::Asker,
    scenario::fault::{Declares, FaultKind, faults},
    world::{Moment, Result, SqlTarget, Taken, World, WorldError, WorldErrorKind},
};

/// How long one attempt to see a fault bite may wait.
const PROOF_WITHIN: Duration = Duration::from_millis(400);

/// The backups that were taken, shared between what takes them and what corrupts or restores them.
pub type TakenBackups = Arc<Mutex<Vec<Taken>>>;

/// What a fault works on.
#[derive(Clone)]
pub struct Scene {
    pub world: Arc<dyn World>,
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The backups that were taken.
    pub taken_backups: TakenBackups,
}

/// A fault that is in place. It must be given an end: healed, or, where nothing heals it, accepted by a recovery.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a fault that is in place must be healed or kept on purpose"]
pub struct InPlace {
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

/// How a fault is put in place, proved and healed.
#[async_trait]
trait Mechanism: Declares + Sync {
    /// Does it to the victims. What it did is not proved yet: that takes time, and the moment must not be blurred by it.
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen>;

    /// Sees at once what could not be seen later.
    async fn prove_at_once(&self, _scene: &Scene) -> Result<String> {
        Ok(String::new())
    }

    /// Sees that it bites, and says how. What destroys more than can be done at once does the rest here.
    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String>;

    /// Ends it, where it is reversible, and sees that it ended.
    async fn heal(&self, _scene: &Scene, victims: &[String]) -> Result<()> {
        Err(cannot_be_healed(&victims.join(", ")))
    }
}

/// What was seen while a fault was put in place.
#[derive(Debug, Clone, Default)]
struct Seen {
    words: String,
    /// The moment just before it, where it was a change.
    moment: Option<Moment>,
}

impl Seen {
    const fn only(words: String) -> Self {
        Self { words, moment: None }
    }
}

macro_rules! mechanisms {
    (
        faults { $($(#[$doc:meta])+ $key:ident: $Fault:ident,)+ }
        conditions { $($(#[$condition_doc:meta])+ $condition_key:ident: $Condition:ident,)+ }
    ) => {
        $(mod $key;)+
        $(mod $condition_key;)+

        /// How a kind of fault is done.
        fn mechanism(kind: &FaultKind) -> &dyn Mechanism {
            match kind {
                $(FaultKind::$Fault(it) => it,)+
                $(FaultKind::$Condition(it) => it,)+
            }
        }
    };
}
faults!(mechanisms);

impl Scene {
    /// Puts a fault in place. What it did is not proved yet: that takes time, and the moment must not be blurred by it.
    ///
    /// # Errors
    /// Where the world could not do it.
    pub async fn inject(&self, fault: &PlannedFault) -> Result<InPlace> {
        let mechanism = mechanism(&fault.kind);
        let lower = self.clock.now_us();
        let Seen { words, moment } = mechanism.put_in_place(self, &fault.victims).await?;
        let began_us = Interval::new(lower, self.clock.now_us());
        let proof = joined(words, mechanism.prove_at_once(self).await?);
        Ok(InPlace { fault: fault.clone(), began_us, proof, moment, healed_us: None })
    }

    /// Sees that a fault bites, and says how.
    ///
    /// # Errors
    /// When it has no effect, or nothing could be seen.
    pub async fn prove(&self, fault: &PlannedFault) -> Result<String> {
        mechanism(&fault.kind).prove(self, &fault.victims).await
    }

    /// A backup that was taken.
    pub async fn taken_backup(&self, id: &str) -> Option<Taken> {
        self.taken_backups.lock().await.iter().find(|taken| taken.id == id).cloned()
    }

    /// What asks the nodes.
    pub fn asker(&self) -> Asker<'_> {
        Asker::new(self.world.as_ref(), &self.plan)
    }

    /// Where a database takes writes at this moment.
    ///
    /// # Errors
    /// When no server does, or several do.
    pub async fn writer(&self, name: &str) -> Result<SqlTarget> {
        let asker = self.asker();
        asker.target(Some(name), &asker.writer(name).await?)
    }

    /// Ends a reversible fault and sees that it ended.
    ///
    /// # Errors
    /// Where the world could not do it, or the fault still bites afterwards.
    pub async fn heal(&self, in_place: &mut InPlace) -> Result<()> {
        let lower = self.clock.now_us();
        mechanism(&in_place.fault.kind).heal(self, &in_place.fault.victims).await?;
        in_place.healed_us = Some(Interval::new(lower, self.clock.now_us()));
        Ok(())
    }
}

/// Two observations as one.
pub(crate) fn joined(one: String, other: String) -> String {
    [one, other].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ")
}

fn cannot_be_healed(what: &str) -> WorldError {
    let happened = "what it destroyed is not healed; a recovery brings it back";
    WorldError::new(WorldErrorKind::Other, format!("heal {what}"), happened)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The error of a fault without effect.
fn without_effect(what: &str, seen: impl Into<String>) -> WorldError {
    WorldError::new(WorldErrorKind::WithoutEffect, format!("see that {what}"), seen)
}
