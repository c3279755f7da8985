//! The power of nodes: what runs, what is paused, and what a restarted server does before it takes part again.

use super::{
    draws::{BOOT, BOOT_BALANCER, BOOT_DATABASE},
    model::{Event, Model},
    replication::Stance,
    shape::NodeId,
};
use crate::{scenario::system::Role, world::NodeState};

#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Whether it was made.
    pub(super) exists: bool,
    /// What it is doing.
    pub(super) state: NodeState,
    /// Whether its program is up: false while it boots, or is held back for maintenance.
    pub(super) is_ready: bool,
    /// How often its program went away; a session that began under another number is broken.
    pub(super) boot: u32,
    /// Whether its disk is full, or gone.
    pub(super) is_disk_broken: bool,
}

impl Default for Node {
    fn default() -> Self {
        Self { exists: false, state: NodeState::Down, is_ready: false, boot: 0, is_disk_broken: false }
    }
}

impl Model {
    /// Whether a node's program takes connections and answers them.
    pub(super) fn serves(&self, node: NodeId) -> bool {
        self.nodes[node].state == NodeState::Running && self.nodes[node].is_ready
    }

    /// Whether a node is there and answers nothing.
    pub(super) fn is_paused(&self, node: NodeId) -> bool {
        self.nodes[node].state == NodeState::Paused
    }

    /// Whether a node has processes.
    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.nodes[node].state != NodeState::Down
    }

    /// Starts a node; it is ready some time later.
    pub(super) fn start(&mut self, node: NodeId) {
        if self.nodes[node].state != NodeState::Down {
            return;
        }
        self.nodes[node].state = NodeState::Running;
        self.start_program(node);
    }

    /// The program of a running node begins again.
    pub(super) fn start_program(&mut self, node: NodeId) {
        let boots = match self.shape.roles[node] {
            Role::Balancer => BOOT_BALANCER,
            Role::Primary | Role::Standby | Role::Database => BOOT_DATABASE,
            _ => BOOT,
        };
        let at_us = self.now_us + self.draw(&boots, node);
        self.schedule(at_us, Event::Ready { node, boot: self.nodes[node].boot });
        self.changed();
    }

    pub(super) fn kill(&mut self, node: NodeId) {
        if self.nodes[node].state != NodeState::Down {
            self.archive_up_to_tick(node);
            self.nodes[node].state = NodeState::Down;
            self.stop_program(node);
        }
    }

    /// Shuts a node down cleanly: a writer sends what it has first.
    pub(super) fn stop(&mut self, node: NodeId) {
        if self.nodes[node].state != NodeState::Down {
            self.archive_all(node);
            self.nodes[node].state = NodeState::Down;
            self.stop_program(node);
        }
    }

    /// The program of a node goes away, with every session.
    pub(super) fn stop_program(&mut self, node: NodeId) {
        self.nodes[node].is_ready = false;
        self.nodes[node].boot += 1;
        self.break_sessions(node);
        self.changed();
    }

    /// Pauses a node that runs.
    pub(super) fn pause(&mut self, node: NodeId) {
        self.nodes[node].state = NodeState::Paused;
        self.changed();
    }

    /// Unpauses a node that is paused.
    pub(super) fn unpause(&mut self, node: NodeId) {
        if self.is_paused(node) {
            self.nodes[node].state = NodeState::Running;
            self.changed();
        }
    }

    /// A started node is ready, unless it went away meanwhile, or has to wait for the server that it copies.
    pub(super) fn ready(&mut self, node: NodeId, boot: u32) {
        let node_now = &self.nodes[node];
        if node_now.boot != boot || node_now.state == NodeState::Down || node_now.is_disk_broken {
            return;
        }
        if self.servers[node].is_empty {
            if !self.fill(node) {
                return;
            }
        } else if self.is_guarded && self.servers[node].stance == Stance::Writer && self.another_writes(node) {
            self.servers[node].is_fenced = true;
        }
        self.nodes[node].is_ready = true;
        if node == self.shape.front {
            self.check_all_at_once();
        }
        self.let_followers_copy(node);
        self.changed();
    }

    /// Standbys that wait, empty, for a server to copy get their turn once it serves.
    pub(super) fn let_followers_copy(&mut self, node: NodeId) {
        for standby in self.followers(node) {
            if self.servers[standby].is_empty && self.nodes[standby].state == NodeState::Running {
                let at_us = self.now_us + self.draw(&BOOT_DATABASE, standby);
                self.schedule(at_us, Event::Ready { node: standby, boot: self.nodes[standby].boot });
            }
        }
    }

    /// Fills an empty server: a standby from its upstream, as soon as that one serves.
    fn fill(&mut self, node: NodeId) -> bool {
        if let Stance::Follower(upstream) = self.servers[node].stance {
            if !self.serves(upstream) || !self.is_open(node, upstream) {
                return false;
            }
            self.copy(upstream, node);
        } else if self.holds_backups_of(node) || self.shape.roles[node] == Role::Spare {
            return false;
        }
        self.servers[node].is_empty = false;
        true
    }

    fn another_writes(&self, node: NodeId) -> bool {
        let others = self.shape.cluster.iter().filter(|other| **other != node);
        self.shape.cluster.contains(&node)
            && others.into_iter().any(|other| self.is_writable(*other) && self.is_open(node, *other))
    }
}
