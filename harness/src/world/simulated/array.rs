//! The storage array of the model: what its disks held at the moments at which they were saved.
//!
//! Commits are durable at one instant, so a saved state is what the servers have at that instant. What is saved apart, a
//! disk at a time, may so come from several moments.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    model::Model,
    monitor::Sight,
    replication::{CommitId, Server},
    shape::NodeId,
};

/// What the array knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Array {
    saved: BTreeMap<String, SavedDisks>,
    /// Whether the witness writes.
    pub(super) is_witnessed: bool,
    /// The nodes that have a disk.
    disks: BTreeSet<NodeId>,
    /// What the witness had written where a disk was saved, by node.
    witness: BTreeMap<NodeId, u64>,
}

/// The disks of one moment.
#[derive(Debug, Clone)]
pub(super) struct SavedDisks {
    servers: Vec<Server>,
    sight: Sight,
    at_us: u64,
    is_witnessed: bool,
    disks: BTreeSet<NodeId>,
}

impl SavedDisks {
    /// The commits on them, and those that the monitor's store knows.
    pub(super) fn commits(&self) -> BTreeSet<CommitId> {
        self.servers.iter().flat_map(|server| server.log.iter().copied()).chain(self.sight.known()).collect()
    }

    /// The same disks, with other numbers for their commits.
    pub(super) fn renumbered(mut self, numbers: &BTreeMap<CommitId, CommitId>) -> Self {
        let number = |commit: &CommitId| numbers.get(commit).copied();
        for server in &mut self.servers {
            server.log = server.log.iter().filter_map(number).collect();
        }
        self.sight = self.sight.renumbered(number);
        self
    }
}

/// How often the witness writes on the next disk.
const WITNESS_EVERY_US: u64 = 10_000;

impl Model {
    /// Saves what all disks hold at this moment; gives how many commits that is.
    pub(super) fn save_disks(&mut self, name: &str) -> usize {
        let saved = SavedDisks {
            servers: self.servers.clone(),
            sight: self.sight.clone(),
            at_us: self.now_us,
            is_witnessed: self.array.is_witnessed,
            disks: self.array.disks.clone(),
        };
        self.array.saved.insert(name.to_owned(), saved);
        self.shape.cluster.iter().map(|node| self.servers[*node].log.len()).sum()
    }

    /// A node has a disk from now on.
    pub(super) fn add_disk(&mut self, node: NodeId) {
        self.array.disks.insert(node);
    }

    /// What was saved under a name.
    pub(super) fn saved(&self, name: &str) -> Option<&SavedDisks> {
        self.array.saved.get(name)
    }

    /// Has a saved state from elsewhere.
    pub(super) fn put_saved(&mut self, name: &str, saved: SavedDisks) {
        self.array.saved.insert(name.to_owned(), saved);
    }

    /// Whether there is a saved state of this name.
    pub(super) fn has_saved(&self, name: &str) -> bool {
        self.array.saved.contains_key(name)
    }

    /// Gives the disk of a node what it held when it was saved. The node is down.
    pub(super) fn load_disk(&mut self, node: NodeId, name: &str) -> Result<(), String> {
        let saved = self.array.saved.get(name).ok_or_else(|| format!("nothing was saved as {name}"))?.clone();
        let server = saved.servers.get(node).cloned().ok_or("it is not a node of this system")?;
        self.call_off(node);
        self.servers[node].resume(server);
        // One that had failed, or was full, has been replaced.
        self.nodes[node].is_disk_broken = false;
        if self.shape.databases.contains(&node) {
            self.sight = saved.sight;
        }
        if saved.is_witnessed {
            // The witness goes round: each disk in turn has the newest number.
            let newest = saved.at_us / WITNESS_EVERY_US;
            let disks = saved.disks.len().max(1) as u64;
            let place = saved.disks.iter().position(|disk| *disk == node).unwrap_or_default() as u64;
            self.array.witness.insert(node, newest.saturating_sub((newest + disks - place) % disks));
        }
        self.changed();
        Ok(())
    }

    /// What the witness wrote on the disk of a node that was loaded.
    pub(super) fn witness_of(&self, node: NodeId) -> Option<u64> {
        self.array.witness.get(&node).copied()
    }
}
