//! The monitor: a store beside the cluster that follows its commits with a small lag.
//!
//! It sees what a writer commits, and may so come to know work that is lost later. It drops that when it sees a newer
//! timeline for the first time, or when it is told to reconcile.

use super::{
    draws::SIGHT,
    model::{Event, Model},
    replication::{CommitId, Server},
    shape::NodeId,
};

/// The longest that a commit takes to become visible.
pub(super) const LONGEST_SIGHT_US: u64 = 150_000;

/// What the monitor knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    known: Vec<bool>,
    timeline: u32,
}

impl Sight {
    fn know(&mut self, commits: &[CommitId]) {
        // Older ones are known already, as a rule: walking backwards ends soon.
        for commit in commits.iter().rev() {
            if self.known.len() <= *commit {
                self.known.resize(*commit + 1, false);
            }
            if std::mem::replace(&mut self.known[*commit], true) {
                break;
            }
        }
    }

    fn know_only(&mut self, commits: &[CommitId]) {
        self.known.clear();
        self.know(commits);
    }

    /// The same knowledge, with other numbers for the commits.
    pub(super) fn renumbered(&self, number: impl Fn(&CommitId) -> Option<CommitId>) -> Self {
        let numbers: Vec<CommitId> = self.known().filter_map(|commit| number(&commit)).collect();
        let mut known = vec![false; numbers.iter().max().map_or(0, |last| last + 1)];
        numbers.into_iter().for_each(|commit| known[commit] = true);
        Self { known, ..*self }
    }

    /// What it knows is from the timeline that its source is on now.
    pub(super) const fn goes_on_with(&mut self, timeline: u32) {
        self.timeline = timeline;
    }

    /// What it knows.
    pub(super) fn known(&self) -> impl Iterator<Item = CommitId> + '_ {
        self.known.iter().enumerate().filter(|(_, is_known)| **is_known).map(|(commit, _)| commit)
    }

    fn knows(&self, commit: CommitId) -> bool {
        self.known.get(commit) == Some(&true)
    }
}

impl Model {
    /// A commit will become visible.
    pub(super) fn expect_sight(&mut self, server: NodeId) {
        if let Some(monitor) = self.shape.monitor {
            let at_us = self.now_us + self.draw(&SIGHT, monitor);
            let position = self.servers[server].log.len();
            self.schedule(at_us, Event::Sighted { server, position });
        }
    }

    /// The monitor looks at a server, if it can.
    pub(super) fn sighted(&mut self, server: NodeId, position: usize) {
        if !self.is_watching(server) {
            return;
        }
        let Server { log, timeline, .. } = &self.servers[server];
        let seen = log.get(..position).unwrap_or(log);
        if *timeline > self.sight.timeline {
            self.sight.timeline = *timeline;
            self.sight.know_only(seen);
        } else {
            self.sight.know(seen);
        }
    }

    /// Whether the monitor and its store run, and it reaches a server that writes.
    pub(super) fn is_watching(&self, server: NodeId) -> bool {
        let Some(monitor) = self.shape.monitor else { return false };
        let has_store = self.shape.databases.iter().all(|database| self.serves(*database));
        self.serves(monitor) && has_store && self.is_writable(server) && self.is_open(monitor, server)
    }

    /// The monitor keeps what a server has, and nothing else.
    pub(super) fn reconcile(&mut self) -> bool {
        let Some(writer) = self.writer().filter(|writer| self.is_watching(*writer)) else { return false };
        let log = self.servers[writer].log.clone();
        self.sight.timeline = self.servers[writer].timeline;
        self.sight.know_only(&log);
        true
    }

    /// What the two stores do not agree on: commits that should be visible and are not, and such as should not be.
    pub(super) fn disagreement(&mut self, writer: NodeId) -> (u64, u64) {
        self.catch_up(writer);
        let old_us = self.now_us.saturating_sub(LONGEST_SIGHT_US);
        let log = &self.servers[writer].log;
        let is_overdue = |commit: &&CommitId| self.commits[**commit].instant_us < old_us && !self.sight.knows(**commit);
        let missing = log.iter().filter(is_overdue).count();
        let mut is_there = vec![false; self.commits.len()];
        log.iter().for_each(|commit| is_there[*commit] = true);
        (missing as u64, self.sight.known().filter(|commit| !is_there[*commit]).count() as u64)
    }

    /// What the monitor could not see at its time, it sees once it can.
    fn catch_up(&mut self, writer: NodeId) {
        if self.is_watching(writer) {
            let old_us = self.now_us.saturating_sub(LONGEST_SIGHT_US);
            let log = &self.servers[writer].log;
            let due = log.partition_point(|commit| self.commits[*commit].instant_us < old_us);
            self.sight.know(&log[..due]);
        }
    }
}
