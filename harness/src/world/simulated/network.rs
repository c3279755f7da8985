//! The network between nodes: who refuses whom, and which links carry little.

use std::collections::BTreeMap;

use super::{model::Model, shape::NodeId};

/// Partitions and limits. A healthy network has neither.
#[derive(Debug, Default)]
pub(super) struct Network {
    /// Receiver and sender, and by how many partitions.
    refusals: BTreeMap<(NodeId, NodeId), u32>,
    /// Sender and receiver, to bits per second.
    limits: BTreeMap<(NodeId, NodeId), u64>,
    /// Sender and receiver, to the bytes that a limit has held back so far.
    held_bytes: BTreeMap<(NodeId, NodeId), u64>,
}

impl Network {
    /// Whether packets get from one node to another.
    pub(super) fn carries(&self, from: NodeId, to: NodeId) -> bool {
        !self.refusals.contains_key(&(to, from))
    }

    /// Whether anything is refused at all.
    pub(super) fn is_whole(&self) -> bool {
        self.refusals.is_empty()
    }

    /// How long a link takes for so many bytes beyond what a free one takes.
    pub(super) fn slowness_us(&self, from: NodeId, to: NodeId, bytes: u64) -> u64 {
        self.limits.get(&(from, to)).map_or(0, |bits| bytes * 8 * 1_000_000 / bits.max(&1))
    }

    /// Notes bytes that had to wait at a limit.
    pub(super) fn hold_back(&mut self, from: NodeId, to: NodeId, bytes: u64) {
        if self.limits.contains_key(&(from, to)) {
            *self.held_bytes.entry((from, to)).or_default() += bytes;
        }
    }
}

impl Model {
    /// Whether two nodes can hold a connection: packets get through both ways.
    pub(super) fn is_open(&self, one: NodeId, other: NodeId) -> bool {
        self.network.is_whole() || (self.network.carries(one, other) && self.network.carries(other, one))
    }

    /// A node refuses others from now on.
    pub(super) fn refuse(&mut self, node: NodeId, senders: &[NodeId]) {
        for sender in senders {
            *self.network.refusals.entry((node, *sender)).or_default() += 1;
        }
        self.changed();
    }

    /// A node accepts others again, as far as no other partition refuses them.
    pub(super) fn accept(&mut self, node: NodeId, senders: &[NodeId]) {
        for sender in senders {
            let pair = (node, *sender);
            if let Some(partitions) = self.network.refusals.get_mut(&pair) {
                *partitions -= 1;
                if *partitions == 0 {
                    self.network.refusals.remove(&pair);
                }
            }
        }
        self.changed();
    }

    /// A link carries so many bits per second from now on, or, without a limit, as much as it likes.
    pub(super) fn limit(&mut self, from: NodeId, to: NodeId, bits_per_second: Option<u64>) {
        match bits_per_second {
            Some(bits) => self.network.limits.insert((from, to), bits),
            None => self.network.limits.remove(&(from, to)),
        };
        self.call_off(to);
        self.changed();
    }

    /// What a limited link holds back now, and has held back so far.
    pub(super) fn held_back_bytes(&self, from: NodeId, to: NodeId) -> u64 {
        let so_far = self.network.held_bytes.get(&(from, to)).copied().unwrap_or_default();
        if self.network.limits.contains_key(&(from, to)) { so_far + self.backlog_bytes(from, to) } else { so_far }
    }
}
