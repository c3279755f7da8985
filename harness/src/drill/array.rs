//! Backups that the storage array takes: all disks, by the way that the system declares.

use std::{collections::BTreeMap, time::Duration};

use super::phases::Drill;
use crate::{
    plan::PlannedBackup,
    scenario::backup::ArrayCopy,
    topology,
    world::{Pool, Result, Saved, Taken, WorldError, WorldErrorKind},
};

impl Drill<'_> {
    /// Has the array take a backup. Around snapshots the witness writes, by which a restored state is later recognised as that of
    /// one moment, or of several.
    pub(super) async fn back_up_disks(&self, planned: &PlannedBackup, by: ArrayCopy, apart: Duration) -> Result<Taken> {
        if by == ArrayCopy::ColdCopy {
            return self.copy_cold(planned).await;
        }
        let world = &self.scene.world;
        world.start_witness().await?;
        let taken = tokio::time::timeout(planned.within, self.take_snapshots(planned, by, apart)).await;
        world.stop_witness().await?;
        taken.unwrap_or_else(|_| Err(too_late(planned)))
    }

    async fn take_snapshots(&self, planned: &PlannedBackup, by: ArrayCopy, apart: Duration) -> Result<Taken> {
        let world = &self.scene.world;
        let id = &planned.id;
        match by {
            ArrayCopy::NodeSnapshots => {
                let (mut disks, mut bytes) = (BTreeMap::new(), 0);
                let nodes: Vec<String> = self.plan().disks().map(str::to_owned).collect();
                for (index, node) in nodes.iter().enumerate() {
                    if index > 0 {
                        tokio::time::sleep(apart).await;
                    }
                    let name = format!("{id}.{node}");
                    let held = world.snapshot(&name).await?;
                    // The array takes all disks at once; only one of them is kept of each moment.
                    bytes += held / nodes.len() as u64;
                    disks.insert(node.clone(), Saved { name, pool: Pool::Local });
                }
                Ok(Taken { id: id.clone(), label: id.clone(), bytes, disks })
            }
            ArrayCopy::ReplicatedSnapshot => {
                world.snapshot(id).await?;
                let base = self.last_replicated().await;
                let bytes = world.replicate(id, base.as_deref()).await?;
                Ok(self.whole(planned, bytes, Pool::Remote))
            }
            ArrayCopy::GroupSnapshot | ArrayCopy::ColdCopy => {
                let bytes = world.snapshot(id).await?;
                Ok(self.whole(planned, bytes, Pool::Local))
            }
        }
    }

    /// The whole system is shut down, copied, and started again.
    async fn copy_cold(&self, planned: &PlannedBackup) -> Result<Taken> {
        let (world, plan) = (self.scene.world.as_ref(), self.plan());
        let copied = async {
            topology::stop_all(world, plan).await?;
            let copied = world.copy_disks(&planned.id).await;
            // Whatever came of the copy, the system must not stay down for it.
            topology::start_all(world, plan).await.and(copied)
        };
        let bytes = tokio::time::timeout(planned.within, copied).await.unwrap_or_else(|_| Err(too_late(planned)))?;
        Ok(self.whole(planned, bytes, Pool::Local))
    }

    /// A backup that holds every disk as of one moment.
    fn whole(&self, planned: &PlannedBackup, bytes: u64, pool: Pool) -> Taken {
        let (id, name) = (planned.id.clone(), planned.id.clone());
        let saved = Saved { name, pool };
        let disks = self.plan().disks().map(|node| (node.to_owned(), saved.clone())).collect();
        Taken { label: id.clone(), id, bytes, disks }
    }

    /// The last backup that lies at the remote site, from which a next one can be told by its differences.
    async fn last_replicated(&self) -> Option<String> {
        let taken = self.scene.taken_backups.lock().await;
        let is_remote = |taken: &&Taken| taken.disks.values().any(|saved| saved.pool == Pool::Remote);
        taken.iter().rev().find(is_remote).map(|taken| taken.id.clone())
    }
}

fn too_late(planned: &PlannedBackup) -> WorldError {
    let happened = format!("it did not end within {:?}", planned.within);
    WorldError::new(WorldErrorKind::TimedOut, format!("take backup {}", planned.id), happened)
}
