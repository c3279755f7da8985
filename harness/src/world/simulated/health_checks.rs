//! The health checks of the balancer, and the nodes to which it therefore sends.
//!
//! No check is carried out. When the health of a target changes, the moment at which the checks will have noticed is worked out
//! from their interval and phase; if the health changes back before, that moment is void.

use super::{
    draws::{Draws, PHASE},
    model::{Event, Model},
    shape::{NodeId, Shape},
};

/// From one check to the next while nothing is wrong.
pub(super) const INTERVAL_US: u64 = 200_000;
/// From one check to the next while something is wrong.
const FAST_INTERVAL_US: u64 = 100_000;
/// How long a check waits for an answer.
const TIMEOUT_US: u64 = 200_000;
/// What a check takes that is answered.
const ANSWER_US: u64 = 1_000;

/// One target of the balancer.
#[derive(Debug, Clone)]
struct Target {
    node: NodeId,
    phase_us: u64,
    is_in_rotation: bool,
    is_up: bool,
    change: u32,
}

/// What the health checks have found, and whose turn is next.
#[derive(Debug)]
pub(super) struct HealthChecks {
    targets: Vec<Target>,
    next_application: usize,
    next_server: usize,
}

impl HealthChecks {
    /// Before anything is started, nothing is in rotation.
    pub(super) fn new(shape: &Shape, draws: &mut Draws) -> Self {
        let mut nodes = shape.cluster.clone();
        if shape.is_balanced() {
            nodes.extend(shape.applications.iter().filter(|node| **node != shape.front));
        }
        let target = |node: NodeId| {
            let phase_us = draws.draw(&PHASE, node);
            Target { node, phase_us, is_in_rotation: false, is_up: false, change: 0 }
        };
        Self { targets: nodes.into_iter().map(target).collect(), next_application: 0, next_server: 0 }
    }

    fn is_in_rotation(&self, node: NodeId) -> bool {
        // What is not checked is what clients reach directly.
        self.targets.iter().find(|target| target.node == node).is_none_or(|target| target.is_in_rotation)
    }
}

impl Model {
    pub(super) fn applications_in_rotation(&self) -> Vec<NodeId> {
        self.shape.applications.iter().copied().filter(|node| self.health_checks.is_in_rotation(*node)).collect()
    }

    /// The servers that are in rotation as writable.
    pub(super) fn servers_in_rotation(&self) -> Vec<NodeId> {
        self.shape.cluster.iter().copied().filter(|node| self.health_checks.is_in_rotation(*node)).collect()
    }

    /// The next application in turn, other than the one that was tried in vain.
    pub(super) fn pick_application(&mut self, tried: Option<NodeId>) -> Option<NodeId> {
        let mut in_rotation = self.applications_in_rotation();
        in_rotation.retain(|node| Some(*node) != tried);
        let turn = self.health_checks.next_application;
        self.health_checks.next_application += 1;
        in_rotation.get(turn % in_rotation.len().max(1)).copied()
    }

    /// The next server in turn: one, as long as only one claims to be writable.
    pub(super) fn pick_server(&mut self) -> Option<NodeId> {
        let in_rotation = self.servers_in_rotation();
        let turn = self.health_checks.next_server;
        self.health_checks.next_server += 1;
        in_rotation.get(turn % in_rotation.len().max(1)).copied()
    }

    /// Works out when the checks will have noticed what has changed.
    pub(super) fn review_health(&mut self) {
        for index in 0..self.health_checks.targets.len() {
            let node = self.health_checks.targets[index].node;
            let is_up = self.passes_check(node);
            let now_us = self.now_us;
            let target = &mut self.health_checks.targets[index];
            if is_up == target.is_up {
                continue;
            }
            target.is_up = is_up;
            target.change += 1;
            if is_up != target.is_in_rotation {
                let (phase_us, change) = (target.phase_us, target.change);
                let at_us = self.noticed_us(now_us, phase_us, node, is_up);
                self.schedule(at_us, Event::Checked { target: node, change });
            }
        }
    }

    /// Two failed checks take a target out, one good one puts it back.
    fn noticed_us(&self, now_us: u64, phase_us: u64, node: NodeId, is_up: bool) -> u64 {
        let first_us = now_us + INTERVAL_US - (now_us + INTERVAL_US - phase_us) % INTERVAL_US;
        let is_silent = self.is_paused(node) || !self.is_open(self.shape.front, node);
        let takes_us = if is_silent { TIMEOUT_US } else { ANSWER_US };
        if is_up { first_us + ANSWER_US } else { first_us + takes_us + FAST_INTERVAL_US + takes_us }
    }

    fn passes_check(&self, node: NodeId) -> bool {
        let is_good = if self.shape.cluster.contains(&node) { self.is_writable(node) } else { self.serves(node) };
        is_good && self.is_open(self.shape.front, node)
    }

    /// The checks have noticed a change.
    pub(super) fn checked(&mut self, node: NodeId, change: u32) {
        let found = self.health_checks.targets.iter_mut().find(|target| target.node == node && target.change == change);
        if let Some(target) = found {
            target.is_in_rotation = target.is_up;
            self.note_availability();
        }
    }

    /// A balancer that has just started has checked everything once.
    pub(super) fn check_all_at_once(&mut self) {
        self.review_health();
        for target in &mut self.health_checks.targets {
            target.is_in_rotation = target.is_up;
            target.change += 1;
        }
    }
}
