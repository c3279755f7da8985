//! What a user declares of a drill: the load, the disaster, the recovery, and what is expected of it.

use std::collections::BTreeMap;

pub use blackstart_evidence::declared::{RpoTarget, RtoEndpoint, RtoTarget, ServiceLevel, Targets};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    fault::{Condition, Fault},
    question::Alert,
    step::Step,
    system::Replication,
    units::{Rate, Span},
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
    /// How the system is set up, by name of its parameter, where it is not as the system declares.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Whether primaries wait for their standbys, where it is not as the system declares.
    pub replication: Option<Replication>,
    /// What clients do.
    pub load: Load,
    /// The probe that measures the outage.
    pub probe: Probe,
    /// What is in place from the start of the load on, and is no fault: a slow link, say.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// How often backups are taken and the log is archived when it matters; it must be able to hold the RPO target.
    pub schedule: Option<Schedule>,
    /// The backups that this drill takes, one after the other, under load and before anything breaks.
    #[serde(default)]
    pub backups: Vec<TakenBackup>,
    /// Whether each of them is restored in isolation at the end, and put to every check.
    #[serde(default)]
    pub restore_test: bool,
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

/// How often data gets to a safe place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// From one backup to the next.
    pub backup_every: Span,
    /// How often the log is archived at the least; absent where it is not archived at all.
    pub archive_every: Option<Span>,
    /// How long a backup is kept.
    pub keep: Option<Span>,
}

/// A backup that the drill takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenBackup {
    /// What this scenario calls it; unique.
    pub id: String,
    /// How, by the name given under the system's `backups`.
    pub method: String,
    /// How long to wait before it, after the one before or the start of the load.
    pub after: Option<Span>,
    /// Kill a backup repository in the middle of it, so that it never gets complete. The backup repository is started again.
    pub interrupted: Option<Interruption>,
    /// What its restore test must come to. A backup that is taken to show that its method is of no use is expected to be invalid, and
    /// fails the drill where it is not.
    #[serde(default)]
    pub expect: Expectation,
}

/// What the restore test of a backup must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// It can be restored, and is well.
    #[default]
    Valid,
    /// It cannot, or is not.
    Invalid,
}

/// A kill in the middle of a backup or of a restore, once it is seen to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// The node that is killed.
    pub kill: String,
}

/// How the system is recovered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Who recovers: the system by itself (the harness only watches), or the procedure below.
    pub by: Recoverer,
    /// How the failure is detected.
    pub detect: Option<Detect>,
    /// How damage is detected that no request shows.
    pub alert: Option<Alert>,
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
