//! Scenario and seed to an immutable [`Plan`] of typed steps, with victims and times chosen.
//!
//! Pure: no I/O, no clock. What a plan says is what a run does; its text form ([`text`]) is what `blackstart plan`
//! prints and what the snapshot tests hold.

mod build;
mod draw;
pub mod random;
pub mod text;

use std::{collections::BTreeMap, time::Duration};

pub use build::build;
pub use draw::{Draw, draws};

use crate::scenario::{
    Declared,
    drill::{Darkness, Detect, Recoverer, ServiceLevel},
    system::{Check, Command, Database, Node, Request, SqlQuestion},
    units::{Bandwidth, Span},
};

/// What one run will do. Nothing is decided while it runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The declaration that it was made from.
    pub declared: Declared,
    /// The seed of every draw.
    pub seed: u64,
    /// The nodes, in the order in which they are started.
    pub nodes: Vec<PlannedNode>,
    /// The nodes whose network namespace a helper joins, so that links can be cut or slowed there.
    pub helpers: Vec<String>,
    /// What the clients do.
    pub load: PlannedLoad,
    /// What is put in place before the load.
    pub conditions: Vec<PlannedFault>,
    /// What breaks, in the order of time.
    pub faults: Vec<PlannedFault>,
    /// How failure is detected and recovered.
    pub recovery: PlannedRecovery,
    /// What counts as service.
    pub service_level: ServiceLevel,
    /// The checks, by level and then as declared.
    pub checks: Vec<Check>,
}

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
    pub survivors: SqlQuestion,
}

/// A fault with its victims and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFault {
    /// Its kind, as the scenario names it.
    pub kind: &'static str,
    /// When, after the start of the load; conditions have none.
    pub at: Option<Duration>,
    /// When the harness heals it, after it was put in place.
    pub heal_after: Option<Duration>,
    /// What is done.
    pub action: FaultAction,
    /// The nodes that it hits, in the order of the system.
    pub victims: Vec<String>,
    /// What is done, in words.
    pub summary: String,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// Kill the victims.
    Kill,
    /// Freeze the victims.
    Freeze,
    /// Drop what arrives at the node on the left from the nodes on the right.
    Cut {
        /// Node to the nodes that it refuses.
        refuses: BTreeMap<String, Vec<String>>,
    },
    /// Let a link carry only so much.
    SlowLink {
        /// The node that sends.
        from: String,
        /// The node that receives.
        to: String,
        /// What the link carries.
        bandwidth: Bandwidth,
    },
}

impl FaultAction {
    /// Whether ending the fault brings the victims back as they were.
    pub const fn is_reversible(&self) -> bool {
        !matches!(self, Self::Kill)
    }
}

impl From<Darkness> for &'static str {
    fn from(by: Darkness) -> Self {
        match by {
            Darkness::Killed => "killed",
            Darkness::Frozen => "frozen",
            Darkness::CutOff => "cut-off",
        }
    }
}

/// How failure is detected and recovered.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRecovery {
    /// Who recovers.
    pub by: Recoverer,
    /// How failure is detected.
    pub detect: Option<Detect>,
    /// How long a person takes to decide.
    pub decision: Duration,
    /// Why a person's decision is left out, where it is.
    pub excluded: Option<String>,
    /// The steps until service is back.
    pub procedure: Vec<PlannedStep>,
    /// The steps after it.
    pub afterwards: Vec<PlannedStep>,
    /// How long after the fault the drill gives up.
    pub within: Duration,
}

/// One step of a procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// What it does, in words.
    pub name: String,
    /// What is done.
    pub action: StepAction,
    /// How long it may take.
    pub within: Duration,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAction {
    /// Run one of the system's operations on a node.
    Operation {
        /// Its name.
        name: String,
        /// The node.
        node: String,
        /// The command.
        run: Vec<String>,
    },
    /// Take the power of a node away.
    PowerOff {
        /// The node.
        node: String,
    },
    /// Start a node that is down.
    Start {
        /// The node.
        node: String,
    },
    /// End every reversible fault that is in place.
    Heal {
        /// Wait so long afterwards.
        settle: Duration,
    },
    /// Wait until a node takes writes.
    AwaitWriter {
        /// The database.
        database: Database,
        /// Its name.
        name: String,
        /// The node.
        node: String,
    },
    /// Run a command on a node.
    Command(Command),
    /// Try to write where nothing may be written.
    RefusesWrites {
        /// The node.
        node: String,
        /// The database.
        database: Database,
        /// Its name.
        name: String,
        /// The role that tries.
        user: String,
        /// What it tries.
        statement: String,
    },
}

impl Plan {
    /// The planned node of a name.
    pub fn node(&self, name: &str) -> Option<&PlannedNode> {
        self.nodes.iter().find(|planned| planned.node.name == name)
    }

    /// The database in which a question is asked.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.declared.system.databases.get(name)
    }

    /// Every step that the run may take, in order.
    pub fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.recovery.procedure.iter().chain(&self.recovery.afterwards)
    }

    /// When the first fault strikes, after the start of the load; a control has none.
    pub fn first_fault(&self) -> Option<Duration> {
        self.faults.first().and_then(|fault| fault.at)
    }
}

/// How long something may take where the declaration says nothing.
pub(crate) fn or_default(within: Option<Span>, default_ms: u64) -> Duration {
    within.unwrap_or(Span::from_ms(default_ms)).duration()
}
