//! Backups and restores. The commands are not looked at: the model goes by what is asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::super::{
    SimulatedWorld,
    draws::{BACKUP, RESTORE},
    shape::NodeId,
};
use crate::scenario::backup::ModelledBackup;
use crate::world::{Backups, CommandOutput, HalfDone, NodeState, Point, Result, Taken, WorldError, WorldErrorKind};

/// What a commit weighs in a backup, in bytes; and what a cluster without any weighs.
const COMMIT_BYTES: u64 = 4_000;
const EMPTY_BYTES: u64 = 30_000_000;

impl SimulatedWorld {
    /// What stands half-way on a node comes to its end only if that node and the backup repository are up when it goes on.
    fn half_done(&self, place: NodeId) -> HalfDone {
        let state = Arc::clone(&self.state);
        let rest = async move {
            let model = &state.lock().unwrap_or_else(PoisonError::into_inner).model;
            let needed = model.shape.repository.iter().map(|(repository, _)| *repository).chain([place]);
            let is_cut_off = needed.into_iter().any(|node| model.nodes[node].state != NodeState::Running);
            Ok(CommandOutput { status: if is_cut_off { 137 } else { 0 }, output: String::new() })
        };
        HalfDone { seen: "half of it is done".to_owned(), rest: Box::pin(rest) }
    }
}

#[async_trait]
impl Backups for SimulatedWorld {
    async fn back_up(&self, id: &str, node: &str, _: &[String], within: Duration) -> Result<Taken> {
        let doing = format!("take backup {id} on {node}");
        let place = self.running(&doing, node)?;
        let refused = |why: String| WorldError::new(WorldErrorKind::Answered, &doing, why);
        let begun = self.now().model.content().map_err(refused)?;
        self.spend_within(&doing, &BACKUP, place, within).await?;
        self.running_still(&doing, place)?;
        let taken = self.change(|model| model.back_up(model.holds(id), begun));
        let label = taken.map_err(refused)?;
        let bytes = EMPTY_BYTES + self.now().model.size_of(&label) as u64 * COMMIT_BYTES;
        Ok(Taken { id: id.to_owned(), label, bytes, disks: BTreeMap::new() })
    }

    async fn begin_back_up(&self, id: &str, node: &str, _: &[String], within: Duration) -> Result<HalfDone> {
        let doing = format!("take backup {id} on {node}");
        let place = self.running(&doing, node)?;
        self.spend_within(&doing, &BACKUP, place, within).await?;
        self.running_still(&doing, place)?;
        Ok(self.half_done(place))
    }

    async fn begin_restore(&self, node: &str, _: &[String], within: Duration) -> Result<HalfDone> {
        let doing = format!("restore {node}");
        let place = self.running(&doing, node)?;
        self.change(|model| model.begin_restore(place, ModelledBackup::Cluster));
        self.spend_within(&doing, &RESTORE, place, within).await?;
        self.running_still(&doing, place)?;
        Ok(self.half_done(place))
    }

    async fn restore(
        &self,
        node: &str,
        backup: &Taken,
        point: &Point,
        _: &[String],
        within: Duration,
    ) -> Result<CommandOutput> {
        let doing = format!("restore {node}");
        let place = self.running(&doing, node)?;
        self.change(|model| model.begin_restore(place, model.holds(&backup.id)));
        self.spend_within(&doing, &RESTORE, place, within).await?;
        self.running_still(&doing, place)?;
        Ok(match self.change(|model| model.end_restore(place, &backup.label, point)) {
            Ok(output) => CommandOutput { status: 0, output },
            Err(output) => CommandOutput { status: 1, output },
        })
    }
}
