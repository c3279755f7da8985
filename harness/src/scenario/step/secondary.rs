//! A step at the secondary environment: a copy of the system, at another site, that takes over and gives back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Declares, LONG, Words};
use crate::scenario::{
    Scenario, System,
    kinds::one_of_kinds,
    validate::{
        Note,
        names::{not_empty, unknown, unknown_node},
    },
};

/// What is done at the secondary environment.
#[derive(Debug, Clone, PartialEq)]
pub enum SecondaryKind {
    /// Make the installation anew.
    Install(Install),
    /// Lay disks that hold what a backup holds.
    DisksStep(DisksStep),
    /// Make and start nodes.
    NodesStep(NodesStep),
    /// Run a command there.
    Command(Command),
    /// Demand that the checks of some levels hold.
    LevelsStep(LevelsStep),
    /// Shut it down cleanly.
    ShutDown(ShutDown),
}

one_of_kinds! {
    /// A step at the secondary environment: the same nodes by the same names, in networks of its own. Exactly one kind.
    "a step at the secondary environment", SecondaryStep {}
    SecondaryKind {
        /// Make the installation anew: images, which must be those of the primary environment, and networks.
        install: Install,
        /// Lay disks there that hold what a backup of the array holds.
        disks: DisksStep,
        /// Make and start nodes, all at once, and wait until each is ready.
        start: NodesStep,
        /// Run a command there.
        run: Command,
        /// Run the checks of some levels there, and demand that all hold.
        check: LevelsStep,
        /// Shut it down cleanly: what uses data first, then what holds it.
        shut_down: ShutDown,
    }
}

/// There is nothing to be said: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {}

/// Lay disks that hold what a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisksStep {
    /// The backup, as this scenario calls it. The array took it.
    pub backup: String,
    /// The nodes whose disks are laid.
    pub nodes: Vec<String>,
}

/// Some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodesStep {
    /// The nodes.
    pub nodes: Vec<String>,
}

/// Some levels of verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelsStep {
    /// The levels, 1 to 6.
    pub levels: Vec<u8>,
}

/// There is nothing to be said: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShutDown {}

impl Declares for SecondaryStep {
    /// The words of the user tell more than its kind.
    fn words(&self, about: Option<&str>, _: &Scenario, _: &System) -> Result<Words, String> {
        let what = match &self.kind {
            SecondaryKind::Install(_) => "install it".to_owned(),
            SecondaryKind::DisksStep(it) => format!("lay the disks of {} from {}", it.nodes.join(", "), it.backup),
            SecondaryKind::NodesStep(it) => format!("start {}", it.nodes.join(", ")),
            SecondaryKind::Command(command) => command.name(),
            SecondaryKind::LevelsStep(it) => format!("levels {} must hold", it.named()),
            SecondaryKind::ShutDown(_) => "shut it down".to_owned(),
        };
        let about = about.map(|about| format!(" ({})", about.trim_end_matches('.'))).unwrap_or_default();
        Ok(Words::of(format!("at the secondary environment: {what}{about}"), LONG))
    }

    fn milestone(&self, _: &System) -> Option<&'static str> {
        matches!(self.kind, SecondaryKind::DisksStep(_)).then_some("data_in_place")
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        match &self.kind {
            SecondaryKind::LevelsStep(it) => it.notes(&format!("{key}.check.levels")),
            SecondaryKind::Install(_)
            | SecondaryKind::DisksStep(_)
            | SecondaryKind::NodesStep(_)
            | SecondaryKind::Command(_)
            | SecondaryKind::ShutDown(_) => Vec::new(),
        }
    }

    fn notes_together(&self, key: &str, scenario: &Scenario, system: &System) -> Vec<Note> {
        match &self.kind {
            SecondaryKind::DisksStep(it) => {
                let nodes = unknown_nodes(&format!("{key}.disks.nodes"), &it.nodes, system);
                nodes.into_iter().chain(it.not_by_array(format!("{key}.disks.backup"), scenario, system)).collect()
            }
            SecondaryKind::NodesStep(it) => unknown_nodes(&format!("{key}.start.nodes"), &it.nodes, system),
            SecondaryKind::Command(run) => unknown_node(format!("{key}.run.on"), &run.on, system).into_iter().collect(),
            SecondaryKind::Install(_) | SecondaryKind::LevelsStep(_) | SecondaryKind::ShutDown(_) => Vec::new(),
        }
    }
}

fn unknown_nodes(key: &str, names: &[String], system: &System) -> Vec<Note> {
    let each = names.iter().enumerate();
    each.filter_map(|(place, name)| unknown_node(format!("{key}[{place}]"), name, system)).collect()
}

impl DisksStep {
    /// Disks are laid from what the array took.
    fn not_by_array(&self, key: String, scenario: &Scenario, system: &System) -> Option<Note> {
        let known = scenario.backups.iter().map(|backup| backup.id.as_str());
        let missing = unknown(key.clone(), "backup of this scenario", &self.backup, known);
        let backup = scenario.backups.iter().find(|backup| backup.id == self.backup);
        let method = backup.and_then(|backup| system.backups.get(&backup.method));
        let by_command = method.filter(|method| !method.is_by_array());
        let problem = || format!("`{}` was not taken by the array, and holds no disks", self.backup);
        missing.or_else(|| by_command.map(|_| Note::new(key, problem(), "name a backup that the array takes")))
    }
}

impl LevelsStep {
    fn named(&self) -> String {
        self.levels.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
    }

    fn notes(&self, key: &str) -> Vec<Note> {
        let none = not_empty(key, self.levels.is_empty(), "name the levels that are checked");
        let odd = self.levels.iter().enumerate().filter(|(_, level)| !(1..=4).contains(*level));
        let odd = odd.map(|(place, level)| {
            let problem = match level {
                5 | 6 => format!("level {level} brings work of its own, and clients do not go there yet"),
                _ => format!("there is no level {level}"),
            };
            Note::new(format!("{key}[{place}]"), problem, "write 1 to 4")
        });
        none.into_iter().chain(odd).collect()
    }
}
