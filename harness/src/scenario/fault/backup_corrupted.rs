//! A backup is damaged where it is kept: nobody notices before it is needed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects};
use crate::scenario::{
    Scenario, System,
    backup::BackupMethod,
    validate::{Note, names::unknown},
};

/// A backup is damaged where it is kept: nobody notices before it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupCorrupted {
    /// The backup, as this scenario calls it.
    pub backup: String,
    /// What happens to it.
    pub by: Corruption,
}

/// What happens to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
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

impl Corruption {
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

impl BackupCorrupted {
    /// The method by which the backup is taken, with its name.
    fn method<'a>(&self, scenario: &'a Scenario, system: &'a System) -> Option<(&'a str, &'a BackupMethod)> {
        let backup = scenario.backups.iter().find(|backup| backup.id == self.backup)?;
        Some((&backup.method, system.backups.get(&backup.method)?))
    }
}

impl Declares for BackupCorrupted {
    fn effects(&self) -> Effects {
        Effects { touches_backups: true, ..Effects::NONE }
    }

    /// The node that takes it, which knows where it is kept.
    fn victims(&self, scenario: &Scenario, system: &System) -> Vec<String> {
        self.method(scenario, system).and_then(|(_, method)| method.on.clone()).into_iter().collect()
    }

    fn summary(&self, _: &[String]) -> String {
        format!("backup {} is corrupted where it is kept: {}", self.backup, self.by.name())
    }

    fn notes(&self, key: &str, scenario: &Scenario) -> Vec<Note> {
        let key = format!("{key}.backup");
        let known = scenario.backups.iter().map(|backup| backup.id.as_str());
        let unknown = unknown(key.clone(), "backup of this scenario", &self.backup, known);
        let taken = scenario.backups.iter().find(|backup| backup.id == self.backup);
        let is_cut_short = taken.is_some_and(|backup| backup.interrupted.is_some());
        let problem = format!("`{}` is interrupted and never gets complete", self.backup);
        let cut_short = is_cut_short.then(|| Note::new(key, problem, "name a backup that does"));
        unknown.into_iter().chain(cut_short).collect()
    }

    fn notes_together(&self, key: &str, scenario: &Scenario, system: &System) -> Vec<Note> {
        let Some((name, method)) = self.method(scenario, system) else { return Vec::new() };
        let problem = format!("the system does not say how a backup by `{name}` is corrupted");
        let mend = format!("add `corrupt` to `backups.{name}` of the system");
        method.corrupt.is_none().then(|| Note::new(format!("{key}.backup"), problem, mend)).into_iter().collect()
    }
}
