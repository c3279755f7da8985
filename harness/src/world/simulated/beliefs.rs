//! What the balancer believes about those behind it, and to whom it therefore sends.
//!
//! No check is run. When the health of a target changes, the moment at which the checks will have noticed is worked out
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

/// What is believed about one target.
#[derive(Debug, Clone)]
struct Target {
    node: NodeId,
    phase_us: u64,
    is_believed_up: bool,
    is_up: bool,
    change: u32,
}

/// What the balancer believes.
#[derive(Debug)]
pub(super) struct Beliefs {
    targets: Vec<Target>,
    next_application: usize,
    next_server: usize,
}

impl Beliefs {
    /// Before anything is started, nothing is believed to be up.
    pub(super) fn new(shape: &Shape, draws: &mut Draws) -> Self {
        let mut nodes = shape.cluster.clone();
        if shape.is_balanced() {
            nodes.extend(shape.applications.iter().filter(|node| **node != shape.front));
        }
        let target = |node: NodeId| {
            let phase_us = draws.draw(&PHASE, node);
            Target { node, phase_us, is_believed_up: false, is_up: false, change: 0 }
        };
        Self { targets: nodes.into_iter().map(target).collect(), next_application: 0, next_server: 0 }
    }

    fn is_believed_up(&self, node: NodeId) -> bool {
        // What is not checked is what clients reach directly.
        self.targets.iter().find(|target| target.node == node).is_none_or(|target| target.is_believed_up)
    }
}

impl Model {
    /// The applications that are believed to be up.
    pub(super) fn believed_applications(&self) -> Vec<NodeId> {
        self.shape.applications.iter().copied().filter(|node| self.beliefs.is_believed_up(*node)).collect()
    }

    /// The servers that are believed to be writable.
    pub(super) fn believed_servers(&self) -> Vec<NodeId> {
        self.shape.cluster.iter().copied().filter(|node| self.beliefs.is_believed_up(*node)).collect()
    }

    /// The next application in turn, other than the one that was tried in vain.
    pub(super) fn pick_application(&mut self, tried: Option<NodeId>) -> Option<NodeId> {
        let mut believed = self.believed_applications();
        believed.retain(|node| Some(*node) != tried);
        let turn = self.beliefs.next_application;
        self.beliefs.next_application += 1;
        believed.get(turn % believed.len().max(1)).copied()
    }

    /// The next server in turn: one, as long as only one claims to be writable.
    pub(super) fn pick_server(&mut self) -> Option<NodeId> {
        let believed = self.believed_servers();
        let turn = self.beliefs.next_server;
        self.beliefs.next_server += 1;
        believed.get(turn % believed.len().max(1)).copied()
    }

    /// Works out when the checks will have noticed what has changed.
    pub(super) fn review_beliefs(&mut self) {
        for index in 0..self.beliefs.targets.len() {
            let node = self.beliefs.targets[index].node;
            let is_up = self.passes_check(node);
            let now_us = self.now_us;
            let target = &mut self.beliefs.targets[index];
            if is_up == target.is_up {
                continue;
            }
            target.is_up = is_up;
            target.change += 1;
            if is_up != target.is_believed_up {
                let (phase_us, change) = (target.phase_us, target.change);
                let at_us = self.noticed_us(now_us, phase_us, node, is_up);
                self.schedule(at_us, Event::Checked { target: node, change });
            }
        }
    }

    /// Two failed checks take a target out, one good one puts it back.
    fn noticed_us(&self, now_us: u64, phase_us: u64, node: NodeId, is_up: bool) -> u64 {
        let first_us = now_us + INTERVAL_US - (now_us + INTERVAL_US - phase_us) % INTERVAL_US;
        let is_silent = self.is_frozen(node) || !self.is_open(self.shape.front, node);
        let takes_us = if is_silent { TIMEOUT_US } else { ANSWER_US };
        if is_up { first_us + ANSWER_US } else { first_us + takes_us + FAST_INTERVAL_US + takes_us }
    }

    fn passes_check(&self, node: NodeId) -> bool {
        let is_good = if self.shape.cluster.contains(&node) { self.is_writable(node) } else { self.serves(node) };
        is_good && self.is_open(self.shape.front, node)
    }

    /// The checks have made up their mind.
    pub(super) fn checked(&mut self, node: NodeId, change: u32) {
        let found = self.beliefs.targets.iter_mut().find(|target| target.node == node && target.change == change);
        if let Some(target) = found {
            target.is_believed_up = target.is_up;
            self.note_availability();
        }
    }

    /// A balancer that has just started has checked everything once.
    pub(super) fn believe_what_is(&mut self) {
        self.review_beliefs();
        for target in &mut self.beliefs.targets {
            target.is_believed_up = target.is_up;
            target.change += 1;
        }
    }
}
