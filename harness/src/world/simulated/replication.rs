//! The servers: their logs, who follows whom, which commits wait for a standby, and timelines.
//!
//! A log is a list of commits. A standby's log is the beginning of its upstream's; promotion starts a timeline of its
//! own, and what only the former primary has stays there, stranded, until it rejoins.

use std::collections::VecDeque;

use super::{
    draws::{ANSWER, BYTES, LAG, REFUSAL},
    flight::{FlightId, Stage},
    model::{Event, Model},
    shape::{NodeId, Shape},
};
use crate::world::NodeState;

/// A commit, by its place in the order of commits of the whole run.
pub(super) type CommitId = usize;

/// A commit as it was made.
#[derive(Debug, Clone)]
pub(super) struct WrittenCommit {
    /// The request that made it.
    pub(super) flight: FlightId,
    /// When it became durable on its server.
    pub(super) instant_us: u64,
    /// Where.
    pub(super) server: NodeId,
    /// What it weighs.
    pub(super) bytes: u64,
}

/// What a server is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    /// It takes writes.
    Writer,
    /// It follows another.
    Follower(NodeId),
}

/// A server. Nodes that are no databases have one too, which nobody asks.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Whether it takes writes or follows.
    pub(super) stance: Stance,
    /// Its commits, in order.
    pub(super) log: Vec<CommitId>,
    pub(super) timeline: u32,
    /// When it began to take writes.
    pub(super) writes_since_us: u64,
    /// Whether applications are locked out.
    pub(super) is_fenced: bool,
    /// Whether there is nothing in it.
    pub(super) is_empty: bool,
    /// Whether a bad change is in its data.
    pub(super) is_damaged: bool,
    /// The standbys of which it waits for the first that is attached.
    pub(super) waits_for: Vec<NodeId>,
    /// The requests whose commits wait for a standby, in the order of their commits.
    pub(super) waiting: VecDeque<FlightId>,
    delivery_us: Option<u64>,
    attempt: u32,
    wire_free_us: u64,
}

impl Server {
    /// The server of a node, not yet started.
    pub(super) fn new(shape: &Shape, node: NodeId) -> Self {
        Self {
            stance: shape.upstream.get(&node).map_or(Stance::Writer, |of| Stance::Follower(*of)),
            log: Vec::new(),
            timeline: 1,
            writes_since_us: 0,
            is_fenced: false,
            is_empty: true,
            is_damaged: false,
            waits_for: shape.waits_for.get(&node).cloned().unwrap_or_default(),
            waiting: VecDeque::new(),
            delivery_us: None,
            attempt: 0,
            wire_free_us: 0,
        }
    }

    /// Takes up what a server had on its disk; what was under way then is not.
    pub(super) fn resume(&mut self, saved: Self) {
        let attempt = self.attempt + 1;
        *self = Self { waiting: VecDeque::new(), delivery_us: None, attempt, wire_free_us: 0, ..saved };
    }
}

impl Model {
    /// Whether an application could write to a server.
    pub(super) fn is_writable(&self, node: NodeId) -> bool {
        self.serves(node) && self.servers[node].stance == Stance::Writer && !self.servers[node].is_fenced
    }

    /// The standbys that follow a server.
    pub(super) fn followers(&self, node: NodeId) -> Vec<NodeId> {
        (0..self.servers.len()).filter(|other| self.servers[*other].stance == Stance::Follower(node)).collect()
    }

    /// The upstream of a standby, if commits flow from it.
    pub(super) fn flowing_from(&self, to: NodeId) -> Option<NodeId> {
        let Stance::Follower(from) = self.servers[to].stance else { return None };
        let is_up = self.serves(to) && self.serves(from) && self.is_open(from, to);
        (is_up && self.descends(to, from)).then_some(from)
    }

    /// Whether a log is the beginning of another. A commit enters a log once, behind all that came before it, so the
    /// last one tells for all.
    fn descends(&self, to: NodeId, from: NodeId) -> bool {
        let (to, from) = (&self.servers[to].log, &self.servers[from].log);
        to.last().is_none_or(|last| from.get(to.len() - 1) == Some(last))
    }

    /// A request commits on a server; it is answered at once, or when a standby has confirmed.
    pub(super) fn commit(&mut self, flight: FlightId, server: NodeId) {
        let bytes = self.draw(&BYTES, server);
        let commit = self.commits.len();
        self.commits.push(WrittenCommit { flight, instant_us: self.now_us, server, bytes });
        self.servers[server].log.push(commit);
        self.flights[flight].position = self.servers[server].log.len();
        self.flights[flight].stage = Stage::Waiting;
        self.servers[server].waiting.push_back(flight);
        self.expect_sight(server);
        for standby in self.followers(server) {
            self.send_next(standby);
        }
        self.confirm(server);
    }

    /// How many commits of a server are confirmed, as far as it waits for a standby at all. One that is paused or partitioned
    /// off still counts as attached: nobody told the server that it is gone.
    fn confirmed(&self, server: NodeId) -> usize {
        let mut attached = self.servers[server].waits_for.iter().filter(|standby| self.is_attached(**standby, server));
        match attached.next() {
            Some(standby) if self.descends(*standby, server) => self.servers[*standby].log.len(),
            Some(_) => 0,
            None if self.servers[server].waits_for.is_empty() => usize::MAX,
            None => 0,
        }
    }

    fn is_attached(&self, standby: NodeId, server: NodeId) -> bool {
        let node = &self.nodes[standby];
        self.servers[standby].stance == Stance::Follower(server) && node.state != NodeState::Down && node.is_ready
    }

    /// Whether a commit on a server would be acknowledged as things stand.
    pub(super) fn acknowledges(&self, server: NodeId) -> bool {
        let waits_for = &self.servers[server].waits_for;
        let attached = waits_for.iter().find(|standby| self.is_attached(**standby, server));
        waits_for.is_empty() || attached.is_some_and(|standby| self.flowing_from(*standby) == Some(server))
    }

    /// Lets the commits go on whose standby has confirmed.
    fn confirm(&mut self, server: NodeId) {
        if self.servers[server].waiting.is_empty() || !self.serves(server) {
            return;
        }
        let confirmed = self.confirmed(server);
        while let Some(flight) = self.servers[server].waiting.front().copied() {
            if self.flights[flight].position > confirmed {
                break;
            }
            self.servers[server].waiting.pop_front();
            self.flights[flight].stage = Stage::Answering;
            let after_us = self.draw(&ANSWER, server);
            self.step_after(flight, after_us);
        }
    }

    /// Looks at the commits that wait, everywhere.
    pub(super) fn confirm_waiting(&mut self) {
        for server in 0..self.servers.len() {
            self.confirm(server);
        }
    }

    /// The commits that wait on a server are given up by their sessions, and stay.
    pub(super) fn break_waiting(&mut self, server: NodeId) {
        for flight in std::mem::take(&mut self.servers[server].waiting) {
            self.flights[flight].is_broken = true;
            self.flights[flight].stage = Stage::Answering;
            let after_us = self.draw(&REFUSAL, server);
            self.step_after(flight, after_us);
        }
    }

    /// Sends a standby the next commit that it lacks, if commits flow and none is on its way.
    fn send_next(&mut self, to: NodeId) {
        let Some(from) = self.flowing_from(to) else { return };
        let Some(commit) = self.servers[from].log.get(self.servers[to].log.len()).copied() else { return };
        if self.servers[to].delivery_us.is_some() {
            return;
        }
        let WrittenCommit { instant_us, bytes, .. } = self.commits[commit];
        let sent_us = instant_us.max(self.servers[to].wire_free_us) + self.network.slowness_us(from, to, bytes);
        let at_us = self.now_us.max(sent_us + self.draw(&LAG, to));
        self.network.hold_back(from, to, bytes);
        let server = &mut self.servers[to];
        server.wire_free_us = sent_us;
        server.delivery_us = Some(at_us);
        let attempt = server.attempt;
        self.schedule(at_us, Event::Deliver { to, attempt });
    }

    /// A commit arrives at a standby.
    pub(super) fn deliver(&mut self, to: NodeId, attempt: u32) {
        if self.servers[to].attempt != attempt {
            return;
        }
        self.servers[to].delivery_us = None;
        let Some(from) = self.flowing_from(to) else { return };
        let Some(commit) = self.servers[from].log.get(self.servers[to].log.len()).copied() else { return };
        self.servers[to].log.push(commit);
        self.send_next(to);
        for standby in self.followers(to) {
            self.send_next(standby);
        }
        self.confirm(from);
    }

    /// What is on its way to a standby is lost.
    pub(super) fn call_off(&mut self, to: NodeId) {
        let now_us = self.now_us;
        let server = &mut self.servers[to];
        server.attempt += 1;
        server.delivery_us = None;
        server.wire_free_us = now_us;
    }

    /// Calls off what cannot arrive any more, and goes on where commits flow again.
    pub(super) fn review_links(&mut self) {
        for to in 0..self.servers.len() {
            match self.flowing_from(to) {
                None if self.servers[to].delivery_us.is_some() => self.call_off(to),
                None => {}
                Some(_) => self.send_next(to),
            }
        }
    }

    /// When the next commit arrives at the standby that a server waits for.
    pub(super) fn next_delivery_us(&self, server: NodeId) -> Option<u64> {
        let mut standbys = self.servers[server].waits_for.iter();
        standbys.find(|standby| self.is_attached(**standby, server)).and_then(|it| self.servers[*it].delivery_us)
    }

    /// The bytes that a standby lacks.
    pub(super) fn backlog_bytes(&self, from: NodeId, to: NodeId) -> u64 {
        if self.flowing_from(to) != Some(from) {
            return 0;
        }
        let missing = self.servers[from].log.iter().skip(self.servers[to].log.len());
        missing.map(|commit| self.commits[*commit].bytes).sum()
    }

    /// Makes a server a copy of another one, as its standby.
    pub(super) fn copy(&mut self, from: NodeId, to: NodeId) {
        self.call_off(to);
        let (log, timeline) = (self.servers[from].log.clone(), self.servers[from].timeline);
        let is_damaged = self.servers[from].is_damaged;
        let server = &mut self.servers[to];
        server.is_damaged = is_damaged;
        server.log = log;
        server.timeline = timeline;
        server.stance = Stance::Follower(from);
        server.is_fenced = false;
        server.waits_for.clear();
    }
}
