//! The model: its state, and the queue of what is due.
//!
//! Nothing ticks. Whoever looks at the model or changes it first lets everything happen that was due until then, each
//! thing at its own microsecond; between two looks, the model is a queue at rest.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    array::Array,
    draws::{Draws, Purpose},
    flight::{Flight, FlightId},
    health_checks::HealthChecks,
    monitor::Sight,
    network::Network,
    nodes::Node,
    replication::{Server, WrittenCommit},
    repository::Repository,
    shape::{NodeId, Shape},
    truth::Availability,
};

/// What happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A request gets to its next place.
    Step(FlightId),
    /// A commit reaches a standby.
    Deliver {
        /// The standby.
        to: NodeId,
        /// Which attempt: an earlier one that was called off is void.
        attempt: u32,
    },
    /// A node that was started is ready.
    Ready { node: NodeId, boot: u32 },
    /// A health check has made up its mind.
    Checked {
        /// What it checks.
        target: NodeId,
        /// Which change of health it answers.
        change: u32,
    },
    /// The monitor comes to see a commit.
    Sighted {
        /// Where it was committed.
        server: NodeId,
        /// How many commits that server then had.
        position: usize,
    },
}

/// The simulated world's state.
pub(super) struct Model {
    pub(super) now_us: u64,
    pub(super) shape: Shape,
    pub(super) draws: Draws,
    pub(super) nodes: Vec<Node>,
    pub(super) network: Network,
    pub(super) servers: Vec<Server>,
    pub(super) commits: Vec<WrittenCommit>,
    pub(super) health_checks: HealthChecks,
    pub(super) flights: Vec<Flight>,
    pub(super) held: Vec<FlightId>,
    pub(super) sight: Sight,
    pub(super) availability: Availability,
    pub(super) is_guarded: bool,
    pub(super) repository: Repository,
    pub(super) array: Array,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    scheduled: u64,
    boots_us: Vec<u64>,
}

impl Model {
    /// A model at rest: no node is made yet.
    pub(super) fn new(shape: Shape, seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let health_checks = HealthChecks::new(&shape, &mut draws);
        let servers = (0..shape.names.len()).map(|node| Server::new(&shape, node)).collect();
        Self {
            now_us: 0,
            draws,
            nodes: vec![Node::default(); shape.names.len()],
            network: Network::default(),
            servers,
            commits: Vec::new(),
            health_checks,
            flights: Vec::new(),
            held: Vec::new(),
            sight: Sight::default(),
            availability: Availability::default(),
            is_guarded: true,
            repository: Repository::default(),
            array: Array::default(),
            queue: BinaryHeap::new(),
            scheduled: 0,
            boots_us: Vec::new(),
            shape,
        }
    }

    /// Lets everything happen that is due until now.
    pub(super) fn advance(&mut self, now_us: u64) {
        while let Some(Reverse((at_us, _, event))) = self.queue.peek().copied() {
            if at_us > now_us {
                break;
            }
            self.queue.pop();
            self.now_us = self.now_us.max(at_us);
            self.happen(event);
        }
        self.now_us = self.now_us.max(now_us);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step(flight) => self.step(flight),
            Event::Deliver { to, attempt } => self.deliver(to, attempt),
            Event::Ready { node, boot } => self.ready(node, boot),
            Event::Checked { target, change } => self.checked(target, change),
            Event::Sighted { server, position } => self.sighted(server, position),
        }
    }

    /// Lets an event happen at a time.
    pub(super) fn schedule(&mut self, at_us: u64, event: Event) {
        if matches!(event, Event::Ready { .. }) {
            self.boots_us.push(at_us);
        }
        self.scheduled += 1;
        self.queue.push(Reverse((at_us, self.scheduled, event)));
    }

    /// When the next node gets ready: whoever hangs must look again then.
    pub(super) fn next_boot_us(&mut self) -> Option<u64> {
        let now_us = self.now_us;
        self.boots_us.retain(|at_us| *at_us > now_us);
        self.boots_us.iter().min().copied()
    }

    /// Draws a duration.
    pub(super) fn draw(&mut self, purpose: &Purpose, node: NodeId) -> u64 {
        self.draws.draw(purpose, node)
    }

    /// To be called after every change of a node, a link or a server: everything that follows from it.
    pub(super) fn changed(&mut self) {
        self.review_links();
        self.confirm_waiting();
        self.review_health();
        self.wake_held();
        self.note_availability();
    }
}
