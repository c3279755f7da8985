//! The storage array: one disk for each node with data, all of them in one consistency group.
//!
//! What a storage array does for a system is done to its disks as a whole, beside the nodes: an atomic snapshot of the
//! group, a copy of disks at rest, replication to a remote pool. And what befalls storage is done there too: power loss,
//! a full disk, a disk that is gone.

use async_trait::async_trait;

use super::{Result, WriteAttempt};

/// How large an array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArraySpec {
    /// What its pool can hold, in bytes.
    pub pool_bytes: u64,
    /// What each disk can hold, in bytes.
    pub disk_bytes: u64,
    /// What the pool at the remote site can hold, in bytes, where there is one.
    pub remote_bytes: Option<u64>,
}

/// In which pool something lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// In the one with the disks.
    Local,
    /// At the remote site.
    Remote,
}

/// A saved state of disks: a snapshot, or a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its name within the run.
    pub name: String,
    /// Where it lies.
    pub pool: Pool,
}

/// What a look at a disk at rest found, before any node has used it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskState {
    /// Whether its file system is sound once its log has been replayed.
    pub is_sound: bool,
    /// What its file system's check said.
    pub detail: String,
    /// The last number that the witness wrote on it; none where no witness wrote.
    pub witness: Option<u64>,
}

/// What is left of two marks that were put on a disk just before its power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// The one that had been flushed.
    pub flushed: bool,
    /// The one that had not.
    pub unflushed: bool,
}

/// What an array does. Names are the run's own; an array that lacks the room says so, and leaves nothing half-made.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Takes a snapshot of every disk of this environment, at one moment. Gives the bytes that it holds.
    async fn snapshot(&self, name: &str) -> Result<u64>;
    /// Copies every disk of this environment, byte for byte; their nodes must be down. Gives the bytes that were copied.
    async fn copy_disks(&self, name: &str) -> Result<u64>;
    /// Sends a snapshot to the remote pool, where a base is there already only what has changed since. Gives the bytes sent.
    async fn replicate(&self, name: &str, base: Option<&str>) -> Result<u64>;
    /// Puts the disk of a node that is down back to a saved state.
    async fn revert(&self, node: &str, saved: &Saved) -> Result<()>;
    /// Looks at the disk of a node that is down.
    async fn inspect(&self, node: &str) -> Result<DiskState>;
    /// Begins to write a rising number to the disks of this environment in turn, each flushed before the next is written. So
    /// the numbers in a state of one moment follow each other without a gap. Returns once every disk has its first one.
    async fn start_witness(&self) -> Result<()>;
    /// Ends that.
    async fn stop_witness(&self) -> Result<()>;
    /// Marks the disks of these nodes, one mark flushed and one not, and takes their power away at once: what was not flushed is
    /// lost. Their nodes read and write nothing any more, until they have been down.
    async fn lose_unflushed(&self, nodes: &[String]) -> Result<()>;
    /// What is left of the marks on the disk of a node that is down. Removes them.
    async fn marks(&self, node: &str) -> Result<Marks>;
    /// Fills a disk to its end. Gives the bytes that it took.
    async fn fill(&self, node: &str) -> Result<u64>;
    /// Makes room again on a disk that was filled.
    async fn make_room(&self, node: &str) -> Result<()>;
    /// Takes a disk away under its node: from now on, everything fails that reads or writes it.
    async fn fail_disk(&self, node: &str) -> Result<()>;
    /// Tries to write and flush a few kilobytes on a disk; they are removed again.
    async fn try_disk(&self, node: &str) -> Result<WriteAttempt>;
}
