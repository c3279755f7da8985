//! What operations do to the modelled cluster.

use super::{
    draws::{PROMOTE, Purpose, REJOIN, SETTING},
    model::Model,
    replication::Stance,
    shape::NodeId,
};
use crate::scenario::system::ClusterChange;

/// How long an operation takes.
pub(super) const fn takes(operation: ClusterChange) -> &'static Purpose {
    match operation {
        ClusterChange::Promote => &PROMOTE,
        ClusterChange::Rejoin => &REJOIN,
        ClusterChange::Fence
        | ClusterChange::Unfence
        | ClusterChange::Release
        | ClusterChange::Require
        | ClusterChange::Reconcile => &SETTING,
    }
}

/// What an operation said, or why it failed.
pub(super) type Said = Result<String, String>;

impl Model {
    /// What an operation does at its beginning: `rejoin` takes the server down.
    pub(super) fn begin(&mut self, operation: ClusterChange, node: NodeId) {
        if operation == ClusterChange::Rejoin {
            self.stop_program(node);
        }
    }

    /// What an operation does at its end. `names` are the nodes that its command names.
    pub(super) fn end(&mut self, operation: ClusterChange, node: NodeId, names: &[NodeId]) -> Said {
        let said = match operation {
            ClusterChange::Promote => self.promote(node),
            ClusterChange::Fence => Ok(self.fence(node)),
            ClusterChange::Unfence => Ok(self.unfence(node)),
            ClusterChange::Release => self.wait_for(node, &[]),
            ClusterChange::Require => self.wait_for(node, names),
            ClusterChange::Rejoin => self.rejoin(node, names),
            ClusterChange::Reconcile => self.tell_monitor(),
        };
        self.changed();
        said
    }

    fn promote(&mut self, node: NodeId) -> Said {
        if !self.serves(node) {
            return Err("the server does not answer".into());
        }
        if self.servers[node].is_fenced {
            return Err("fenced; unfence it first".into());
        }
        if self.servers[node].stance == Stance::Writer {
            return Err("is already a primary".into());
        }
        let now_us = self.now_us;
        self.call_off(node);
        let server = &mut self.servers[node];
        server.stance = Stance::Writer;
        server.timeline += 1;
        server.writes_since_us = now_us;
        server.waits_for.clear();
        Ok(format!("timeline {}", server.timeline))
    }

    fn fence(&mut self, node: NodeId) -> String {
        self.servers[node].is_fenced = true;
        self.break_waiting(node);
        "fenced".into()
    }

    fn unfence(&mut self, node: NodeId) -> String {
        self.servers[node].is_fenced = false;
        "open to applications".into()
    }

    fn wait_for(&mut self, node: NodeId, standbys: &[NodeId]) -> Said {
        if !self.serves(node) {
            return Err("the server does not answer".into());
        }
        self.servers[node].waits_for = standbys.iter().copied().filter(|standby| *standby != node).collect();
        let names: Vec<&str> = standbys.iter().map(|standby| self.shape.name(*standby)).collect();
        Ok(format!("waits for the first of [{}]", names.join(", ")))
    }

    fn rejoin(&mut self, node: NodeId, names: &[NodeId]) -> Said {
        let primary = names.iter().copied().find(|name| *name != node);
        let primary = primary.ok_or("the new primary's name expected")?;
        let is_usable = self.is_writable(primary) && self.is_open(node, primary);
        if is_usable {
            self.copy(primary, node);
        }
        self.servers[node].is_empty = false;
        self.nodes[node].is_ready = true;
        is_usable.then(|| "streams".to_owned()).ok_or_else(|| "the new primary is not a writable primary".to_owned())
    }

    fn tell_monitor(&mut self) -> Said {
        if self.reconcile() { Ok("reconciled".into()) } else { Err("the monitor reaches no writer".into()) }
    }
}
