//! Scenario and seed to an immutable [`Plan`] of typed steps, with victims and times chosen.
//!
//! Pure: no I/O, no clock. What a plan says is what a run does; its text form ([`text`]) is what `blackstart plan`
//! prints and what the snapshot tests hold.

mod build;
mod draw;
mod faults;
pub mod random;
mod steps;
pub mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub use build::{build, fill_in_all, isolated};
pub use draw::{Draw, draws};
pub use steps::{restore_step, steps};

use crate::scenario::{
    Declared,
    backup::ArrayCopy,
    check::Check,
    drill::{Detect, Interruption, Recoverer, ServiceLevel},
    fault::{Effects, FaultKind, Tool},
    question::{self, Alert, Question},
    step::StepKind,
    system::{Database, HalfWay, Node, Request, Role},
    units::Span,
};

/// What one run will do. Nothing is decided while it runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The declaration that it was made from.
    pub declared: Arc<Declared>,
    /// The seed of every draw.
    pub seed: u64,
    /// The nodes, in the order in which they are started.
    pub nodes: Vec<PlannedNode>,
    /// What the clients do.
    pub load: PlannedLoad,
    /// What is put in place before the load.
    pub conditions: Vec<PlannedFault>,
    /// The backups that are taken under load before anything breaks, in order.
    pub backups: Vec<PlannedBackup>,
    /// What breaks, in the order of time.
    pub faults: Vec<PlannedFault>,
    /// How failure is detected and recovered.
    pub recovery: PlannedRecovery,
    /// What counts as service.
    pub service_level: ServiceLevel,
    /// The checks, by level and then as declared.
    pub checks: Vec<Check>,
}

/// What keeps a declaration from being planned. What has been validated can be: [`validate`](crate::scenario::validate) refuses it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplannable {
    why: String,
}

impl Unplannable {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

impl std::fmt::Display for Unplannable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "plan the drill: {}; ask `blackstart check` what is wrong with its files", self.why)
    }
}

impl std::error::Error for Unplannable {}

/// A node with everything that the plan knows of it filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedNode {
    /// The declaration, its environment and command filled in.
    pub node: Node,
    /// The last part of its address in the run's network.
    pub host: u8,
}

/// What the clients do.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLoad {
    /// From one intended request to the next.
    pub interval: Duration,
    /// The requests with their weights.
    pub mix: Vec<(String, u32)>,
    /// How long a client waits.
    pub deadline: Duration,
    /// The probe's request.
    pub probe: String,
    /// From one probe to the next.
    pub probe_interval: Duration,
    /// How long the probe waits.
    pub probe_deadline: Duration,
    /// Requests by name, as the system declares them.
    pub requests: BTreeMap<String, Request>,
    /// Which tokens the recovered system holds.
    pub survivors: Question,
}

/// A backup that the drill takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBackup {
    /// What the scenario calls it.
    pub id: String,
    /// How it is taken, by the name that the system gives it.
    pub method: String,
    /// How long to wait before it.
    pub after: Duration,
    /// What takes it.
    pub taking: Taking,
    /// The command that restores it, where it can be restored by itself.
    pub restore: Option<Vec<String>>,
    /// The command that damages it where it is kept.
    pub corrupt: Option<Vec<String>>,
    /// The commands that take or restore it and stand still half-way.
    pub half_way: HalfWay,
    /// How long either may take.
    pub within: Duration,
    /// What keeps it from getting complete.
    pub interrupted: Option<Interruption>,
    /// Whether it is declared to be of no use, so that finding it valid is what fails.
    pub is_expected_invalid: bool,
}

/// What takes a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taking {
    Command {
        /// The node on which it runs, or `writer`.
        on: String,
        /// The command.
        run: Vec<String>,
    },
    /// The storage array.
    Array {
        /// How.
        by: ArrayCopy,
        /// From one disk to the next, where each is taken by itself.
        apart: Duration,
    },
}

impl PlannedBackup {
    /// Whether it can be restored by itself: a point in the log cannot.
    pub const fn is_restorable(&self) -> bool {
        self.restore.is_some() || matches!(self.taking, Taking::Array { .. })
    }
}

/// A fault with its victims and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFault {
    /// What it is, with everything drawn that the scenario leaves open.
    pub kind: FaultKind,
    /// When, after the start of the load or the end of the last backup; conditions have none.
    pub at: Option<Duration>,
    /// When the harness heals it, after it was put in place.
    pub heal_after: Option<Duration>,
    /// The nodes that it hits, in the order of the system.
    pub victims: Vec<String>,
    /// What is done, in words.
    pub summary: String,
}

impl PlannedFault {
    /// What it does to the system.
    pub fn effects(&self) -> Effects {
        self.kind.declared().effects()
    }
}

/// How failure is detected and recovered.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRecovery {
    /// Who recovers.
    pub by: Recoverer,
    /// How failure is detected.
    pub detect: Option<Detect>,
    /// How damage is detected that no request shows.
    pub alert: Option<Alert>,
    /// How long a person takes to decide.
    pub decision: Duration,
    /// Why a person's decision is left out, where it is.
    pub excluded: Option<String>,
    /// The steps until service is back.
    pub procedure: Vec<PlannedStep>,
    pub afterwards: Vec<PlannedStep>,
    /// How long after the fault the drill gives up.
    pub within: Duration,
}

/// One step of a procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// What it does, in words.
    pub name: String,
    /// The command that it runs, or what it tries, for the plan.
    pub how: String,
    /// Further lines of the plan.
    pub details: Vec<String>,
    /// What is done.
    pub kind: StepKind,
    /// How long it may take.
    pub within: Duration,
}

impl Plan {
    pub fn node(&self, name: &str) -> Option<&PlannedNode> {
        self.nodes.iter().find(|planned| planned.node.name == name)
    }

    /// The database in which a question is asked.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.declared.system.databases.get(name)
    }

    /// The database of a name, with its name; the only one where none is given.
    pub fn database_of(&self, name: Option<&str>) -> Option<(&str, &Database)> {
        question::database_of(name, &self.declared.system)
    }

    /// The database that holds the work of the clients.
    pub fn work_database(&self) -> Option<(&str, &Database)> {
        self.declared.system.work_database()
    }

    /// The nodes whose data lies on disks of the storage array, in the order of the system. Backup repositories keep volumes of their own.
    pub fn disks(&self) -> impl Iterator<Item = &str> {
        let has_array = self.declared.system.storage.is_some();
        let nodes = self.nodes.iter().map(|planned| &planned.node);
        nodes
            .filter(move |node| has_array && node.data.is_some() && node.role != Role::BackupRepository)
            .map(|node| &*node.name)
    }

    /// The nodes beside which a tool stands ready for what befalls them.
    pub fn with_tool(&self, tool: Tool) -> BTreeSet<&str> {
        let faults = self.conditions.iter().chain(&self.faults);
        let hit = faults.filter(|fault| fault.kind.declared().tool() == Some(tool)).flat_map(|fault| &fault.victims);
        hit.map(String::as_str).collect()
    }

    /// Whether links are refused or changed at a node.
    pub fn has_helper(&self, node: &str) -> bool {
        self.with_tool(Tool::Helper).contains(node)
    }

    /// A backup that the drill takes.
    pub fn backup(&self, id: &str) -> Option<&PlannedBackup> {
        self.backups.iter().find(|backup| backup.id == id)
    }

    /// Whether a secondary environment has a part in it.
    pub fn has_secondary(&self) -> bool {
        self.steps().any(|step| matches!(step.kind, StepKind::SecondaryStep(_)))
    }

    /// Every step that the run may take, in order.
    pub fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.recovery.procedure.iter().chain(&self.recovery.afterwards)
    }

    /// When the first fault strikes, after the start of the load or the end of the last backup; a control has none.
    pub fn first_fault(&self) -> Option<Duration> {
        self.faults.first().and_then(|fault| fault.at)
    }
}

/// How long something may take where the declaration says nothing.
pub(crate) fn or_default(within: Option<Span>, default_ms: u64) -> Duration {
    within.unwrap_or(Span::from_ms(default_ms)).duration()
}
