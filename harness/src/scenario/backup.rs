//! What a user declares of backups: how they are taken and restored, the storage array that can take some of them, and the
//! classes of data that they have to bring back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    half_way::HalfWay,
    kinds::one_of_kinds,
    units::{Size, Span},
    validate::Note,
};

one_of_kinds! {
    /// A way to take a backup: by a command, or by the storage array. Exactly one of `take` and `array`.
    "a way to take backups", BackupMethod {
        /// What it is, in words.
        about: String,
        /// The node on which the command runs, or `writer` for whichever takes writes.
        on: Option<String>,
        /// The command that restores it on the node that a step names; `${backup}` is its label, and `${point}` how far the
        /// log is then replayed: `end`, `backup` (no further than the backup needs), `name:NAME`, `time:TIME` or
        /// `position:POSITION` (both exclusive). Absent for what is only a point to go back to.
        restore: Option<Vec<String>>,
        /// The command that damages it where it is kept, for drills that want it so; `${backup}` is its label, and `${by}` one of
        /// `bit-flip`, `truncated`, `missing-file`, `missing-log`, `foreign-log`, `wrong-timeline` and `wrong-key`. It prints one
        /// line of JSON with `what` it touched and the sums `before` and `after`, which must differ.
        corrupt: Option<Vec<String>>,
        /// The same commands for drills that interrupt them.
        half_way: Option<HalfWay>,
        /// What of the simulated system it holds; `cluster` where nothing is said.
        models: Option<ModelledBackup>,
        /// How long any of them may take.
        within: Span,
    }
    BackupKind {
        /// The command that takes it; `${id}` is what the scenario calls the backup. It is taken when the command exits with 0, and
        /// prints one line of JSON with `label` (by which a restore finds it) and `bytes`.
        take: Take,
        /// What the storage array does instead of a command: it takes the disks of all nodes, and brings all of them back.
        array: ArrayMethod,
    }
}

/// What takes a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupKind {
    /// A command.
    Take(Take),
    /// The storage array.
    ArrayMethod(ArrayMethod),
}

/// The command that takes a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Take(pub Vec<String>);

/// What a backup holds of the simulated system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelledBackup {
    /// The servers that hold the work, with their log, as they are at its end.
    #[default]
    Cluster,
    /// A dump of that database, as it is at the beginning, and then one of the monitor's.
    DumpMonitorLast,
    /// A dump of the monitor's database, as it is at the beginning, and then one of that one.
    DumpMonitorFirst,
    /// Nothing that the model keeps: configuration, say, or documents.
    Nothing,
}

impl BackupMethod {
    /// Whether it can be restored by itself: a point in the log cannot.
    pub const fn is_restorable(&self) -> bool {
        self.restore.is_some() || self.is_by_array()
    }

    /// Whether the storage array takes it.
    pub const fn is_by_array(&self) -> bool {
        self.array().is_some()
    }

    /// How the storage array takes it, where it does.
    pub const fn array(&self) -> Option<&ArrayMethod> {
        match &self.kind {
            BackupKind::ArrayMethod(array) => Some(array),
            BackupKind::Take(_) => None,
        }
    }

    /// Whoever strikes in the middle of `what` (`take` or `restore`) must be told where the middle is.
    pub(super) fn no_middle(&self, key: String, name: &str, what: &str) -> Option<Note> {
        let half_way = self.half_way.as_ref();
        let command = half_way.and_then(|it| if what == "take" { it.take.as_ref() } else { it.restore.as_ref() });
        let problem = format!("`{name}` does not say how it is found in the middle of that");
        let mend = format!("add `half_way.{what}` to `{name}` in the system's `backups`");
        command.is_none_or(Vec::is_empty).then(|| Note::new(key, problem, mend))
    }
}

/// How the storage array takes a backup of all its disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrayMethod {
    /// The way.
    pub by: ArrayCopy,
    /// For `node-snapshots`: how long after one disk the next one is taken.
    pub apart: Option<Span>,
}

/// The ways in which an array takes its disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArrayCopy {
    /// Every node but the one that clients reach is shut down, every disk is copied whole, and all are started again.
    ColdCopy,
    /// A snapshot of each disk, one after the other, in the order of the system.
    NodeSnapshots,
    /// One snapshot of all disks, at one moment.
    GroupSnapshot,
    /// The same, sent to the remote site: what has changed since the last one that was sent.
    ReplicatedSnapshot,
}

impl ArrayCopy {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ColdCopy => "cold-copy",
            Self::NodeSnapshots => "node-snapshots",
            Self::GroupSnapshot => "group-snapshot",
            Self::ReplicatedSnapshot => "replicated-snapshot",
        }
    }
}

/// A storage array: a pool with one disk for each node that has `data`, all in one consistency group. Backup repositories keep volumes of their
/// own, as backups must not lie beside what they protect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// What its pool can hold, disks and snapshots together.
    pub pool: Size,
    /// What each disk can hold.
    pub disk: Size,
    /// A second pool, at another site, to which snapshots can be sent.
    pub remote: Option<RemotePool>,
}

/// A pool at another site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemotePool {
    /// The site.
    pub site: String,
    /// What it can hold.
    pub pool: Size,
}

/// A class of the system's data, and how it has to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataClass {
    /// The class.
    pub class: Class,
    /// What belongs to it, in words.
    pub about: String,
    /// How it has to come back.
    pub comes_back: ComesBack,
    /// The checks that show that it did.
    pub shown_by: Vec<String>,
}

/// The four classes of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Programs, as installed.
    Installation,
    /// What an administrator changes.
    Configuration,
    /// What the work itself writes.
    Runtime,
    /// What is only in memory.
    Memory,
}

impl Class {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Configuration => "configuration",
            Self::Runtime => "runtime",
            Self::Memory => "memory",
        }
    }
}

/// How a class of data comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComesBack {
    /// It is made anew from what it was made from.
    Rebuilt,
    /// It is brought back from a backup.
    Restored,
    /// It does not come back, and nothing that was promised depends on it.
    Lost,
}

impl ComesBack {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rebuilt => "rebuilt",
            Self::Restored => "restored",
            Self::Lost => "lost",
        }
    }
}
