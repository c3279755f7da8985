//! The flight of one request: balancer, application, server, commit, answer. Each leg ends in a step that looks at what
//! is there at that moment, so that a fault meets every request where it is.

use super::{
    draws::{ANSWER, HOP, REDISPATCH, REFUSAL, RETRANSMIT, WORK},
    model::{Event, Model},
    shape::{NodeId, Statuses},
};
use crate::world::{NodeState, Reply};

/// A request, by its place in the order of sending.
pub(super) type FlightId = usize;

/// Where a request is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// To the node that clients reach.
    Front,
    Application,
    Commit,
    /// Committed, and waiting for a standby.
    Waiting,
    /// Back to the client.
    Answering,
    /// Nowhere: it has been answered, or never will be.
    Done,
}

impl Stage {
    /// The least that a served request still takes after its next step: looking earlier would only cost time.
    const fn shortest_us(self) -> u64 {
        match self {
            Self::Front => 2_300,
            Self::Application => 2_000,
            Self::Commit | Self::Waiting => 600,
            Self::Answering => 300,
            Self::Done => 0,
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) token: String,
    /// When its client sent it.
    pub(super) sent_us: u64,
    /// Where it is on its way to.
    pub(super) stage: Stage,
    /// How long the log of its server was with its commit; 0 without a commit.
    pub(super) position: usize,
    /// Whether its session broke after the commit.
    pub(super) is_broken: bool,
    /// What the client was given.
    pub(super) given: Option<Reply>,
    /// Whether it was another environment's, and came here with a disk.
    pub(super) is_carried: bool,
    statuses: Statuses,
    deadline_us: u64,
    application: Option<(NodeId, u32)>,
    server: Option<(NodeId, u32)>,
    tried: Option<NodeId>,
    due_us: Option<u64>,
    reply: Option<(u64, Reply)>,
}

impl Flight {
    /// The request of a commit that is carried to another environment, where nobody waits for it.
    pub(super) fn carried(&self) -> Self {
        Self { stage: Stage::Done, given: None, is_carried: true, due_us: None, ..self.clone() }
    }
}

/// What a client that waits learns from a look.
pub(super) enum Look {
    /// The answer.
    Returned(Reply),
    /// Nothing before this moment.
    Later(u64),
    /// Nothing before something changes; this moment is the latest.
    Hanging(u64),
}

impl Model {
    /// Takes up a request; gives its number, and when there is a point in looking.
    pub(super) fn submit(&mut self, token: String, statuses: Statuses, deadline_us: u64) -> (FlightId, u64) {
        let id = self.flights.len();
        self.flights.push(Flight {
            token,
            sent_us: self.now_us,
            stage: Stage::Front,
            position: 0,
            is_broken: false,
            given: None,
            is_carried: false,
            statuses,
            deadline_us: self.now_us + deadline_us,
            application: None,
            server: None,
            tried: None,
            due_us: None,
            reply: None,
        });
        let after_us = self.draw(&HOP, self.shape.front);
        self.step_after(id, after_us);
        let is_hopeless = self.servers_in_rotation().is_empty() || !self.serves(self.shape.front);
        let shortest_us = if is_hopeless { 0 } else { Stage::Front.shortest_us() };
        (id, (self.now_us + after_us + shortest_us).min(self.flights[id].deadline_us))
    }

    /// A client looks whether its answer has come.
    pub(super) fn look(&mut self, id: FlightId) -> Look {
        let flight = &self.flights[id];
        let (stage, deadline_us, due_us) = (flight.stage, flight.deadline_us, flight.due_us);
        if self.now_us >= deadline_us && flight.reply.is_none() {
            self.give_up(id);
        }
        if let Some((at_us, reply)) = self.flights[id].reply.clone() {
            if at_us > self.now_us {
                return Look::Later(at_us);
            }
            self.flights[id].given = Some(reply.clone());
            return Look::Returned(reply);
        }
        let server = self.flights[id].server.map_or(self.shape.front, |(server, _)| server);
        let confirmed_us = (stage == Stage::Waiting).then(|| self.next_delivery_us(server)).flatten();
        match due_us.or(confirmed_us) {
            Some(at_us) => Look::Later((at_us + stage.shortest_us()).min(deadline_us)),
            None => Look::Hanging(self.next_boot_us().map_or(deadline_us, |at_us| at_us.min(deadline_us))),
        }
    }

    /// The client gives up. What has not been committed by then never will be.
    fn give_up(&mut self, id: FlightId) {
        let flight = &mut self.flights[id];
        flight.reply = Some((flight.deadline_us, Reply::NoAnswer { reason: "no answer by the deadline".into() }));
        if flight.stage != Stage::Waiting {
            flight.stage = Stage::Done;
        }
    }

    /// Lets a request take its next step after some time.
    pub(super) fn step_after(&mut self, id: FlightId, after_us: u64) {
        let at_us = self.now_us + after_us;
        self.flights[id].due_us = Some(at_us);
        self.schedule(at_us, Event::Step(id));
    }

    /// A request takes a step.
    pub(super) fn step(&mut self, id: FlightId) {
        self.flights[id].due_us = None;
        if self.now_us >= self.flights[id].deadline_us && self.flights[id].reply.is_none() {
            self.give_up(id);
        }
        match self.flights[id].stage {
            Stage::Front => self.at_front(id),
            Stage::Application => self.at_application(id),
            Stage::Commit => self.at_commit(id),
            Stage::Answering => self.at_answer(id),
            Stage::Waiting | Stage::Done => {}
        }
    }

    fn at_front(&mut self, id: FlightId) {
        let front = self.shape.front;
        if self.is_paused(front) {
            return self.hold(id);
        }
        if !self.serves(front) {
            return self.finish(id, Reply::NotSent { reason: "connection refused".into() });
        }
        let tried = self.flights[id].tried;
        let Some(application) = self.pick_application(tried) else { return self.refuse_request(id) };
        let is_there = self.serves(application) || self.is_paused(application);
        if is_there && self.is_open(front, application) {
            self.flights[id].application = Some((application, self.nodes[application].boot));
            self.flights[id].stage = Stage::Application;
            let after_us = self.draw(&HOP, application);
            return self.step_after(id, after_us);
        }
        if tried.is_some() {
            return self.refuse_request(id);
        }
        self.flights[id].tried = Some(application);
        let after_us = self.draw(&REDISPATCH, application);
        self.step_after(id, after_us);
    }

    fn at_application(&mut self, id: FlightId) {
        match self.condition(self.flights[id].application) {
            Condition::Broken => return self.lose(id),
            Condition::Silent => return self.hold(id),
            Condition::Good => {}
        }
        let Some(server) = self.pick_server() else { return self.refuse_request(id) };
        if !self.serves(server) && !self.is_paused(server) {
            return self.refuse_request(id);
        }
        self.flights[id].server = Some((server, self.nodes[server].boot));
        self.flights[id].stage = Stage::Commit;
        if self.is_paused(server) || !self.has_way(id, true) || !self.has_way(id, false) {
            return self.hold(id);
        }
        let after_us = self.draw(&WORK, server) + self.congestion_us(id);
        self.step_after(id, after_us);
    }

    fn at_commit(&mut self, id: FlightId) {
        let (application, server) = (self.flights[id].application, self.flights[id].server);
        let (first, second) = (self.condition(application), self.condition(server));
        let Some((server, _)) = server else { return self.lose(id) };
        if first == Condition::Broken || second == Condition::Broken {
            return self.lose(id);
        }
        if first == Condition::Silent || second == Condition::Silent || !self.has_way(id, true) {
            return self.hold(id);
        }
        if self.is_writable(server) { self.commit(id, server) } else { self.refuse_request(id) }
    }

    fn at_answer(&mut self, id: FlightId) {
        let (application, server) = (self.flights[id].application, self.flights[id].server);
        let is_lost = self.flights[id].is_broken
            || self.condition(application) == Condition::Broken
            || self.condition(server) == Condition::Broken;
        if is_lost {
            return self.lose(id);
        }
        if self.condition(application) == Condition::Silent || !self.has_way(id, false) {
            return self.hold(id);
        }
        let status = self.flights[id].statuses.acknowledged;
        self.finish(id, Reply::Answer { status });
    }

    /// How the other end of a session is.
    fn condition(&self, end: Option<(NodeId, u32)>) -> Condition {
        match end {
            Some((node, boot)) if self.nodes[node].boot != boot => Condition::Broken,
            Some((node, _)) if self.nodes[node].state == NodeState::Paused => Condition::Silent,
            _ => Condition::Good,
        }
    }

    /// The legs of a request. The way to the database leads through the balancer too, where there is one.
    fn legs(&self, id: FlightId) -> [(NodeId, NodeId); 3] {
        let front = self.shape.front;
        let application = self.flights[id].application.map_or(front, |(node, _)| node);
        let server = self.flights[id].server.map_or(application, |(node, _)| node);
        [(front, application), (application, front), (front, server)]
    }

    /// Whether packets get through to the server, or from it back to the client.
    fn has_way(&self, id: FlightId, is_outward: bool) -> bool {
        let carries =
            |(from, to)| if is_outward { self.network.carries(from, to) } else { self.network.carries(to, from) };
        self.network.is_whole() || self.legs(id).into_iter().all(carries)
    }

    fn congestion_us(&self, id: FlightId) -> u64 {
        const REQUEST_BYTES: u64 = 1_000;
        self.legs(id).into_iter().map(|(from, to)| self.network.slowness_us(from, to, REQUEST_BYTES)).sum()
    }

    /// A request stays where it is until something changes.
    fn hold(&mut self, id: FlightId) {
        if self.flights[id].reply.is_none() {
            self.held.push(id);
        }
    }

    /// Something has changed: what was held tries again.
    pub(super) fn wake_held(&mut self) {
        for id in std::mem::take(&mut self.held) {
            let after_us = self.draw(&RETRANSMIT, self.shape.front);
            self.step_after(id, after_us);
        }
    }

    /// Whether its client was given something else than an acknowledgement.
    pub(super) fn has_failed(&self, id: FlightId) -> bool {
        let flight = &self.flights[id];
        let acknowledged = Reply::Answer { status: flight.statuses.acknowledged };
        flight.given.as_ref().is_some_and(|given| *given != acknowledged)
    }

    fn refuse_request(&mut self, id: FlightId) {
        let status = self.flights[id].statuses.refused;
        self.finish(id, Reply::Answer { status });
    }

    fn lose(&mut self, id: FlightId) {
        self.finish(id, Reply::NoAnswer { reason: "connection reset".into() });
    }

    fn finish(&mut self, id: FlightId, reply: Reply) {
        let takes = if matches!(reply, Reply::NoAnswer { .. }) { &REFUSAL } else { &ANSWER };
        let at_us = self.now_us + self.draw(takes, self.shape.front);
        let flight = &mut self.flights[id];
        flight.stage = Stage::Done;
        if flight.reply.is_none() {
            flight.reply = Some((at_us, reply));
            if at_us > flight.deadline_us {
                self.give_up(id);
            }
        }
    }

    /// The program of a node went away: sessions through it break. Most notice at their next step; those whose commits
    /// wait for a standby take none.
    pub(super) fn break_sessions(&mut self, node: NodeId) {
        self.break_waiting(node);
        for server in 0..self.servers.len() {
            let (broken, kept) = std::mem::take(&mut self.servers[server].waiting).into_iter().partition(|id| {
                let flight: &Flight = &self.flights[*id];
                flight.application.is_some_and(|(application, _)| application == node)
            });
            self.servers[server].waiting = broken;
            self.break_waiting(server);
            self.servers[server].waiting = kept;
        }
    }
}

/// How the other end of a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// It answers.
    Good,
    /// It is there and answers nothing.
    Silent,
    /// It has gone away since.
    Broken,
}
