//! Scenario and seed to an immutable [`Plan`] of typed steps, with victims and times chosen.
//!
//! Pure: no I/O, no clock. What a plan says is what a run does; its text form ([`text`]) is what `blackstart plan`
//! prints and what the snapshot tests hold.

mod build;
mod draw;
pub mod random;
pub mod text;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use build::{build, fill_in_all, isolated, restore_step, steps};
pub use draw::{Draw, draws};

use crate::scenario::{
    Declared,
    backup::ArrayCopy,
    drill::{Alert, Detect, Interruption, Recoverer, RestoreTo, ServiceLevel},
    fault::{Darkness, Spoiling},
    secondary::Environment,
    system::{Check, Command, Database, HalfWay, Node, Request, Role, SqlQuestion},
    units::{Bandwidth, Span},
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
    /// The nodes whose network namespace a helper joins, so that links can be cut or slowed there.
    pub helpers: Vec<String>,
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
    pub spoil: Option<Vec<String>>,
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
    /// A command.
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
    /// Its kind, as the scenario names it.
    pub kind: &'static str,
    /// When, after the start of the load or the end of the last backup; conditions have none.
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
    /// Kill the victims, and remove everything on their volumes.
    LoseData,
    /// Commit what must not be.
    BadChange {
        /// The database.
        database: String,
        /// The role that makes the change.
        user: String,
        /// The change.
        statement: String,
        /// What lists what must not be.
        shows: String,
    },
    /// Cut the power of the victims' disks, which loses what was not flushed, and kill them.
    LosePower,
    /// Fill the victims' disks.
    FillDisk,
    /// Take the victims' disks away while they run.
    FailDisk,
    /// Kill the victims, and take away the disks of those that have one.
    LoseSite,
    /// Damage a backup where it is kept.
    SpoilBackup {
        /// The backup.
        backup: PlannedBackup,
        /// What happens to it.
        by: Spoiling,
    },
}

impl FaultAction {
    /// Whether ending the fault brings the victims back as they were.
    pub const fn is_reversible(&self) -> bool {
        matches!(self, Self::Freeze | Self::Cut { .. } | Self::SlowLink { .. } | Self::FillDisk)
    }

    /// Whether it can take service or work away. What befalls a backup shows only when it is restored.
    pub const fn takes_service(&self) -> bool {
        !matches!(self, Self::SpoilBackup { .. })
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
    /// How damage is detected that no request shows.
    pub alert: Option<Alert>,
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
    /// Put a backup back on a node, and replay the log up to a point.
    Restore {
        /// The node.
        node: String,
        /// The backup.
        backup: PlannedBackup,
        /// How far the log is then replayed.
        to: RestoreTo,
        /// What makes it start again.
        interrupted: Option<Interruption>,
    },
    /// Put back, on every disk of the array, what a backup holds.
    Revert {
        /// The backup.
        backup: PlannedBackup,
    },
    /// Do something at the secondary environment.
    Secondary(SecondaryAction),
    /// Send clients to another environment.
    Redirect {
        /// The environment.
        to: Environment,
    },
    /// Put what the secondary environment has onto the disks of the primary one, and start that.
    BringBack,
}

/// What is done at the secondary environment.
#[derive(Debug, Clone, PartialEq)]
pub enum SecondaryAction {
    /// Make images and networks.
    Install,
    /// Lay disks from a backup.
    Disks {
        /// The backup.
        backup: String,
        /// The nodes.
        nodes: Vec<String>,
    },
    /// Make and start nodes.
    Start {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// Run a command.
    Run(Command),
    /// Demand that the checks of some levels hold.
    Check {
        /// The levels.
        levels: Vec<u8>,
    },
    /// Shut it down cleanly.
    ShutDown,
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

    /// The nodes whose data lies on disks of the storage array, in the order of the system. Vaults keep volumes of their own.
    pub fn disks(&self) -> impl Iterator<Item = &str> {
        let has_array = self.declared.system.storage.is_some();
        let nodes = self.nodes.iter().map(|planned| &planned.node);
        nodes.filter(move |node| has_array && node.data.is_some() && node.role != Role::Vault).map(|node| &*node.name)
    }

    /// The nodes whose volumes are emptied.
    pub fn volumes_lost(&self) -> impl Iterator<Item = &str> {
        let lost = self.faults.iter().filter(|fault| fault.action == FaultAction::LoseData);
        let names: std::collections::BTreeSet<&str> =
            lost.flat_map(|fault| &fault.victims).map(String::as_str).collect();
        names.into_iter()
    }

    /// Whether a secondary environment has a part in it.
    pub fn has_secondary(&self) -> bool {
        self.steps().any(|step| matches!(step.action, StepAction::Secondary(_)))
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
