//! The backup repository: the backups of the cluster, and the log that was archived beside them.
//!
//! The log gets there in steps: all that a writer committed up to the last full interval. A writer that is killed leaves
//! the rest behind; one that is taken down for a restore sends it first.

use super::{
    model::Model,
    monitor::Sight,
    replication::{CommitId, Stance},
    shape::NodeId,
};
use crate::{
    scenario::backup::ModelledBackup,
    world::{Moment, Point},
};

/// What the backup repository holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Repository {
    archive: Vec<CommitId>,
    /// The backups and the points that were marked, each under its number as a label.
    backups: Vec<Stored>,
    /// How many commits there were before the bad change.
    changed_at: Option<usize>,
}

/// A backup, or a point that was marked.
#[derive(Debug, Clone)]
struct Stored {
    holds: ModelledBackup,
    content: Content,
    is_whole: bool,
}

/// What two stores had at one moment.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// How many commits the writer had.
    commits: usize,
    /// What the monitor knew.
    sight: Sight,
}

impl Repository {
    fn stored(&self, label: &str) -> Result<Stored, String> {
        let stored = label.parse().ok().and_then(|number: usize| self.backups.get(number));
        stored.cloned().ok_or_else(|| format!("there is no backup {label}"))
    }
}

impl Model {
    /// A backup is damaged; gives whether it was whole.
    pub(super) fn corrupt(&mut self, label: &str) -> bool {
        let stored = label.parse().ok().and_then(|number: usize| self.repository.backups.get_mut(number));
        stored.is_some_and(|stored| std::mem::replace(&mut stored.is_whole, false))
    }

    /// How many commits a backup holds.
    pub(super) fn size_of(&self, label: &str) -> usize {
        self.repository.stored(label).map_or(0, |stored| stored.content.commits)
    }

    /// Starts with the backup repository of another model, and with nothing else of it but the names of what was committed.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.repository = other.repository.clone();
        self.array = other.array.clone();
        self.commits = other.commits.clone();
        self.flights = other.flights.clone();
        self.now_us = other.now_us;
    }

    /// What a backup could hold that is taken now.
    pub(super) fn content(&self) -> Result<Content, String> {
        let writer = self.writer().ok_or("no server takes writes")?;
        Ok(Content { commits: self.servers[writer].log.len(), sight: self.sight.clone() })
    }

    pub(super) fn holds(&self, id: &str) -> ModelledBackup {
        self.shape.backups.get(id).copied().unwrap_or_default()
    }

    /// A backup of the cluster ends, or a point is marked; gives its label. `begun` is what there was at its beginning.
    pub(super) fn back_up(&mut self, holds: ModelledBackup, begun: Content) -> Result<String, String> {
        let ended = self.content()?;
        let content = match holds {
            ModelledBackup::Cluster | ModelledBackup::Nothing => ended,
            ModelledBackup::DumpMonitorLast => Content { commits: begun.commits, ..ended },
            ModelledBackup::DumpMonitorFirst => Content { sight: begun.sight, ..ended },
        };
        if let Some(writer) = self.writer() {
            self.repository.archive = self.servers[writer].log.clone();
        }
        self.repository.backups.push(Stored { holds, content, is_whole: true });
        Ok((self.repository.backups.len() - 1).to_string())
    }

    /// Whether a server that comes up empty has lost its data rather than being new.
    pub(super) fn holds_backups_of(&self, node: NodeId) -> bool {
        self.shape.cluster.contains(&node) && !self.repository.backups.is_empty()
    }

    /// A writer goes away at once: the log since the last full interval goes with it.
    pub(super) fn archive_up_to_tick(&mut self, node: NodeId) {
        let Some((_, interval_us)) = self.shape.repository else { return };
        if !self.writes(node) {
            return;
        }
        let tick_us = self.now_us - self.now_us % interval_us;
        let log = &self.servers[node].log;
        let archived = log.partition_point(|commit| self.commits[*commit].instant_us < tick_us);
        // What a backup made sure of is never taken back.
        if archived >= self.repository.archive.len() {
            self.repository.archive = log[..archived].to_vec();
        }
    }

    /// A writer that is shut down, or taken down for a restore, sends what it has.
    pub(super) fn archive_all(&mut self, node: NodeId) {
        if self.writes(node) {
            self.repository.archive = self.servers[node].log.clone();
        }
    }

    fn writes(&self, node: NodeId) -> bool {
        self.shape.cluster.contains(&node) && self.serves(node) && self.servers[node].stance == Stance::Writer
    }

    /// A restore begins: a writer that still serves is taken down. A dump is read by the server while it runs.
    pub(super) fn begin_restore(&mut self, node: NodeId, holds: ModelledBackup) {
        if holds != ModelledBackup::Cluster {
            return;
        }
        self.archive_all(node);
        self.stop_program(node);
        // What was there goes first: whoever is interrupted from here on comes up with nothing.
        self.wipe(node);
    }

    /// A restore ends: the server has what was archived up to the point, and takes writes.
    pub(super) fn end_restore(&mut self, node: NodeId, label: &str, point: &Point) -> Result<String, String> {
        let backup = self.repository.stored(label)?;
        if !backup.is_whole {
            return Err(format!("backup {label} cannot be read"));
        }
        match backup.holds {
            ModelledBackup::Nothing => return Ok("it holds nothing of what the model keeps".to_owned()),
            ModelledBackup::DumpMonitorLast | ModelledBackup::DumpMonitorFirst => {
                return Ok(self.read_dump(node, backup.content));
            }
            ModelledBackup::Cluster => {}
        }
        let archive = &self.repository.archive;
        let up_to = match point {
            Point::End => archive.len(),
            Point::Backup => backup.content.commits,
            Point::Named(label) => self.repository.stored(label)?.content.commits,
            Point::Position(position) => number(position)? as usize,
            Point::Time(time) => {
                let time_us = number(time)?;
                archive.partition_point(|commit| self.commits[*commit].instant_us < time_us)
            }
        };
        if up_to < backup.content.commits || up_to > archive.len() {
            return Err("recovery ended before the point was reached".to_owned());
        }
        let log = archive[..up_to].to_vec();
        let timeline = self.servers.iter().map(|server| server.timeline).max().unwrap_or_default() + 1;
        let now_us = self.now_us;
        let changed_at = self.repository.changed_at;
        self.call_off(node);
        let server = &mut self.servers[node];
        server.log = log;
        server.timeline = timeline;
        server.stance = Stance::Writer;
        server.writes_since_us = now_us;
        server.waits_for.clear();
        server.is_fenced = false;
        server.is_empty = false;
        server.is_damaged = changed_at.is_some_and(|at| up_to > at || *point == Point::End);
        self.nodes[node].is_ready = true;
        self.let_followers_copy(node);
        self.changed();
        Ok(format!("timeline {timeline}, {up_to} commits"))
    }

    /// Dumps of two databases are put back, each whole: the server goes on with its own log, on its own timeline.
    fn read_dump(&mut self, node: NodeId, content: Content) -> String {
        let Content { commits, mut sight } = content;
        let log = self.repository.archive.iter().copied().take(commits).collect();
        self.call_off(node);
        let server = &mut self.servers[node];
        server.log = log;
        server.is_empty = false;
        sight.goes_on_with(server.timeline);
        self.sight = sight;
        self.nodes[node].is_ready = true;
        self.let_followers_copy(node);
        self.changed();
        format!("{commits} commits, and what the monitor knew")
    }

    /// Everything on a node's volume is gone. Gives how much it was, and how much is left.
    pub(super) fn wipe(&mut self, node: NodeId) -> (u64, u64) {
        let server = &mut self.servers[node];
        let files = u64::from(!server.is_empty) + server.log.len() as u64;
        server.log.clear();
        server.is_empty = true;
        self.changed();
        (files, 0)
    }

    /// A bad change is committed, and standbys follow. Gives the moment just before it.
    pub(super) fn damage(&mut self, node: NodeId) -> Moment {
        let position = self.servers[node].log.len();
        self.repository.changed_at = Some(position);
        let followers = self.followers(node);
        for server in followers.into_iter().chain([node]) {
            self.servers[server].is_damaged = true;
        }
        Moment { time: self.now_us.to_string(), position: position.to_string() }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a point that the model knows"))
}
