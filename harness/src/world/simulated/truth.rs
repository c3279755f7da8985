//! The truth, which only a model can know: what was committed, what was lost, and when service really was away.

use super::{
    model::Model,
    replication::{CommitId, Stance},
    shape::NodeId,
};

/// What really happened. Times are microseconds on the run's clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// When the first fault took effect (kill, pause, or partition); none for a control.
    pub fault_instant_us: Option<u64>,
    /// When each of them took effect, with what it was.
    pub faults: Vec<(u64, String)>,
    /// Every commit, in the order of time, on whichever server it was made.
    pub commits: Vec<Commit>,
    /// The server that holds what survived: the writable one, or else the latest to have been a writer.
    pub survivor: Option<String>,
    /// Tokens acknowledged to a client whose commit does not exist on the survivor, in the order of commits.
    pub lost: Vec<String>,
    /// Those of the lost ones that another server still holds.
    pub stranded: Vec<String>,
    /// Tokens that the survivor holds although their client was never told so.
    pub recovered: Vec<String>,
    /// How many requests were acknowledged.
    pub acknowledged: usize,
    /// The last moment from which a request would be served as declared, for good; not before the first fault. None
    /// while that moment has not come.
    pub service_back_us: Option<u64>,
    /// The requests that were given no acknowledgement: token and moment of sending, in the order of sending.
    pub failed: Vec<(String, u64)>,
    /// When requests would have failed, from the first moment of service on.
    pub unavailable: Vec<Unavailable>,
}

impl Truth {
    /// The last moment from which some requests only would be served for good, as [`Truth::service_back_us`] is for all:
    /// one with a short deadline may fail where another is served late.
    pub fn service_back_for(&self, is_meant: impl Fn(&str) -> bool) -> Option<u64> {
        self.service_back_us?;
        let last_us = self.unavailable.iter().filter_map(|span| span.to_us).max().unwrap_or_default();
        let failed = self.failed.iter().filter(|(token, _)| is_meant(token)).map(|(_, sent_us)| sent_us + 1);
        Some(last_us.max(self.fault_instant_us.unwrap_or_default()).max(failed.max().unwrap_or_default()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The token of its request.
    pub token: String,
    /// When it became durable on its server.
    pub instant_us: u64,
    /// Where it was made.
    pub server: String,
}

/// A span of time in which requests would have failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unavailable {
    /// From when.
    pub from_us: u64,
    /// Until when; none if it lasts.
    pub to_us: Option<u64>,
    /// The share of requests, sent in it, that would fail.
    pub share: f64,
}

/// How the share of failing requests has changed, and which faults took effect.
#[derive(Debug, Default)]
pub(super) struct Availability {
    shares: Vec<(u64, f64)>,
    faults: Vec<(u64, String)>,
}

impl Model {
    /// Notes a fault that takes effect now.
    pub(super) fn note_fault(&mut self, what: String) {
        self.availability.faults.push((self.now_us, what));
    }

    /// Notes the share of requests that would fail from now on, if it has changed.
    pub(super) fn note_availability(&mut self) {
        let share = self.failing_share();
        let shares = &mut self.availability.shares;
        let is_new = shares.last().map_or(share < 1.0, |(_, last)| (last - share).abs() > 1e-9);
        if is_new {
            shares.push((self.now_us, share));
        }
    }

    /// The share of requests that would fail if they were sent now and nothing changed.
    pub(super) fn failing_share(&self) -> f64 {
        let (applications, servers) = (self.applications_in_rotation(), self.servers_in_rotation());
        if !self.serves(self.shape.front) || applications.is_empty() || servers.is_empty() {
            return 1.0;
        }
        let served = |application: Option<&NodeId>| -> f64 {
            let Some(application) = application else { return 0.0 };
            let serving = servers.iter().filter(|server| self.would_serve(*application, **server)).count();
            serving as f64 / servers.len() as f64
        };
        let shares = self.ends(&applications).into_iter().map(|(application, share)| served(application) * share);
        // Sums of thirds must not leave a trace of a failing request where there is none.
        ((1.0 - shares.sum::<f64>()) * 1e9).round() / 1e9
    }

    /// The applications at which requests would end up, with their shares: the one in turn, or, where that does not
    /// listen, one of the others; none, where that one does not listen either.
    fn ends<'a>(&self, applications: &'a [NodeId]) -> Vec<(Option<&'a NodeId>, f64)> {
        let listens =
            |node: &NodeId| (self.serves(*node) || self.is_paused(*node)) && self.is_open(self.shape.front, *node);
        let share = 1.0 / applications.len() as f64;
        let mut ends = Vec::new();
        for first in applications {
            if listens(first) {
                ends.push((Some(first), share));
                continue;
            }
            let others: Vec<&NodeId> = applications.iter().filter(|other| *other != first).collect();
            let share = share / others.len().max(1) as f64;
            ends.extend(others.into_iter().map(|other| (Some(other).filter(|other| listens(other)), share)));
        }
        ends
    }

    fn would_serve(&self, application: NodeId, server: NodeId) -> bool {
        let is_reachable = self.is_open(self.shape.front, server);
        self.serves(application) && is_reachable && self.is_writable(server) && self.acknowledges(server)
    }

    /// The server that holds what survived.
    pub(super) fn survivor(&self) -> Option<NodeId> {
        let writers = self.shape.cluster.iter().copied().filter(|node| self.servers[*node].stance == Stance::Writer);
        writers.max_by_key(|node| {
            let server = &self.servers[*node];
            (self.is_writable(*node), server.timeline, server.writes_since_us, server.log.len())
        })
    }

    /// What really happened so far.
    pub(super) fn truth(&self) -> Truth {
        let survivor = self.survivor();
        let is_there = self.held_by(survivor.as_slice());
        let elsewhere: Vec<NodeId> =
            self.shape.cluster.iter().copied().filter(|node| Some(*node) != survivor).collect();
        let is_elsewhere = self.held_by(&elsewhere);
        let ids = || 0..self.commits.len();
        let tokens = |wanted: &dyn Fn(&CommitId) -> bool| -> Vec<String> {
            ids().filter(wanted).map(|commit| self.token(commit).to_owned()).collect()
        };
        let fault_instant_us = self.availability.faults.first().map(|(at_us, _)| *at_us);
        let failed = self.failed();
        Truth {
            fault_instant_us,
            faults: self.availability.faults.clone(),
            commits: ids().map(|commit| self.told(commit)).collect(),
            survivor: survivor.map(|node| self.shape.name(node).to_owned()),
            lost: tokens(&|commit| self.was_acknowledged(*commit) && !is_there[*commit]),
            stranded: tokens(&|commit| self.was_acknowledged(*commit) && !is_there[*commit] && is_elsewhere[*commit]),
            recovered: tokens(&|commit| !self.was_acknowledged(*commit) && is_there[*commit]),
            acknowledged: ids().filter(|commit| self.was_acknowledged(*commit)).count(),
            service_back_us: when_back(self.shares(), fault_instant_us, &failed),
            unavailable: spans(self.shares()),
            failed,
        }
    }

    fn told(&self, commit: CommitId) -> Commit {
        let written = &self.commits[commit];
        let server = self.shape.name(written.server).to_owned();
        Commit { token: self.token(commit).to_owned(), instant_us: written.instant_us, server }
    }

    pub(super) fn token(&self, commit: CommitId) -> &str {
        &self.flights[self.commits[commit].flight].token
    }

    /// Only an acknowledgement that the client was given counts.
    pub(super) fn was_acknowledged(&self, commit: CommitId) -> bool {
        let flight = self.commits[commit].flight;
        self.flights[flight].given.is_some() && !self.has_failed(flight)
    }

    pub(super) fn held_by(&self, servers: &[NodeId]) -> Vec<bool> {
        let mut held = vec![false; self.commits.len()];
        for server in servers {
            self.servers[*server].log.iter().for_each(|commit| held[*commit] = true);
        }
        held
    }

    /// How the share of failing requests changed.
    pub(super) fn shares(&self) -> &[(u64, f64)] {
        &self.availability.shares
    }

    fn failed(&self) -> Vec<(String, u64)> {
        let failed = (0..self.flights.len()).filter(|flight| self.has_failed(*flight));
        failed.map(|flight| (self.flights[flight].token.clone(), self.flights[flight].sent_us)).collect()
    }
}

/// When service was back for good. Where a fault broke a request in flight and left service to all others, it is back after that
/// request.
pub(super) fn when_back(shares: &[(u64, f64)], fault_us: Option<u64>, failed: &[(String, u64)]) -> Option<u64> {
    let (at_us, share) = shares.last().copied()?;
    let after_failed_us = failed.iter().map(|(_, sent_us)| sent_us + 1).max().unwrap_or_default();
    (share == 0.0).then_some(at_us.max(fault_us.unwrap_or_default()).max(after_failed_us))
}

/// The spans in which requests would have failed.
pub(super) fn spans(shares: &[(u64, f64)]) -> Vec<Unavailable> {
    let span = |(index, (from_us, share)): (usize, &(u64, f64))| {
        let to_us = shares.get(index + 1).map(|(at_us, _)| *at_us);
        // A change that was undone in the same instant lasted for nobody.
        (*share > 0.0 && to_us != Some(*from_us)).then_some(Unavailable { from_us: *from_us, to_us, share: *share })
    };
    shares.iter().enumerate().filter_map(span).collect()
}
