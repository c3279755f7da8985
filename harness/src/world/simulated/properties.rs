//! What the model knows of its own properties, in place of the checks that only a real system could answer.

use super::{model::Model, replication::Stance, shape::NodeId};
use crate::{scenario::system::Property, world::ModelAnswer};

impl Model {
    /// The writable server with the newest timeline.
    pub(super) fn writer(&self) -> Option<NodeId> {
        self.survivor().filter(|node| self.is_writable(*node))
    }

    /// What the model knows about a property.
    pub(super) fn answer(&mut self, property: Property) -> ModelAnswer {
        let (deviations, detail) = match property {
            Property::DatabaseServes => self.database_serves(),
            Property::OneWriter => self.one_writer(),
            Property::ApplicationServes => self.application_serves(),
            Property::InstancesLegal => self.instances_legal(),
            Property::StoresAgree => self.stores_agree(),
            Property::WorkCompletes => self.work_completes(),
            Property::WorkVisible => self.work_visible(),
        };
        ModelAnswer { deviations, detail }
    }

    fn named(&self, nodes: &[NodeId]) -> String {
        let names: Vec<&str> = nodes.iter().map(|node| self.shape.name(*node)).collect();
        if names.is_empty() { "none".into() } else { names.join(", ") }
    }

    /// A writer, every standby that runs, and every database beside the cluster.
    fn database_serves(&self) -> (u64, String) {
        let mut silent: Vec<NodeId> = self.shape.databases.iter().copied().filter(|node| !self.serves(*node)).collect();
        let is_astray = |node: &NodeId| {
            let is_standby = matches!(self.servers[*node].stance, Stance::Follower(_));
            self.serves(*node) && is_standby && self.flowing_from(*node).is_none()
        };
        silent.extend(self.shape.cluster.iter().copied().filter(is_astray));
        let writer = self.writer();
        let without_writer = u64::from(writer.is_none());
        let detail = format!("writer: {}; astray or silent: {}", self.named(writer.as_slice()), self.named(&silent));
        (silent.len() as u64 + without_writer, detail)
    }

    fn one_writer(&self) -> (u64, String) {
        let writable: Vec<NodeId> = self.shape.cluster.iter().copied().filter(|node| self.is_writable(*node)).collect();
        ((writable.len() as u64).abs_diff(1), format!("writable: {}", self.named(&writable)))
    }

    /// Nodes on which a fault is still in place are passed over, and said to be.
    fn application_serves(&self) -> (u64, String) {
        let front = self.shape.front;
        let is_left = |node: &NodeId| self.serves(*node) && self.is_open(front, *node);
        let (left, passed): (Vec<NodeId>, Vec<NodeId>) = self.shape.applications.iter().partition(|node| is_left(node));
        let in_rotation = self.applications_in_rotation();
        let unused: Vec<NodeId> = left.iter().copied().filter(|node| !in_rotation.contains(node)).collect();
        let without_any = u64::from(left.is_empty() || !self.serves(front));
        let detail = format!(
            "serve: {}; unused: {}; passed over: {}",
            self.named(&left),
            self.named(&unused),
            self.named(&passed)
        );
        (unused.len() as u64 + without_any, detail)
    }

    /// An instance is made by one commit, whole or not at all, so a server's log cannot hold half of one.
    fn instances_legal(&self) -> (u64, String) {
        match self.writer() {
            Some(writer) => (0, format!("{} instances, each made by one commit", self.servers[writer].log.len())),
            None => (1, "no server to look at takes writes".into()),
        }
    }

    fn stores_agree(&mut self) -> (u64, String) {
        if self.shape.monitor.is_none() {
            return (0, "the system has no monitor".into());
        }
        let Some(writer) = self.writer() else { return (1, "no server to compare with takes writes".into()) };
        let (missing, surplus) = self.disagreement(writer);
        (missing + surplus, format!("not seen by the monitor: {missing}; seen, and not there any more: {surplus}"))
    }

    fn work_completes(&self) -> (u64, String) {
        let share = self.failing_share();
        (u64::from(share >= 1.0), format!("{:.0}% of requests would be served", (1.0 - share) * 100.0))
    }

    fn work_visible(&self) -> (u64, String) {
        let is_seen = self.shape.monitor.is_none() || self.writer().is_some_and(|writer| self.is_watching(writer));
        let (deviations, served) = self.work_completes();
        let seen = if is_seen { "the monitor watches the writer" } else { "the monitor watches no writer" };
        (deviations.max(u64::from(!is_seen)), format!("{served}; {seen}"))
    }
}
