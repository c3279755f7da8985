//! What a user declares of the steps of a procedure.
//!
//! One file per step: what is written of it, its rules, and its words in the plan. How it is carried out stands in the file of the
//! same name in `harness/src/recovery/step/`. [`steps!`] lists all of them; a step that lacks either half does not compile.

use std::time::Duration;

use super::{
    Scenario, System,
    kinds::{kinds, one_of_kinds},
    validate::{
        Note,
        names::{needs_is_writer, unknown, unknown_database},
    },
};

/// The registry.
macro_rules! steps {
    ($then:ident) => {
        $then! {
            /// An operation of the system's on a node: `{promote: db-b}`, `{fence: db-a}`.
            operation: OperationStep,
            /// Take a node's power away, out of band.
            power_off: PowerOff,
            /// Start a node that is down.
            start: Start,
            /// End every reversible fault that is in place.
            heal: HealStep,
            /// Wait until a node takes writes.
            await_writer: AwaitWriter,
            /// Run a command of one's own on a node.
            command: Command,
            /// Try to write where nothing may be written, and demand a refusal.
            refuses_writes: RefusesWrites,
            /// Put a backup back on a node, and replay the log up to a point. A node that is down is started for it.
            restore: RestoreStep,
            /// Something that is done at the secondary environment.
            secondary: SecondaryStep,
            /// Send clients to another environment from now on.
            redirect: RedirectStep,
            /// Put what the secondary environment has onto the disks of the primary one, and start that.
            bring_back: BringBack,
        }
    };
}
pub(crate) use steps;

macro_rules! declare {
    ($($(#[$doc:meta])+ $key:ident: $Step:ident,)+) => {
        $(mod $key;)+
        $(pub use $key::$Step;)+

        kinds! {
            /// What a step does.
            StepKind of Declares { $($(#[$doc])+ $key: $Step,)+ }
        }

        one_of_kinds! {
            /// A step of a procedure. Exactly one kind.
            "a step", Step {
                /// Why, in words.
                about: Option<String>,
            }
            StepKind { $($(#[$doc])+ $key: $Step,)+ }
        }
    };
}
steps!(declare);

pub use redirect::Environment;
pub use restore::RestoreTo;
pub use secondary::{DisksStep, Install, LevelsStep, NodesStep, SecondaryKind, ShutDown};

/// How long a step may take where nothing is said.
pub const SHORT: Duration = Duration::from_secs(30);

/// How long a step may take that starts a whole system.
const LONG: Duration = Duration::from_secs(120);

/// A step in the words of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What it does.
    pub name: String,
    /// The command that it runs, or what it tries; empty where there is nothing to be told.
    pub how: String,
    /// Further lines.
    pub details: Vec<String>,
    /// How long it may take.
    pub within: Duration,
}

impl Words {
    fn of(name: String, within: Duration) -> Self {
        Self { name, how: String::new(), details: Vec::new(), within }
    }
}

/// What every step declares of itself.
pub trait Declares {
    /// What it does, in words, and how long it may take. `about` is what the user says of it.
    ///
    /// # Errors
    /// What it names and the declaration lacks.
    fn words(&self, about: Option<&str>, scenario: &Scenario, system: &System) -> Result<Words, String>;

    /// The milestone that is reached once it is done.
    fn milestone(&self, _: &System) -> Option<&'static str> {
        None
    }

    /// The node on which it restores a backup.
    fn restores_on(&self) -> Option<&str> {
        None
    }

    /// What is wrong with it, whatever the system. `key` is its own, such as `recovery.procedure[0].heal`.
    fn notes(&self, _key: &str, _scenario: &Scenario) -> Vec<Note> {
        Vec::new()
    }

    /// What is wrong with it, given the system.
    fn notes_together(&self, _key: &str, _scenario: &Scenario, _system: &System) -> Vec<Note> {
        Vec::new()
    }
}

/// What is wrong with a step that turns to a database on a node.
fn not_held(key: &str, name: &str, node: &str, finds_writer: bool, system: &System) -> Vec<Note> {
    let in_database = format!("{key}.database");
    let Some(database) = system.databases.get(name) else {
        return unknown_database(in_database, name, system).into_iter().collect();
    };
    let holders = database.nodes.iter().map(String::as_str);
    let elsewhere = unknown(format!("{key}.node"), &format!("node that holds database `{name}`"), node, holders);
    let writer = finds_writer.then(|| needs_is_writer(in_database, name, database)).flatten();
    elsewhere.into_iter().chain(writer).collect()
}

/// A step names a database that is declared.
fn known_database(name: &str, system: &System) -> Result<(), String> {
    system.databases.get(name).map(drop).ok_or_else(|| format!("`{name}` is not a database of this system"))
}
