//! The narrow ports through which a drill acts, and their two implementations.
//!
//! [`docker`] drives real containers; [`simulated`] is a seeded model under a virtual clock that knows the truth. A
//! module asks only for the ports that it uses: verification, say, gets none that changes anything. What a port cannot
//! do ends in a [`WorldError`], which is about us and never a verdict about the system.

pub mod docker;
mod error;
mod network;
mod remains;
pub mod simulated;
mod storage;
mod walls;

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use async_trait::async_trait;
use blackstart_reports::record;

pub use error::{WorldError, WorldErrorKind};
pub use network::{Impairment, Network, Packets};
pub use remains::{Found, FoundKind, Remains};
pub use storage::{ArraySpec, DiskState, Marks, Pool, Saved, Storage};
pub use walls::{Limits, WaysOut};

use crate::{
    files::Reach,
    plan::Plan,
    scenario::{
        rights::Capability,
        system::{ClusterChange, Database, Property, Request},
    },
};

/// What a world gives back.
pub type Result<T> = std::result::Result<T, WorldError>;

/// An image that nodes run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSpec {
    /// Its name in the system's declaration.
    pub name: String,
    /// Where it comes from.
    pub source: ImageSource,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// Built from a folder, with programs of ours added to its context.
    Build {
        /// The folder with the Dockerfile.
        folder: std::path::PathBuf,
        /// What may be read of it.
        reach: Reach,
        /// The programs of this repository, by name; whoever builds the image finds them.
        programs: Vec<String>,
    },
    /// There already, or to be pulled.
    Existing(String),
}

/// Something that a run makes and must remove. Removal goes in reverse order of making.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// The private network of the run and the edge network that reaches out of it.
    Networks,
    /// The storage array, with its pools.
    Array(ArraySpec),
    /// The volume of a node.
    Volume { node: String },
    /// The disk of a node in the storage array. It stands for the node's volume.
    Disk {
        node: String,
        /// The saved state that it begins with; none for an empty one.
        from: Option<Saved>,
    },
    /// A node, made and not started.
    Node(Box<NodeSpec>),
    /// What lets the harness reach into the private network: one published port for each node and port.
    Relay {
        /// Where it leads.
        targets: Vec<RelayTarget>,
    },
    /// A helper in a running node's network namespace.
    Helper { node: String },
    /// What can empty a node's volume at a moment's notice.
    Wiper { node: String },
}

impl Resource {
    /// Its name within the run, as the ledger writes it.
    pub fn name(&self) -> String {
        match self {
            Self::Networks => "networks".to_owned(),
            Self::Array(_) => "array".to_owned(),
            Self::Volume { node } => format!("volume of {node}"),
            Self::Disk { node, .. } => format!("disk of {node}"),
            Self::Node(spec) => format!("node {}", spec.name),
            Self::Relay { .. } => "relay".to_owned(),
            Self::Helper { node } => format!("helper of {node}"),
            Self::Wiper { node } => format!("wiper of {node}"),
        }
    }
}

/// A port of a node that the harness reaches through the relay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayTarget {
    pub node: String,
    /// The last part of its address.
    pub host: u8,
    pub port: u16,
}

/// A node to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSpec {
    /// Its name and host name.
    pub name: String,
    /// The name of its image in the declaration.
    pub image: String,
    /// The command, where it is not the image's own.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// The last part of its address.
    pub host: u8,
    /// The other nodes and the last part of their addresses.
    pub neighbours: Vec<(String, u8)>,
    /// Where its volume is mounted.
    pub data: Option<String>,
    /// Files to copy in: where to, and what.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where the run's password goes.
    pub password_file: Option<String>,
    /// A port that clients outside reach.
    pub published: Option<u16>,
    /// The rights of root that its programs have.
    pub capabilities: Vec<Capability>,
    /// What it may take of its machine.
    pub limits: Limits,
}

/// What a node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// Its processes run.
    Running,
    /// Its processes are paused.
    Paused,
    /// It has no processes.
    Down,
}

/// What a command gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// Its exit status.
    pub status: i64,
    /// What it printed, both streams, cut at 64 KiB.
    pub output: String,
}

impl CommandOutput {
    /// What a command printed that succeeded; one that did not is an answer of the system's.
    ///
    /// # Errors
    /// When its exit status is not 0.
    pub fn success(self, doing: impl Into<String>) -> Result<String> {
        let output = self.output.trim();
        if self.status == 0 {
            return Ok(output.to_owned());
        }
        let happened = format!("exit status {}: {output}", self.status);
        Err(WorldError::new(WorldErrorKind::Answered, doing, happened))
    }
}

/// What a client sends. Its text is made by the world that needs one: the model does not.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub token: &'a str,
    /// The name of the request in the declaration.
    pub kind: &'a str,
    pub declared: &'a Request,
    /// The number for its body.
    pub number: u32,
    /// How long to wait for an answer.
    pub deadline: Duration,
}

impl Outgoing<'_> {
    pub fn method(&self) -> &str {
        self.declared.method.as_deref().unwrap_or("POST")
    }

    /// The path, filled in.
    pub fn path(&self) -> String {
        self.fill(&self.declared.path)
    }

    /// The body, filled in.
    pub fn body(&self) -> Option<String> {
        self.declared.body.as_deref().map(|body| self.fill(body))
    }

    fn fill(&self, text: &str) -> String {
        text.replace("${token}", self.token).replace("${number}", &self.number.to_string())
    }
}

/// What came back to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer with this status.
    Answer {
        /// The HTTP status.
        status: u16,
    },
    /// The request never left: no connection could be made.
    NotSent {
        /// Why.
        reason: String,
    },
    /// It was sent, and no answer came.
    NoAnswer {
        /// Why.
        reason: String,
    },
}

/// Where a question to a database goes.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlTarget {
    pub node: String,
    /// The name of the database.
    pub database: String,
    /// How it is asked.
    pub access: Database,
}

/// Rows as text, `None` for null.
pub type Rows = Vec<Vec<Option<String>>>;

/// A moment, as a database server itself knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Its clock, in its own words.
    pub time: String,
    /// Its position in the log, in its own words.
    pub position: String,
}

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What the scenario calls it.
    pub id: String,
    /// By which a restore finds it.
    pub label: String,
    /// Its size.
    pub bytes: u64,
    /// Where the array took it: the saved state of each node's disk.
    pub disks: BTreeMap<String, Saved>,
}

/// A backup or a restore that stands still in the middle.
pub struct HalfDone {
    /// What it had done by then, in its own words.
    pub seen: String,
    /// Goes on once it is awaited, and gives what comes of it.
    pub rest: Pin<Box<dyn Future<Output = Result<CommandOutput>> + Send>>,
}

/// What a damaged backup looked like.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Corrupted {
    /// What was touched.
    pub what: String,
    /// Its sum before.
    pub before: String,
    /// Its sum after.
    pub after: String,
}

/// How far the log is replayed after a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// As far as it goes.
    End,
    /// No further than the backup needs.
    Backup,
    /// To a point that was marked, by its label.
    Named(String),
    /// To just before a time.
    Time(String),
    /// To just before a position.
    Position(String),
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::End => f.write_str("end"),
            Self::Backup => f.write_str("backup"),
            Self::Named(label) => write!(f, "name:{label}"),
            Self::Time(time) => write!(f, "time:{time}"),
            Self::Position(position) => write!(f, "position:{position}"),
        }
    }
}

/// What came of an attempt to write where nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAttempt {
    /// The server refused, in its own words.
    Refused(String),
    /// The server would have taken it.
    Accepted,
}

/// What the model of the simulated world knows about one of its properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelAnswer {
    /// How many deviations there are.
    pub deviations: u64,
    /// What it looked at.
    pub detail: String,
}

/// Making and removing.
#[async_trait]
pub trait Provision: Send + Sync {
    /// Makes sure that the images exist. Says what it does through `progress`. Gives tag and digest by name.
    async fn prepare_images(
        &self,
        images: &[ImageSpec],
        progress: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<BTreeMap<String, String>>;

    /// Makes one thing. Everything that it makes on the engine carries the run's label.
    async fn create(&self, resource: &Resource) -> Result<()>;

    /// Removes one thing, whatever state it is in. What is not there is no error.
    async fn remove(&self, resource: &Resource) -> Result<()>;

    /// Whether whoever carries this out still answers. One that is gone, or hangs, is an engine that is gone.
    async fn answers(&self) -> Result<()>;

    /// What still carries the run's label.
    async fn leftovers(&self) -> Result<Vec<String>>;

    /// What this world is made of, for the record: versions, kernel, machine.
    async fn environment(&self) -> BTreeMap<String, String>;

    /// The last lines that a node printed.
    async fn logs(&self, node: &str) -> Result<String>;
}

/// The power of nodes.
#[async_trait]
pub trait Power: Send + Sync {
    /// Starts a node that is down.
    async fn start(&self, node: &str) -> Result<()>;
    /// Kills every process of a node at once, and returns as soon as the kill has been delivered: what the engine then
    /// does to clear up takes longer, and is no part of the disaster. [`Power::await_down`] waits for that.
    async fn kill(&self, node: &str) -> Result<()>;
    /// Asks a node to stop, and waits until it has: a clean shutdown.
    async fn stop(&self, node: &str, within: Duration) -> Result<()>;
    /// Waits until a killed node has no process left.
    async fn await_down(&self, node: &str) -> Result<()>;
    /// Pauses every process of a node.
    async fn pause(&self, node: &str) -> Result<()>;
    /// Unpauses a paused node.
    async fn unpause(&self, node: &str) -> Result<()>;
    /// What a node is doing.
    async fn state(&self, node: &str) -> Result<NodeState>;
}

/// Commands on nodes.
#[async_trait]
pub trait Commands: Send + Sync {
    /// Runs a command on a node, by the management path, which no fault touches.
    async fn run(&self, node: &str, command: &[String], within: Duration) -> Result<CommandOutput>;
    /// Runs one of the system's operations. `name` is what the model of the simulated world goes by.
    async fn operate(
        &self,
        does: Option<ClusterChange>,
        node: &str,
        command: &[String],
        within: Duration,
    ) -> Result<CommandOutput>;
}

/// Backups and restores, by the commands that the system declares. A command that fails is an answer, not an error.
#[async_trait]
pub trait Backups: Send + Sync {
    /// Takes a backup: runs the command on a node, which prints where it lies and how large it is.
    async fn back_up(&self, id: &str, node: &str, command: &[String], within: Duration) -> Result<Taken>;
    /// Begins a backup with a command that stands still half-way. One that ends before it does so is an error.
    async fn begin_back_up(&self, id: &str, node: &str, command: &[String], within: Duration) -> Result<HalfDone>;
    /// Begins a restore with a command that stands still half-way. One that ends before it does so is an error.
    async fn begin_restore(&self, node: &str, command: &[String], within: Duration) -> Result<HalfDone>;
    /// Restores a backup on a node that runs, and replays the log up to a point.
    async fn restore(
        &self,
        node: &str,
        backup: &Taken,
        point: &Point,
        command: &[String],
        within: Duration,
    ) -> Result<CommandOutput>;
}

/// Damage to data.
#[async_trait]
pub trait Damage: Send + Sync {
    /// Removes everything on the volume of a node that is down and has a wiper. Gives how many files there were, and how many are left.
    async fn wipe(&self, node: &str) -> Result<(u64, u64)>;
    /// Damages a backup where it is kept, by the command that the system declares. Gives what it touched, and the sums
    /// before and after.
    async fn corrupt(&self, node: &str, backup: &Taken, command: &[String], within: Duration) -> Result<Corrupted>;
    /// Commits a change, as the role given. Gives the moment just before it, and how many rows it changed.
    async fn change(&self, target: &SqlTarget, user: &str, statement: &str, within: Duration) -> Result<(Moment, u64)>;
}

/// Requests of clients.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Sends one request to the service and waits for its answer until its deadline.
    async fn send(&self, request: &Outgoing<'_>) -> Reply;
}

/// Questions that change nothing.
#[async_trait]
pub trait Questions: Send + Sync {
    /// Asks a database, in a read-only transaction.
    async fn query(&self, target: &SqlTarget, query: &str, within: Duration) -> Result<Rows>;
    /// Asks a node over HTTP: status and body.
    async fn get(&self, node: &str, port: u16, path: &str, within: Duration) -> Result<(u16, String)>;
    /// Asks a node by a command that changes nothing.
    async fn read(&self, node: &str, command: &[String], within: Duration) -> Result<CommandOutput>;
    /// Tries to write as the role given, in a transaction that is rolled back.
    async fn attempt_write(
        &self,
        target: &SqlTarget,
        user: &str,
        statement: &str,
        within: Duration,
    ) -> Result<WriteAttempt>;
    /// What a model knows of itself; a real world knows nothing but what it is asked.
    fn model(&self, property: Property) -> Option<ModelAnswer>;
}

/// A world: every port.
pub trait World: Provision + Power + Network + Commands + Backups + Storage + Damage + Traffic + Questions {
    fn kind(&self) -> record::World;

    /// A world beside this one, for a copy that is restored in isolation: networks and nodes of its own, the same names
    /// and the same password, no way from one to the other. The backup repositories of the plan hold there what they hold here, and
    /// cannot be written.
    fn beside(&self, environment: &str, plan: &Plan) -> Result<std::sync::Arc<dyn World>>;

    /// Clients are sent here from now on, which only a model has to be told.
    fn serve_clients(&self) {}
}
