//! What a user declares of a system: where its nodes stand, what runs on them, how they are asked, and how this system
//! does what a drill demands of it.
//!
//! In strings of `environment` and `run`, these stand for what the plan knows of the node itself: `${node}`, `${zone}`,
//! `${upstream}` (the primary that a standby follows), `${peers}` (the other databases of its cluster),
//! `${synchronous}` (the standbys that a primary waits for), each a list separated by blanks; and where a scenario takes
//! backups, `${repository}` (the node that keeps them), `${clustered}` (every database whose backups it keeps),
//! `${archive}` (`on`, or `off` for a copy that was restored in isolation) and `${archive_seconds}` (how often the log is
//! sent there at the least). What a system declares as its parameters stands there by its own name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::half_way::HalfWay;
use super::{
    backup::{BackupMethod, DataClass, Storage},
    check::Check,
    question::{Asked, Criterion, Ready, database_of},
    rights::{Capability, NodeLimits},
    selftest::{Defect, SelfTest},
    units::Span,
};

/// A system: a topology with its checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its name, also its file's name.
    pub system: String,
    /// What it is, in a sentence or two.
    pub about: String,
    /// Where copies of its data may lie; absent where that is not restricted.
    pub residency: Option<Residency>,
    /// Its sites.
    pub sites: Vec<Site>,
    /// In which ways it can be set up, by name; a scenario chooses. In a node's strings, `${name}` stands for what is chosen.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The images that its nodes run, by name.
    pub images: BTreeMap<String, Image>,
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// The storage array on whose disks the data of the nodes lies; absent where each has a volume of its own.
    pub storage: Option<Storage>,
    /// How its databases are asked, by name of the database.
    #[serde(default)]
    pub databases: BTreeMap<String, Database>,
    /// Commands that make a fresh system ready for work, in order.
    #[serde(default)]
    pub setup: Vec<Command>,
    /// How clients use it.
    pub service: Service,
    /// How this system does what a procedure asks of it, by name: `promote`, `fence`, `release`, or its own.
    #[serde(default)]
    pub operations: BTreeMap<String, Operation>,
    /// How its backups are taken and restored, by name of the method.
    #[serde(default)]
    pub backups: BTreeMap<String, BackupMethod>,
    /// The classes of its data, and how each has to come back.
    #[serde(default)]
    pub data_classes: Vec<DataClass>,
    /// What must hold after a recovery.
    pub checks: Vec<Check>,
    /// How a self-test makes it ready, and brings it back after each defect.
    pub selftest: Option<SelfTest>,
    /// What a self-test breaks on purpose, so that every check is seen to fail.
    #[serde(default)]
    pub defects: Vec<Defect>,
}

impl System {
    /// The database that holds the work of the clients: the one that is asked for survivors.
    pub fn work_database(&self) -> Option<(&str, &Database)> {
        database_of(self.service.survivors.kind.declared().database(), self)
    }

    /// No backup repository is made unless the scenario takes backups; nor is a method known then.
    pub fn leave_out_repositories(&mut self) {
        let repositories: Vec<String> = self
            .nodes
            .iter()
            .filter(|node| node.role == Role::BackupRepository)
            .map(|node| node.name.clone())
            .collect();
        self.nodes.retain(|node| node.role != Role::BackupRepository);
        self.setup.retain(|command| !repositories.contains(&command.on));
        self.backups.clear();
    }

    /// A spare on which nothing is restored is not made, and no database knows of it.
    pub fn leave_out_spares(&mut self, is_used: impl Fn(&str) -> bool) {
        let is_idle = |node: &Node| node.role == Role::Spare && !is_used(&node.name);
        let idle: Vec<String> = self.nodes.iter().filter(|node| is_idle(node)).map(|node| node.name.clone()).collect();
        self.nodes.retain(|node| !idle.contains(&node.name));
        self.databases.values_mut().for_each(|database| database.nodes.retain(|node| !idle.contains(node)));
    }
}

/// One of the ways in which a system can be set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it decides.
    pub about: String,
    /// What can be chosen. The first holds where a scenario does not choose.
    pub one_of: Vec<String>,
}

/// Where copies of the data may lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Residency {
    /// The region that no copy may leave. A node that holds data and belongs to no zone counts as standing in the
    /// first site.
    pub region: String,
}

/// A site, with the zones that fail apart from each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The region in which it stands.
    pub region: String,
    /// Its zones.
    pub zones: Vec<String>,
}

/// An image, built from a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The folder with its `Dockerfile`, relative to this file. Its tag is a digest of what it is built from.
    pub build: Option<String>,
    /// An image that exists, by name and tag, instead of `build`. It is pulled where it is missing.
    pub existing: Option<String>,
    /// Programs of this repository that are put into the build context. They are found beside the `blackstart` program.
    #[serde(default)]
    pub programs: Vec<String>,
    /// The rights of root that its programs need; all that may be given where nothing is said. Every other right is taken
    /// from a node.
    pub capabilities: Option<Vec<Capability>>,
}

/// What a node is to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A database that takes writes.
    Primary,
    /// A database that follows a primary and can be promoted.
    Standby,
    /// A replica of the application.
    Application,
    /// What clients reach the application through.
    Balancer,
    /// What shows the state of the work to people.
    Monitor,
    /// A database beside the replicated one, with no standby.
    Database,
    /// What keeps the backups of the replicated database. It is made only where a scenario takes backups.
    BackupRepository,
    /// A database server without data, on which a backup can be restored. It is made only where a scenario does that.
    Spare,
    /// Anything else.
    Other,
}

impl Role {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::Application => "application",
            Self::Balancer => "balancer",
            Self::Monitor => "monitor",
            Self::Database => "database",
            Self::BackupRepository => "backup-repository",
            Self::Spare => "spare",
            Self::Other => "other",
        }
    }

    /// Whether nodes of this role belong to the replicated cluster of the database.
    pub const fn is_clustered(self) -> bool {
        matches!(self, Self::Primary | Self::Standby | Self::Spare)
    }
}

/// Whether a primary waits for its standby before it acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// An acknowledged write is on the standby too.
    Synchronous,
    /// An acknowledged write may not have reached the standby yet.
    Asynchronous,
}

/// A node: one container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name, also its host name; unique.
    pub name: String,
    /// What it is to the system.
    pub role: Role,
    /// The zone in which it stands; a node without one belongs to no zone, and no zone's failure touches it.
    pub zone: Option<String>,
    /// The image that it runs, by the name given under `images`.
    pub image: String,
    /// The command, where it is not the image's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// The primary that a standby follows.
    pub of: Option<String>,
    /// Whether the primary waits for this standby.
    pub replication: Option<Replication>,
    /// Where its volume is mounted; a node with one holds a copy of the data.
    pub data: Option<String>,
    /// Its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files copied in before it starts.
    #[serde(default)]
    pub files: Vec<CopiedFile>,
    /// Where the run's password is put, as a file that only the node's programs read.
    pub password_file: Option<String>,
    /// Ports that the harness itself may reach, through its relay.
    #[serde(default)]
    pub observe: Vec<u16>,
    /// When it counts as ready.
    pub ready: Option<Ready>,
    /// What it may take of its machine.
    #[serde(default)]
    pub limits: NodeLimits,
}

/// A file copied into a node before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopiedFile {
    /// Where it is, relative to this file.
    pub from: String,
    /// Where it goes.
    pub to: String,
}

/// How a database is asked. The password is the run's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The nodes that may hold it; of a replicated cluster, all of them.
    pub nodes: Vec<String>,
    /// The port.
    pub port: u16,
    /// A role that can read everything and change nothing.
    pub user: String,
    /// How a server is recognised as the one that takes writes: a question that goes to each of them, and gives true or false,
    /// or is as expected where something is. A database with one server needs none, unless a check or a step demands that it
    /// takes writes.
    pub is_writer: Option<Criterion>,
    /// How a server is recognised as one that follows the writer, in the same way.
    pub is_replica: Option<Criterion>,
    /// What tells the moment as the server knows it, in the two forms to which a restore can go back: one row with its
    /// time and its position in the log.
    pub moment: Option<String>,
}

/// A command that runs on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What it does, in words.
    pub about: Option<String>,
    /// The node.
    pub on: String,
    /// The command and its arguments; no shell reads it.
    pub run: Vec<String>,
    /// How long it may take; 30 s where nothing is said.
    pub within: Option<Span>,
}

/// How this system does one thing that a procedure asks of it. It succeeds when it exits with 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What it does, in words.
    pub about: Option<String>,
    /// What it does to the cluster, where that is one of the few things of which a report tells, or that the model knows.
    pub does: Option<ClusterChange>,
    /// The command and its arguments, run on the node that the step names. `${argument}` is what the step gives it.
    pub run: Vec<String>,
    /// How long it may take.
    pub within: Span,
}

/// What an operation does to a cluster of databases, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterChange {
    /// A standby becomes the writer. The report tells the moment as a milestone.
    Promote,
    /// A server takes no more writes of applications.
    Fence,
    /// A fenced server takes writes again.
    Unfence,
    /// The writer waits for no standby any more.
    Release,
    /// The writer waits for the standby that is named as the argument.
    Require,
    /// A former writer follows the new one. The report tells the moment as a milestone.
    Rejoin,
    /// What watches the work forgets what the databases lost.
    Reconcile,
}

impl ClusterChange {
    /// The milestone that is reached with it.
    pub const fn milestone(self) -> Option<&'static str> {
        match self {
            Self::Promote => Some("promoted"),
            Self::Rejoin => Some("redundancy_restored"),
            Self::Fence | Self::Unfence | Self::Release | Self::Require | Self::Reconcile => None,
        }
    }

    /// Whether the node runs afterwards if it ran before.
    pub const fn keeps_running(self) -> bool {
        matches!(self, Self::Promote | Self::Rejoin)
    }
}

/// How clients use the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The node that clients reach.
    pub node: String,
    /// Its port.
    pub port: u16,
    /// The requests that clients make, by name.
    pub requests: BTreeMap<String, Request>,
    /// Which tokens the recovered system holds: the first cell of each row.
    pub survivors: Asked,
}

/// A request over HTTP. Each carries a token that is never used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method; POST where nothing is said.
    pub method: Option<String>,
    /// The path; `${token}` stands for the token.
    pub path: String,
    /// The body; `${token}` stands for the token and `${number}` for a number drawn by the seed.
    pub body: Option<String>,
    /// Answers by which the work is promised.
    pub acknowledged: Vec<u16>,
    /// Answers by which the work is definitely not done. Whatever is in neither list is indeterminate.
    pub refused: Vec<u16>,
}

/// A property that the model of the simulated world knows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// The databases answer.
    DatabaseServes,
    /// Exactly one database takes writes.
    OneWriter,
    /// Every zone that should serve does.
    ApplicationServes,
    /// The history of instances has no holes.
    InstancesLegal,
    /// The monitor's store and the engine's agree.
    StoresAgree,
    /// New work is carried out.
    WorkCompletes,
    /// New work becomes visible.
    WorkVisible,
}
