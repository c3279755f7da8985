//! The record of one drill: the facts that were stored, in the form that scripts depend on.
//!
//! `result.json` is this module, serialised. Fields are added, never renamed or given another meaning, within one
//! [`SCHEMA_VERSION`]. Times carry their unit as the last word of the name: `_ms` and `_seconds` are measured on the
//! run's one monotonic clock, whose origin is the start of the run.

mod backup;
mod load;

use std::collections::BTreeMap;

pub use backup::{Backup, Consistency, DataClass, RestoreTest};
pub use load::{Latency, LatencyBucket, Load, LoadStage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the record's form that this crate writes. It reads [version 1](crate::version_1) too.
pub const SCHEMA_VERSION: u32 = 2;

/// A closed interval: the measured quantity lies between `lower` and `upper`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval<T> {
    /// The least value that the observations allow.
    pub lower: T,
    /// The greatest value that the observations allow.
    pub upper: T,
}

impl<T: Copy> Interval<T> {
    /// An interval from its two ends.
    pub const fn new(lower: T, upper: T) -> Self {
        Self { lower, upper }
    }

    /// A quantity that is known exactly.
    pub const fn exactly(value: T) -> Self {
        Self { lower: value, upper: value }
    }
}

/// The outcome of a whole drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every target was met at its upper bound, and no level failed.
    Passed,
    /// A target was missed at its lower bound, or a level failed.
    Failed,
    /// The bounds straddle a target, or something needed for the evaluation was not exercised.
    Inconclusive,
    /// The drill itself could not run to its end: this says nothing about the system.
    CouldNotRun,
}

impl Verdict {
    /// The exit status of one run with this verdict and nothing left behind.
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::CouldNotRun => 3,
            Self::Inconclusive => 4,
        }
    }
}

/// How one measurement stands against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetVerdict {
    /// The upper bound meets the target.
    Passed,
    /// The lower bound misses the target.
    Failed,
    /// The target lies between the bounds.
    Inconclusive,
    /// There was nothing to lose: no healthy service before the fault, or, in a control, nothing of the kind that is evaluated.
    NotExercised,
    /// The scenario declares no such target.
    #[default]
    NotDeclared,
}

/// The outcome of one check, or of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The check ran and found what it demands.
    Passed,
    /// The check found a deviation that the scenario declares to be tolerable.
    Tolerated,
    /// The check found a deviation.
    Failed,
    /// The check did not run, because the drill ended or a deadline passed before it.
    NotReached,
    /// No check is declared here.
    NotDeclared,
    /// The check itself could not be carried out.
    Error,
}

/// Which world a drill ran in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// Real containers.
    Docker,
    /// A seeded model under a virtual clock. Never evidence.
    Simulated,
}

/// What broke, in the classes of a disaster plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disaster {
    /// `natural` or `man-made`.
    pub origin: String,
    /// Within man-made: `infrastructure-failure`, `software-bug` or `failed-change`; `none` for a control.
    pub cause: String,
}

/// The scenario that was drilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioRef {
    /// Its identifier, also its file's name.
    pub id: String,
    /// One line that says what happens.
    pub title: String,
    /// SHA-256 of the resolved scenario, in hexadecimal; empty where no evidence is kept.
    pub digest: String,
    /// The identifiers of the requirements that it exercises.
    pub covers: Vec<String>,
    /// The class of disaster.
    pub disaster: Disaster,
}

/// An RPO target. What is absent is not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RpoTarget {
    /// Acknowledged writes that may be lost.
    pub lost_writes: Option<u64>,
    /// Seconds of acknowledged work that may be lost.
    pub seconds: Option<f64>,
}

/// One acknowledged write that the recovered system does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LostWrite {
    /// The token of the request.
    pub token: String,
    /// What was asked for.
    pub kind: String,
    /// When it was sent.
    pub sent_ms: f64,
    /// When it was acknowledged.
    pub acknowledged_ms: f64,
    /// Whether it can still be read on the failed node; absent where that could not be asked.
    pub stranded: Option<bool>,
}

/// The measured recovery point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rpo {
    /// Whether service was healthy and writes were acknowledged shortly before the fault; if not, nothing here is a measurement.
    pub exercised: bool,
    /// Whether `seconds` is a measurement: in a control that lost nothing it is none.
    #[serde(default = "yes")]
    pub time_exercised: bool,
    /// Acknowledged writes lost: the lower end promised to a client, the upper end with unanswered ones that are missing.
    pub lost_writes: Interval<u64>,
    /// Seconds of acknowledged work lost: from the first write that is gone to the fault, or to the last one if that came later.
    pub seconds: Interval<f64>,
    /// How finely `seconds` can be told: the largest gap between acknowledgements near the fault.
    pub resolution_seconds: f64,
    /// Lost writes that are still readable on the failed node; absent where no failed node could be asked.
    pub stranded: Option<u64>,
    /// Unanswered writes that are present after recovery.
    pub recovered: u64,
    /// Refused writes that are present after recovery. Any makes the run an error.
    pub phantom: u64,
    /// Tokens present that were never sent.
    pub unexpected: u64,
    /// Tokens present more than once.
    pub duplicated: u64,
    /// Lost writes that were acknowledged before a surviving one: holes, more than mere replication lag.
    pub non_prefix_loss: u64,
    /// The target.
    pub target: RpoTarget,
    /// The measurement against the target.
    pub verdict: TargetVerdict,
    /// The lost writes, in the order of their acknowledgement.
    pub lost: Vec<LostWrite>,
}

/// The end points between which a recovery time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// From the fault to sustained service.
    Service,
    /// From the start of recovery to sustained service.
    Recovery,
    /// From the fault to all declared levels verified.
    Verified,
}

/// A span of time in which clients were not served as declared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outage {
    /// When it began: between the last good request before and the first failed one.
    pub began_ms: Interval<f64>,
    /// When it ended: between the last failed request and the first good one after; absent if it lasted to the end.
    pub ended_ms: Option<Interval<f64>>,
    /// Requests that failed in it.
    pub failed_requests: u64,
    /// Whether too few requests followed for the upper end of `ended_ms` to be a bound; it is then the end of the load.
    #[serde(default, skip_serializing_if = "is_false")]
    pub upper_is_sample: bool,
}

impl Outage {
    /// How long it lasted; none if it lasted to the end.
    pub fn seconds(&self) -> Option<Interval<f64>> {
        let ended = self.ended_ms?;
        let lower = (ended.lower - self.began_ms.upper).max(0.0) / 1e3;
        Some(Interval::new(lower, (ended.upper - self.began_ms.lower).max(0.0) / 1e3))
    }
}

fn yes() -> bool {
    true
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The measured recovery time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rto {
    /// Whether there was a fault, and healthy service before it; if not, no time here is a measurement. Outages are.
    #[serde(default = "yes")]
    pub exercised: bool,
    /// Fault to sustained service, in seconds; absent if service was never sustained.
    pub service: Option<Interval<f64>>,
    /// Start of recovery to sustained service, in seconds.
    pub recovery: Option<Interval<f64>>,
    /// Fault to all levels verified, in seconds.
    pub verified: Option<Interval<f64>>,
    /// Which of the three the target speaks of.
    pub endpoint: Endpoint,
    /// The target, in seconds.
    pub target: Option<f64>,
    /// The measurement against the target.
    pub verdict: TargetVerdict,
    /// Spans in which clients were not served, in order.
    pub outages: Vec<Outage>,
    /// What the declared procedure leaves out of the measured time, such as a person's decision.
    pub excluded: Vec<String>,
    /// From taking the recovered service down on purpose, to bring it back to where it came from, to sustained service, in
    /// seconds. It is planned, so it is not in the recovery time; where service does not come back, neither is `service` known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failback: Option<Interval<f64>>,
    /// The target of the failback, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failback_target: Option<f64>,
    /// The failback against its target.
    #[serde(default)]
    pub failback_verdict: TargetVerdict,
    /// Whether too few requests followed a partial outage for its upper end to be a bound; no target is met by it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub upper_is_sample: bool,
    /// The outage as an independent prober in a tight loop saw it, in the same run, where one was asked for.
    pub tight_loop_seconds: Option<Interval<f64>>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The identifier that the system declares.
    pub id: String,
    /// The outcome.
    pub status: Status,
    /// What it looked at and what it found, in one line.
    pub detail: String,
    /// How long it took.
    pub duration_ms: u64,
    /// What a pass of this check does not prove, as the system declares it.
    pub cannot_prove: Option<String>,
}

/// One of the six levels of verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelResult {
    /// 1 to 6.
    pub level: u8,
    /// Its name.
    pub name: String,
    /// The worst of its checks.
    pub status: Status,
    /// Its checks, in the order declared.
    pub checks: Vec<CheckResult>,
}

/// A fault as it was put in place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultResult {
    /// Its kind, as the scenario names it.
    pub kind: String,
    /// One line of words: what was done to whom.
    pub summary: String,
    /// The nodes that it hit.
    pub victims: Vec<String>,
    /// How it was seen to bite: what was tried, and what came back.
    pub proof: String,
    /// The interval within which it was put in place.
    pub began_ms: Interval<f64>,
    /// When it was healed; absent if it was not.
    pub healed_ms: Option<Interval<f64>>,
}

/// One step of the recovery procedure as it was carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepResult {
    /// What it does, in words.
    pub name: String,
    /// When it started.
    pub began_ms: f64,
    /// How long it took.
    pub duration_ms: f64,
    /// The outcome.
    pub status: Status,
    /// What came back.
    pub detail: String,
}

/// A phase of the drill, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// How well the harness itself kept time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HarnessHealth {
    /// The longest time by which the harness's own timer was late.
    pub longest_stall_ms: f64,
    /// Whether that exceeds half the probe interval, so that the bounds deserve suspicion.
    pub degraded: bool,
}

/// One line of the run's timeline, for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When.
    pub at_ms: f64,
    /// `phase`, `backup`, `fault`, `client`, `recovery`, `check` or `heal`.
    pub kind: String,
    /// What.
    pub text: String,
}

/// The record of one drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// The version of this form.
    pub schema_version: u32,
    /// The version of the program that wrote it.
    pub tool_version: String,
    /// The run's identifier.
    pub run_id: String,
    /// When the run started, by the wall clock, as a label (RFC 3339).
    pub started_at: String,
    /// The scenario.
    pub scenario: ScenarioRef,
    /// The seed of every random draw.
    pub seed: u64,
    /// Which world it ran in.
    pub world: World,
    /// The outcome.
    pub verdict: Verdict,
    /// Why, one sentence each; the most weighty first.
    pub reasons: Vec<String>,
    /// The recovery point; absent if the drill did not come so far.
    pub rpo: Option<Rpo>,
    /// What kept the recovery point from being measured, where service was watched and something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo_unmeasured: Option<String>,
    /// The recovery time; absent if the drill did not come so far.
    pub rto: Option<Rto>,
    /// The six levels.
    pub levels: Vec<LevelResult>,
    /// Nodes that were found down at the end, although no fault, step or declaration had left them so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes_down: Vec<String>,
    /// What was found before the fault, where service was not healthy then and the drill ended there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
    /// The backups.
    pub backups: Vec<Backup>,
    /// The classes of the system's data, and how each came back; empty where the system declares none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_classes: Vec<DataClass>,
    /// The faults.
    pub faults: Vec<FaultResult>,
    /// Standing conditions that the scenario puts in place before any fault, such as a slow link.
    pub conditions: Vec<FaultResult>,
    /// The recovery procedure, step by step.
    pub procedure: Vec<StepResult>,
    /// Moments on the run's clock, by name.
    pub milestones: BTreeMap<String, Interval<f64>>,
    /// The phases, in order.
    pub phases: Vec<Phase>,
    /// What the clients saw; absent if no load ran.
    pub load: Option<Load>,
    /// How well the harness kept time.
    pub harness: HarnessHealth,
    /// What happened, for people.
    pub timeline: Vec<TimelineEntry>,
    /// What the seed fixes, what it does not, and other remarks that belong to the numbers.
    pub notes: Vec<String>,
    /// What was tried to get out of each environment beside the run's own: restored copies, and a secondary one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isolation: Vec<Isolation>,
    /// What the run made and could not remove.
    pub leftovers: Vec<String>,
}

/// The proof that an environment has no way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Isolation {
    /// The environment: a copy is named by its backup.
    pub environment: String,
    /// Every way that was tried, by node, as PROTOCOL/ADDRESS/PORT.
    pub tried: Vec<String>,
    /// Those that answered, and how. Any of them is a finding.
    pub open: Vec<String>,
}

impl Record {
    /// Whether this is a control: nothing was broken.
    pub fn is_control(&self) -> bool {
        self.faults.is_empty()
    }

    /// The exit status of the run: that of its verdict, or 5 if it passed but left something behind.
    pub fn exit_status(&self) -> u8 {
        match self.verdict {
            Verdict::Passed if !self.leftovers.is_empty() => 5,
            verdict => verdict.exit_status(),
        }
    }
}
