//! What a user declares of a disaster: the conditions that are in place from the start, and what breaks.
//!
//! One file per fault: what is written of it, its rules, its effects, and its words in the plan. How it is put in place,
//! proved and healed stands in the file of the same name in `harness/src/fault/`. [`faults!`] lists all of them; a fault that
//! lacks either half does not compile.

use super::{
    Scenario, System,
    kinds::{kinds, one_of_kinds},
    units::{Moment, OneOf, Span},
    validate::{Note, names::unknown_node},
};

/// The registry. Faults that may also stand as a condition, in place from the start of the load on, are in the second list.
macro_rules! faults {
    ($then:ident) => {
        $then! {
            faults {
                /// A node's processes are killed.
                kill: Kill,
                /// A node's processes are paused.
                pause: Pause,
                /// A whole zone fails.
                zone_outage: ZoneOutage,
                /// Nodes refuse what comes from, and do not reach, others.
                partition: Partition,
                /// Nodes are killed and everything on their volumes is gone.
                data_lost: DataLost,
                /// A change writes what must not be, and commits it.
                bad_change: BadChange,
                /// A backup of this scenario is damaged where it is kept.
                backup_corrupted: BackupCorrupted,
                /// Nodes lose their power, all at once, and with it what their disks had not flushed.
                power_loss: PowerLoss,
                /// A node's disk fills up to its end.
                disk_full: DiskFull,
                /// A node's disk is gone while the node runs: everything fails that reads or writes it.
                disk_gone: DiskGone,
                /// A whole site is lost: every node in its zones is killed, and their disks are gone.
                site_lost: SiteLost,
            }
            conditions {
                /// The link from one node to another carries only so much.
                slow_link: SlowLink,
                /// The link from one node to another loses, doubles or delays packets.
                bad_link: BadLink,
            }
        }
    };
}
pub(crate) use faults;

macro_rules! declare {
    (
        faults { $($(#[$doc:meta])+ $key:ident: $Fault:ident,)+ }
        conditions { $($(#[$condition_doc:meta])+ $condition_key:ident: $Condition:ident,)+ }
    ) => {
        $(mod $key;)+
        $(mod $condition_key;)+
        $(pub use $key::$Fault;)+
        $(pub use $condition_key::$Condition;)+

        kinds! {
            /// What breaks.
            FaultKind of Declares {
                $($(#[$doc])+ $key: $Fault,)+
                $($(#[$condition_doc])+ $condition_key: $Condition,)+
            }
        }

        kinds! {
            /// What may be in place from the start of the load on.
            ConditionKind of Declares { $($(#[$condition_doc])+ $condition_key: $Condition,)+ }
        }

        impl From<ConditionKind> for FaultKind {
            fn from(condition: ConditionKind) -> Self {
                match condition {
                    $(ConditionKind::$Condition(it) => Self::$Condition(it),)+
                }
            }
        }

        one_of_kinds! {
            /// A fault: when, and exactly one kind of what.
            "a fault", Fault {
                /// When, counted from the start of the load; where backups are taken, from the end of the last one.
                at: Moment,
                /// How long after it the harness heals it by itself, where the procedure does not.
                heal_after: Option<Span>,
            }
            FaultKind {
                $($(#[$doc])+ $key: $Fault,)+
                $($(#[$condition_doc])+ $condition_key: $Condition,)+
            }
        }

        one_of_kinds! {
            /// What is in place from the start of the load on. Exactly one kind.
            "a condition", Condition {}
            ConditionKind { $($(#[$condition_doc])+ $condition_key: $Condition,)+ }
        }
    };
}
faults!(declare);

pub use backup_corrupted::Corruption;
pub use zone_outage::OutageCause;

/// What a fault does to a system. Whoever wants to know asks here, and not for the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    /// Its victims have no process left.
    pub kills: bool,
    /// What lies on its victims is gone, and can come only from elsewhere.
    pub destroys_data: bool,
    /// Ending it brings its victims back as they were.
    pub reversible: bool,
    /// It can take service or work away. What befalls a backup shows only when that is restored.
    pub takes_service: bool,
    /// Its victims may run, and yet nobody reaches them.
    pub isolates: bool,
    /// It befalls a backup, where that is kept.
    pub touches_backups: bool,
    /// It cuts the power below disks of the storage array, which nothing else may hold in use.
    pub cuts_power: bool,
}

impl Effects {
    /// None at all, to begin with.
    pub const NONE: Self = Self {
        kills: false,
        destroys_data: false,
        reversible: false,
        takes_service: false,
        isolates: false,
        touches_backups: false,
        cuts_power: false,
    };
}

/// What stands beside each victim of a fault, made before anything breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A helper in its network namespace, where packets are dropped, slowed or made lossy.
    Helper,
    /// What empties its volume.
    Wiper,
}

/// A query that gives rows as long as a bad change is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The database, by the name given under the system's `databases`.
    pub database: &'a str,
    /// The query.
    pub query: &'a str,
}

/// Draws one of several names.
pub type Draw<'a> = &'a dyn Fn(&OneOf) -> OneOf;

/// What every fault declares of itself.
pub trait Declares {
    /// What it does to a system.
    fn effects(&self) -> Effects;

    /// The nodes that it may hit; once a choice has been drawn, those that it hits.
    fn victims(&self, scenario: &Scenario, system: &System) -> Vec<String>;

    /// What is done to these victims, in words.
    fn summary(&self, victims: &[String]) -> String;

    /// Draws what it leaves open.
    fn choose(&mut self, _draw: Draw<'_>) {}

    /// Further lines of the plan.
    fn details(&self, _victims: &[String], _system: &System) -> Vec<String> {
        Vec::new()
    }

    /// What stands beside each victim.
    fn tool(&self) -> Option<Tool> {
        None
    }

    /// How the change that it makes shows, where it makes one.
    fn shown(&self) -> Option<Shown<'_>> {
        None
    }

    /// What is wrong with it, whatever the system. `key` is its own, such as `faults[0].kill`.
    fn notes(&self, _key: &str, _scenario: &Scenario) -> Vec<Note> {
        Vec::new()
    }

    /// What is wrong with it, given the system.
    fn notes_together(&self, _key: &str, _scenario: &Scenario, _system: &System) -> Vec<Note> {
        Vec::new()
    }
}

/// The names of a choice, each with its key: the key itself for a single name.
fn each_choice<'a>(key: &str, names: &'a OneOf) -> Vec<(String, &'a String)> {
    each_name(key, &names.0, names.0.len() == 1)
}

/// Names with their keys.
fn each_of<'a>(key: &str, names: &'a [String]) -> Vec<(String, &'a String)> {
    each_name(key, names, false)
}

fn each_name<'a>(key: &str, names: &'a [String], is_single: bool) -> Vec<(String, &'a String)> {
    let key = |index| if is_single { key.to_owned() } else { format!("{key}[{index}]") };
    names.iter().enumerate().map(|(index, name)| (key(index), name)).collect()
}

/// The nodes in some zones, in the order of the system.
fn nodes_in(system: &System, zones: &[String]) -> Vec<String> {
    let is_inside = |zone: &String| zones.contains(zone);
    let inside = system.nodes.iter().filter(|node| node.zone.as_ref().is_some_and(is_inside));
    inside.map(|node| node.name.clone()).collect()
}

/// What is wrong with a link from one node to another. `key` is the mapping with `from` and `to`.
fn not_a_link(key: &str, from: &str, to: &str, system: &System) -> Vec<Note> {
    let itself = (from == to)
        .then(|| Note::new(format!("{key}.to"), "a link leads from one node to another", "name another node"));
    let from = unknown_node(format!("{key}.from"), from, system);
    let to = unknown_node(format!("{key}.to"), to, system);
    [from, to, itself].into_iter().flatten().collect()
}
