//! What happens in a drill, as ordered events: the journal keeps them, the terminal listens to them, and the record's
//! timeline is made from them.

use blackstart_reports::record::Status;
use serde::{Deserialize, Serialize};

use crate::fact::Fact;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A phase begins.
    Phase { name: String },
    /// Something is under way that takes a while.
    Progress { text: String },
    /// A standing condition is in place.
    Condition { summary: String },
    /// A backup was taken.
    BackedUp {
        /// What the scenario calls it.
        id: String,
        /// How.
        method: String,
        /// Its size.
        bytes: u64,
        /// How long it took.
        duration_ms: f64,
    },
    /// A backup was interrupted on purpose.
    Interrupted {
        /// What the scenario calls it.
        id: String,
        /// How it was seen to come to nothing.
        proof: String,
    },
    /// A backup was restored in isolation and tested.
    #[serde(alias = "judged")]
    RestoreTested {
        /// What the scenario calls it.
        id: String,
        /// Whether it is valid.
        valid: Option<bool>,
        /// Why not, or what it took.
        detail: String,
    },
    /// A fault is in place.
    Fault {
        /// What was done.
        summary: String,
    },
    /// A fault was seen to bite.
    Bit {
        /// How.
        proof: String,
    },
    /// A fault was healed.
    Healed { summary: String },
    /// The failure was detected.
    Detected { by: String },
    /// A step of the procedure begins.
    Step {
        /// What it does.
        name: String,
    },
    /// A step of the procedure ended.
    StepDone {
        /// What it did.
        name: String,
        /// How.
        status: Status,
        /// What came back.
        detail: String,
        /// How long it took.
        duration_ms: f64,
    },
    /// Clients have been served as declared for as long as declared.
    Sustained,
    /// A check ended.
    Check {
        level: u8,
        /// Its identifier.
        id: String,
        /// How.
        status: Status,
        /// What it found.
        detail: String,
    },
    /// How the clients fare, once a second.
    Traffic {
        /// Acknowledged so far.
        acknowledged: u64,
        /// Failed so far.
        failed: u64,
    },
    /// The drill is to end early.
    Stopped { why: String },
    /// Something is left behind.
    Leftover { what: String },
    /// Something is known that the record will tell.
    Fact(Box<Fact>),
}

/// What a restore test comes to, in words.
pub const fn validity(valid: Option<bool>) -> &'static str {
    match valid {
        Some(true) => "is valid",
        Some(false) => "is INVALID",
        None => "could not be tested",
    }
}

impl Event {
    /// The kind and the words of a line in the record's timeline; what only shows progress has none.
    pub fn for_timeline(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Phase { name } => Some(("phase", name.clone())),
            Self::Condition { summary } => Some(("fault", format!("in place from the start: {summary}"))),
            Self::BackedUp { id, method, bytes, duration_ms } => {
                let size = *bytes as f64 / 1e6;
                Some(("backup", format!("backup {id} ({method}): {size:.1} MB in {:.1} s", duration_ms / 1e3)))
            }
            Self::Interrupted { id, proof } => Some(("backup", format!("backup {id} is interrupted: {proof}"))),
            Self::RestoreTested { id, valid, detail } => {
                Some(("backup", format!("backup {id} {}: {detail}", validity(*valid))))
            }
            Self::Fault { summary } => Some(("fault", summary.clone())),
            Self::Healed { summary } => Some(("heal", format!("healed: {summary}"))),
            Self::Detected { by } => Some(("recovery", format!("detected by {by}"))),
            Self::StepDone { name, status: Status::Passed, .. } => Some(("recovery", name.clone())),
            Self::StepDone { name, detail, .. } => Some(("recovery", format!("{name} FAILED: {detail}"))),
            Self::Sustained => Some(("client", "service has held for as long as declared".to_owned())),
            Self::Stopped { why } => Some(("phase", format!("stopped: {why}"))),
            Self::Progress { .. }
            | Self::Bit { .. }
            | Self::Step { .. }
            | Self::Check { .. }
            | Self::Traffic { .. }
            | Self::Leftover { .. }
            | Self::Fact(_) => None,
        }
    }
}

/// An event with its moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When, in microseconds on the run's clock.
    pub at_us: u64,
    pub event: Event,
}
