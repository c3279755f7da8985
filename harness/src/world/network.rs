//! The port of the network between nodes: partitions, limits, impairments, and what gets through.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;

use super::{Result, WaysOut};
use crate::scenario::units::Bandwidth;

/// What a link does to packets, each by chance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Impairment {
    /// The share that is lost, from 0 to 1.
    pub loss: f64,
    /// The share that arrives twice, from 0 to 1.
    pub duplication: f64,
    /// How much later each arrives.
    pub latency: Duration,
    /// By how much that varies.
    pub jitter: Duration,
}

/// What became of packets on an impaired link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packets {
    /// Those that were lost.
    pub lost: u64,
    /// Those that were sent twice.
    pub doubled: u64,
    /// Those that were held up.
    pub delayed: u64,
}

/// The network between nodes.
#[async_trait]
pub trait Network: Send + Sync {
    /// Puts a partition in place, all of it at once for each helper: node to the nodes that it refuses.
    async fn refuse(&self, refuses: &BTreeMap<String, Vec<String>>) -> Result<()>;
    /// Ends a partition.
    async fn accept(&self, refuses: &BTreeMap<String, Vec<String>>) -> Result<()>;
    /// Limits a link in one direction.
    async fn limit(&self, from: &str, to: &str, bandwidth: Bandwidth) -> Result<()>;
    /// Ends a limit.
    async fn unlimit(&self, from: &str, to: &str) -> Result<()>;
    /// Whether packets get from one node, which must have a helper, to another and back.
    async fn reaches(&self, from: &str, to: &str) -> Result<bool>;
    /// Bytes that a limited link holds back at this moment or has turned away so far.
    async fn held_back(&self, from: &str, to: &str) -> Result<u64>;
    /// Has a link lose, double or delay packets in one direction; nothing ends that. Both nodes must have helpers.
    async fn impair(&self, from: &str, to: &str, impairment: Option<Impairment>) -> Result<()>;
    /// The packets that an impaired link has lost, doubled and delayed so far.
    async fn impaired(&self, from: &str, to: &str) -> Result<Packets>;
    /// Tries every way out of the networks of the run from a node, which must have a helper.
    async fn ways_out(&self, from: &str) -> Result<WaysOut>;
}
