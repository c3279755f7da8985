//! The storage array. In the model a commit is on its disk as soon as it is made, so no power loss takes one away.

use async_trait::async_trait;

use super::super::{
    SimulatedWorld,
    draws::{COPY, LOOK, REPLICATE, SNAPSHOT},
    shape::NodeId,
};
use crate::world::{
    DiskState, Marks, NodeState, Pool, Result, Saved, Storage, WorldError, WorldErrorKind, WriteAttempt,
};

/// What a commit weighs on the disks, in bytes; and what disks without any weigh.
const COMMIT_BYTES: u64 = 4_000;
const EMPTY_BYTES: u64 = 60_000_000;

#[async_trait]
impl Storage for SimulatedWorld {
    async fn snapshot(&self, name: &str) -> Result<u64> {
        self.enter(&format!("take snapshot {name}"))?;
        let commits = self.take_effect(&SNAPSHOT, 0, |model| model.save_disks(name)).await;
        Ok(EMPTY_BYTES + commits as u64 * COMMIT_BYTES)
    }

    async fn copy_disks(&self, name: &str) -> Result<u64> {
        let doing = format!("copy the disks as {name}");
        self.enter(&doing)?;
        let running = self.running_with_disk();
        if let Some(node) = running {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, format!("{node} still runs")));
        }
        let commits = self.take_effect(&COPY, 0, |model| model.save_disks(name)).await;
        Ok(EMPTY_BYTES + commits as u64 * COMMIT_BYTES)
    }

    async fn replicate(&self, name: &str, base: Option<&str>) -> Result<u64> {
        let doing = format!("replicate {name}");
        self.enter(&doing)?;
        self.must_have(&doing, name)?;
        if let Some(base) = base {
            self.must_have(&doing, base)?;
        }
        self.spend(&REPLICATE, 0).await;
        Ok(if base.is_some() { EMPTY_BYTES / 20 } else { EMPTY_BYTES })
    }

    async fn revert(&self, node: &str, saved: &Saved) -> Result<()> {
        let doing = format!("put the disk of {node} back to {}", saved.name);
        let id = self.at_rest(&doing, node)?;
        self.spend(if saved.pool == Pool::Remote { &REPLICATE } else { &SNAPSHOT }, id).await;
        self.have_saved(&saved.name);
        let loaded = self.change(|model| model.load_disk(id, &saved.name));
        loaded.map_err(|why| WorldError::new(WorldErrorKind::NotFound, doing, why))
    }

    async fn inspect(&self, node: &str) -> Result<DiskState> {
        let id = self.at_rest(&format!("look at the disk of {node}"), node)?;
        self.spend(&LOOK, id).await;
        let witness = self.now().model.witness_of(id);
        Ok(DiskState { is_sound: true, detail: "a simulated disk".to_owned(), witness })
    }

    async fn start_witness(&self) -> Result<()> {
        self.enter("start the witness")?;
        self.change(|model| model.array.is_witnessed = true);
        Ok(())
    }

    async fn stop_witness(&self) -> Result<()> {
        self.enter("stop the witness")?;
        self.change(|model| model.array.is_witnessed = false);
        Ok(())
    }

    async fn lose_unflushed(&self, nodes: &[String]) -> Result<()> {
        for node in nodes {
            let doing = format!("take the power of the disk of {node} away");
            let id = self.existing(&doing, node)?;
            self.change(|model| {
                model.note_fault(doing);
                model.stop_program(id);
            });
        }
        self.spend(&SNAPSHOT, 0).await;
        Ok(())
    }

    async fn marks(&self, node: &str) -> Result<Marks> {
        let id = self.at_rest(&format!("look for marks on the disk of {node}"), node)?;
        self.spend(&LOOK, id).await;
        Ok(Marks { flushed: true, unflushed: false })
    }

    async fn fill(&self, node: &str) -> Result<u64> {
        self.break_disk(&format!("fill the disk of {node}"), node).await?;
        Ok(EMPTY_BYTES)
    }

    async fn make_room(&self, node: &str) -> Result<()> {
        let id = self.existing(&format!("make room on the disk of {node}"), node)?;
        self.change(|model| {
            model.nodes[id].is_disk_broken = false;
            model.start_program(id);
        });
        self.spend(&LOOK, id).await;
        Ok(())
    }

    async fn fail_disk(&self, node: &str) -> Result<()> {
        self.break_disk(&format!("take the disk of {node} away"), node).await
    }

    async fn try_disk(&self, node: &str) -> Result<WriteAttempt> {
        let id = self.existing(&format!("try the disk of {node}"), node)?;
        self.spend(&LOOK, id).await;
        let is_broken = self.now().model.nodes[id].is_disk_broken;
        Ok(if is_broken { WriteAttempt::Refused("no room, or no disk".to_owned()) } else { WriteAttempt::Accepted })
    }
}

impl SimulatedWorld {
    /// A node that was made and does not run.
    fn at_rest(&self, doing: &str, node: &str) -> Result<NodeId> {
        self.enter(doing)?;
        let id = self.node(doing, node)?;
        if self.now().model.nodes[id].state == NodeState::Down {
            return Ok(id);
        }
        Err(WorldError::new(WorldErrorKind::Answered, doing, "the node still runs"))
    }

    fn must_have(&self, doing: &str, name: &str) -> Result<()> {
        let is_there = self.now().model.has_saved(name);
        let happened = format!("nothing was saved as {name}");
        if is_there { Ok(()) } else { Err(WorldError::new(WorldErrorKind::NotFound, doing, happened)) }
    }

    /// A node that runs although it has a disk in the array.
    fn running_with_disk(&self) -> Option<String> {
        let state = self.now();
        let names = state.model.shape.names.iter().enumerate();
        let runs = |node: NodeId| state.model.nodes[node].state != NodeState::Down;
        let mut with_disk = names.filter(|(node, name)| state.stock.has(&format!("disk of {name}")) && runs(*node));
        with_disk.next().map(|(_, name)| name.clone())
    }

    /// A server whose disk fails, or is full, can no longer commit, and ends.
    async fn break_disk(&self, doing: &str, node: &str) -> Result<()> {
        let id = self.existing(doing, node)?;
        self.take_effect(&SNAPSHOT, id, |model| {
            model.note_fault(doing.to_owned());
            model.nodes[id].is_disk_broken = true;
            model.stop_program(id);
        })
        .await;
        Ok(())
    }
}
