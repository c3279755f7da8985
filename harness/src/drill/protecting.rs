//! The protection as the sequencer sees it: the backups of a plan, one after the other, under load.

use blackstart_reports::record::Interval;

use super::{
    Facts, Stop,
    events::Event,
    phases::{Drill, stop},
};
use crate::{
    plan::{PlannedBackup, Taking},
    scenario::drill::Interruption,
    world::{Taken, WorldError, WorldErrorKind},
};

/// A backup that was interrupted on purpose, with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interrupted {
    /// What was planned.
    pub planned: PlannedBackup,
    /// How it was seen to come to nothing.
    pub proof: String,
    /// From its first moment to its last, in microseconds.
    pub us: (u64, u64),
}

/// A backup that was taken, with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What was planned.
    pub planned: PlannedBackup,
    /// What came of it.
    pub taken: Taken,
    /// From its first moment to its last, in microseconds.
    pub us: (u64, u64),
}

impl Kept {
    /// When it was taken, in milliseconds.
    pub fn ms(&self) -> Interval<f64> {
        Interval::new(self.us.0 as f64 / 1e3, self.us.1 as f64 / 1e3)
    }
}

impl Drill<'_> {
    /// Takes the backups. One that cannot be taken ends the drill: without it, there is nothing to drill.
    pub(super) async fn protect(&self, facts: &mut Facts) -> Result<(), Stop> {
        for planned in self.plan().backups.clone() {
            tokio::time::sleep(planned.after).await;
            self.events.say(Event::Progress { text: format!("backup {}: {}", planned.id, planned.method) });
            let began_us = self.now_us();
            if let Some(interruption) = &planned.interrupted {
                let proof = self.cut_short(&planned, interruption).await.map_err(|error| stop("protect", error))?;
                self.events.say(Event::Interrupted { id: planned.id.clone(), proof: proof.clone() });
                facts.interrupted.push(Interrupted { planned, proof, us: (began_us, self.now_us()) });
                continue;
            }
            let taken = self.back_up(&planned).await.map_err(|error| stop("protect", error))?;
            let us = (began_us, self.now_us());
            let (id, method) = (planned.id.clone(), planned.method.clone());
            self.events.say(Event::BackedUp {
                id,
                method,
                bytes: taken.bytes,
                duration_ms: (us.1 - us.0) as f64 / 1e3,
            });
            self.scene.taken_backups.lock().await.push(taken.clone());
            facts.backups.push(Kept { planned, taken, us });
        }
        Ok(())
    }

    /// Begins a backup, kills a node in the middle of it, and starts that again.
    async fn cut_short(&self, planned: &PlannedBackup, interruption: &Interruption) -> crate::world::Result<String> {
        let what = format!("backup {}", planned.id);
        let Taking::Command { on, .. } = &planned.taking else {
            let happened = "the array takes it at one moment that nothing can cut short";
            return Err(WorldError::new(WorldErrorKind::WithoutEffect, format!("interrupt {what}"), happened));
        };
        let node = self.backs_up_on(on).await?;
        let command = planned.half_way.take.as_deref().unwrap_or_default();
        let half_done = self.scene.world.begin_back_up(&planned.id, &node, command, planned.within).await?;
        let proof = self.scene.interrupt(&what, interruption, half_done).await?;
        self.scene.start_again(&interruption.kill).await?;
        Ok(proof)
    }

    async fn back_up(&self, planned: &PlannedBackup) -> crate::world::Result<Taken> {
        match &planned.taking {
            Taking::Command { on, run } => {
                let node = self.backs_up_on(on).await?;
                self.scene.world.back_up(&planned.id, &node, run, planned.within).await
            }
            Taking::Array { by, apart } => self.back_up_disks(planned, *by, *apart).await,
        }
    }

    async fn backs_up_on(&self, on: &str) -> crate::world::Result<String> {
        match on {
            "writer" => {
                let asker = self.scene.asker();
                asker.writer(asker.database(self.plan().load.survivors.declared().database())?.0).await
            }
            node => Ok(node.to_owned()),
        }
    }
}
