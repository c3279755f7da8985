//! What a user declares of a drill: the load, the disaster, the recovery, and what is expected of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    system::{Command, Replication},
    units::{Bandwidth, Moment, OneOf, Rate, Share, Span},
};

/// One drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its identifier, also its file's name.
    pub scenario: String,
    /// One line that says what happens.
    pub title: String,
    /// The system, as a file relative to this one.
    pub system: String,
    /// The requirements that it exercises.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The class of disaster.
    pub disaster: DisasterClass,
    /// Whether primaries wait for their standbys, where it is not as the system declares.
    pub replication: Option<Replication>,
    /// What clients do.
    pub load: Load,
    /// The probe that measures the outage.
    pub probe: Probe,
    /// What is in place from the start of the load on, and is no fault: a slow link, say.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// What breaks. A control has none.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How it is recovered.
    pub recovery: Recovery,
    /// What counts as service.
    #[serde(default)]
    pub service_level: ServiceLevel,
    /// What is demanded.
    pub targets: Targets,
    /// Deviations that are tolerable, at level 3 and above.
    #[serde(default)]
    pub tolerate: Vec<Tolerance>,
}

/// The class of a disaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisasterClass {
    /// Where it comes from.
    pub origin: Origin,
    /// Its cause.
    pub cause: Cause,
}

/// Where a disaster comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Flood, storm, fire, earthquake.
    Natural,
    /// Everything that people do or build.
    ManMade,
    /// None: a control.
    None,
}

/// The cause of a disaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A force of nature.
    Nature,
    /// Power, network, hardware.
    InfrastructureFailure,
    /// A defect of a program.
    SoftwareBug,
    /// A change that went wrong.
    FailedChange,
    /// None: a control.
    None,
}

/// What clients do: requests at a fixed rate, whether or not earlier ones have been answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// How many requests are intended in a second.
    pub rate: Rate,
    /// The requests, each with its weight.
    pub mix: BTreeMap<String, u32>,
    /// How long a client waits for an answer.
    pub deadline: Span,
}

/// A steady request that measures the outage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The request, by the name that the system gives it. It must be one that writes.
    pub request: String,
    /// How often.
    pub every: Span,
    /// How long it waits for an answer.
    pub deadline: Span,
}

/// What is in place from the start of the load on. Exactly one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The link from one node to another carries only so much.
    pub slow_link: Option<SlowLink>,
}

/// A link with little bandwidth, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowLink {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// What the link carries.
    pub bandwidth: Bandwidth,
}

/// A fault: when, and exactly one kind of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When, counted from the start of the load.
    pub at: Moment,
    /// How long after it the harness heals it by itself, where the procedure does not.
    pub heal_after: Option<Span>,
    /// A node's processes are killed.
    pub kill: Option<NodeVictim>,
    /// A node's processes are frozen.
    pub pause: Option<NodeVictim>,
    /// A whole zone goes dark.
    pub zone_dark: Option<ZoneDark>,
    /// Nodes refuse what comes from, and do not reach, others.
    pub cut: Option<Cut>,
}

/// A fault that hits one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeVictim {
    /// The node, or several of which the seed draws one.
    pub node: OneOf,
}

/// A whole zone goes dark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneDark {
    /// The zone, or several of which the seed draws one.
    pub zone: OneOf,
    /// By which mechanism.
    pub by: Darkness,
}

/// How a zone goes dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Darkness {
    /// Every node in it is killed: its power is gone.
    Killed,
    /// Every node in it is frozen: it is there, and answers nothing.
    Frozen,
    /// Every node in it is cut off from everything outside it, in both directions, and lives on.
    CutOff,
}

/// A cut in the network: a map from a node to the nodes that it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Packets that arrive at the node on the left from a node on the right are dropped. Name both directions to cut
    /// both; a one-way cut names one.
    pub refuses: BTreeMap<String, Vec<String>>,
}

/// How the system is recovered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Who recovers: the system by itself (the harness only watches), or the procedure below.
    pub by: Recoverer,
    /// How the failure is detected.
    pub detect: Option<Detect>,
    /// The time that a person takes to decide.
    pub decision: Option<Decision>,
    /// The steps, in order.
    #[serde(default)]
    pub procedure: Vec<Step>,
    /// How long after the fault service may take to come back before the drill gives up; 60 s where nothing is said.
    pub within: Option<Span>,
    /// Steps after service is back: healing, the return of nodes, restoring redundancy.
    #[serde(default)]
    pub afterwards: Vec<Step>,
}

/// Who recovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recoverer {
    /// The system itself.
    System,
    /// The declared procedure.
    Procedure,
    /// Nobody: nothing is expected to break.
    Nobody,
}

/// How a failure is detected: so many failures of a request in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// The request, by the name that the system gives it.
    pub request: String,
    /// How often it is tried.
    pub every: Span,
    /// How long each try waits.
    pub deadline: Span,
    /// How many failures in a row make a detection.
    pub failures: u32,
}

/// The time that a person takes to decide on the recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// How long it takes; it is waited for, and counts.
    pub takes: Option<Span>,
    /// Why it is left out of the measured time.
    pub excluded: Option<String>,
}

/// A step of a procedure. Exactly one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Why, in words.
    pub about: Option<String>,
    /// An operation of the system's on a node: `{promote: db-b}`, `{fence: db-a}`.
    pub operation: Option<OperationStep>,
    /// Take a node's power away, out of band.
    pub power_off: Option<NodeName>,
    /// Start a node that is down.
    pub start: Option<NodeName>,
    /// End every reversible fault that is in place.
    pub heal: Option<HealStep>,
    /// Wait until a node takes writes.
    pub await_writer: Option<AwaitWriter>,
    /// Run a command of one's own on a node.
    pub command: Option<Command>,
    /// Try to write where nothing may be written, and demand a refusal.
    pub refuses_writes: Option<RefusesWrites>,
}

/// A node's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeName {
    /// The node.
    pub node: String,
}

/// An operation of the system's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationStep {
    /// Its name under the system's `operations`.
    pub name: String,
    /// The node on which it runs.
    pub node: String,
    /// What stands for `${argument}` in it.
    pub argument: Option<String>,
}

/// End every reversible fault that is in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealStep {
    /// Wait so long afterwards, for what returns to settle.
    pub settle: Span,
}

/// Wait until a node takes writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitWriter {
    /// The database, by the name given under the system's `databases`.
    pub database: String,
    /// The node.
    pub node: String,
    /// How long it may take.
    pub within: Span,
}

/// Try to write where nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusesWrites {
    /// The node.
    pub node: String,
    /// The database, by the name given under the system's `databases`.
    pub database: String,
    /// The role that tries: that of the applications.
    pub user: String,
    /// What it tries. It runs in a transaction that is rolled back.
    pub statement: String,
}

/// What counts as service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceLevel {
    /// The share of the throughput before the fault.
    pub throughput: Share,
    /// The share of requests that may fail.
    pub errors: Share,
    /// For how long both must hold; and they must hold to the end of the run.
    pub sustained_for: Span,
}

impl Default for ServiceLevel {
    fn default() -> Self {
        Self {
            throughput: Share::from_fraction(0.9),
            errors: Share::from_fraction(0.01),
            sustained_for: Span::from_ms(2000),
        }
    }
}

/// What is demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The recovery point.
    pub rpo: Option<RpoTarget>,
    /// The recovery time.
    pub rto: Option<RtoTarget>,
}

/// The recovery point demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpoTarget {
    /// Acknowledged writes that may be lost.
    pub lost_writes: Option<u64>,
    /// Acknowledged work that may be lost, as a span of time before the fault.
    pub time: Option<Span>,
}

/// The recovery time demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtoTarget {
    /// The most it may take.
    pub within: Span,
    /// From where to where it is measured.
    #[serde(default)]
    pub endpoint: RtoEndpoint,
}

/// From where to where a recovery time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RtoEndpoint {
    /// From the fault to sustained service.
    #[default]
    Service,
    /// From the start of recovery to sustained service.
    Recovery,
    /// From the fault to all levels verified.
    Verified,
}

/// Deviations that are tolerable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// The check, by its identifier. Level 3 or above.
    pub check: String,
    /// How many deviations.
    pub up_to: u64,
    /// Why.
    pub because: String,
}
