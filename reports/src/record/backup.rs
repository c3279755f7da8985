//! Backups in the record: how each was taken, and what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, LevelResult, LoadStage, Status};

/// A backup that the run took or was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    /// Its identifier within the run.
    pub id: String,
    /// How it was taken.
    pub method: String,
    /// Whether a restore of it came back, holds every write that was acknowledged before it began, and passed all six levels;
    /// absent if it was not restored, or if nothing speaks against it and some check could not look.
    pub valid: Option<bool>,
    /// Its size.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// By which a restore finds it.
    #[serde(default)]
    pub label: String,
    /// From its first moment to its last.
    #[serde(default)]
    pub taken_ms: Option<Interval<f64>>,
    /// The load while it was taken.
    #[serde(default)]
    pub load: Option<LoadStage>,
    /// Its restore test; absent if it was not restored.
    #[serde(default)]
    pub restore_test: Option<RestoreTest>,
    /// How it was interrupted on purpose and seen to come to nothing; absent if it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
    /// Whether it was declared to be of no use: then it fails the drill if it is valid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expected_invalid: bool,
    /// Spans in which clients were not served while it was taken, in seconds; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_seconds: Option<Interval<f64>>,
}

impl Backup {
    /// A backup that was taken, and not restored.
    pub fn taken(id: &str, method: &str, bytes: u64, seconds: f64) -> Self {
        Self {
            id: id.to_owned(),
            method: method.to_owned(),
            valid: None,
            bytes,
            seconds,
            label: String::new(),
            taken_ms: None,
            load: None,
            restore_test: None,
            interrupted: None,
            expected_invalid: false,
            downtime_seconds: None,
        }
    }
}

/// What came of restoring a backup in isolation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreTest {
    /// How long the restore took, up to a service that answers; absent if it failed. Where a command restores, it begins with
    /// that command; what the array took begins with the laying of its disks, and so has the boot of every node in it.
    pub restore_seconds: Option<f64>,
    /// Up to when every acknowledged write is in it.
    pub holds_until_ms: Option<Interval<f64>>,
    /// Writes that were acknowledged before the backup began, and are not in it: any makes it invalid. Absent where the
    /// copy could not be asked.
    #[serde(default)]
    pub missing: Option<u64>,
    /// What the restore said where it failed.
    pub error: Option<String>,
    /// The levels that the restored copy was put to.
    pub levels: Vec<LevelResult>,
    /// Whether its bytes are those of one moment on all disks, in the order in which they were written; absent where nothing can
    /// tell. A verdict of its own, and no part of whether the backup is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_consistency: Option<Consistency>,
    /// Whether its file systems came up without an error, its data can be read, and work that was in flight was recovered; absent
    /// where it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_consistency: Option<Consistency>,
}

/// A verdict about the consistency of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consistency {
    /// The verdict.
    pub status: Status,
    /// What it is drawn from.
    pub detail: String,
}

/// A class of the system's data, and how it came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataClass {
    /// `installation`, `configuration`, `runtime` or `memory`.
    pub class: String,
    /// What belongs to it, as the system declares it.
    pub about: String,
    /// `rebuilt`, `restored` or `lost`, as the system declares it.
    pub comes_back: String,
    /// Whether it did so: the worst of the checks that show it, over the system and every backup that was restored and is valid.
    pub status: Status,
    /// Which checks showed it, and where.
    pub detail: String,
}
