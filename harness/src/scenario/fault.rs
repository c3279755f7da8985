//! What a user declares of a disaster: the conditions that are in place from the start, and what breaks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Bandwidth, Moment, OneOf, Span};

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
    /// When, counted from the start of the load; where backups are taken, from the end of the last one.
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
    /// Nodes are killed and everything on their volumes is gone.
    pub data_lost: Option<DataLost>,
    /// A change writes what must not be, and commits it.
    pub bad_change: Option<BadChange>,
    /// A backup of this scenario is damaged where it is kept.
    pub backup_spoiled: Option<BackupSpoiled>,
    /// Nodes lose their power, all at once, and with it what their disks had not flushed.
    pub power_loss: Option<PowerLoss>,
    /// A node's disk fills up to its end.
    pub disk_full: Option<NodeVictim>,
    /// A node's disk is gone while the node runs: everything fails that reads or writes it.
    pub disk_gone: Option<NodeVictim>,
    /// A whole site is lost: every node in its zones is killed, and their disks are gone.
    pub site_lost: Option<SiteLost>,
}

/// Nodes lose their power, all at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerLoss {
    /// The nodes: all of them. Their disks lie in the storage array.
    pub nodes: Vec<String>,
}

/// A whole site is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteLost {
    /// The site.
    pub site: String,
}

/// A backup is damaged where it is kept: nobody notices before it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupSpoiled {
    /// The backup, as this scenario calls it.
    pub backup: String,
    /// What happens to it.
    pub by: Spoiling,
}

/// What happens to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spoiling {
    /// One bit of its largest file is another one.
    BitFlip,
    /// Its largest file ends half-way.
    Truncated,
    /// Its largest file is gone.
    MissingFile,
    /// The log that it needs is gone.
    MissingLog,
    /// Instead of the log that it needs, its archive holds that of another cluster.
    ForeignLog,
    /// Instead of the log that it needs, its archive holds that of another timeline.
    WrongTimeline,
    /// It is encrypted with a key that does not fit.
    WrongKey,
}

impl Spoiling {
    /// As it is written, and as the system's command is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BitFlip => "bit-flip",
            Self::Truncated => "truncated",
            Self::MissingFile => "missing-file",
            Self::MissingLog => "missing-log",
            Self::ForeignLog => "foreign-log",
            Self::WrongTimeline => "wrong-timeline",
            Self::WrongKey => "wrong-key",
        }
    }
}

/// Nodes are killed and everything on their volumes is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataLost {
    /// The nodes: all of them.
    pub nodes: Vec<String>,
}

/// A failed change, or a bug: it writes what must not be, and replicas follow at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadChange {
    /// The database, by the name given under the system's `databases`; it is changed where it takes writes.
    pub database: String,
    /// The role that makes the change: that of the applications.
    pub user: String,
    /// The change, in one transaction.
    pub statement: String,
    /// A query that lists what must not be. It must give rows once the change is made, and none after the recovery.
    pub shows: String,
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
