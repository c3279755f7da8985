//! Put a backup back: one that a command took on a node, one that the array took on the disks of all nodes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, LONG, Words};
use crate::scenario::{
    Scenario, System,
    backup::BackupMethod,
    drill::{Interruption, TakenBackup},
    validate::{
        Note,
        names::{unknown, unknown_node},
    },
};

/// Put a backup back: one that a command took on a node, one that the array took on the disks of all nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreStep {
    /// The backup, as this scenario calls it.
    pub backup: String,
    /// The node; absent for what the array took, which brings back all of them.
    pub node: Option<String>,
    /// How far the log is then replayed; `backup` for what the array took.
    pub to: RestoreTo,
    /// Kill a node in the middle of it, start that again, and then restore from the beginning.
    pub interrupted: Option<Interruption>,
}

/// How far the log is replayed after a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreTo {
    /// As far as it was archived.
    End,
    /// No further than the backup itself needs.
    Backup,
    /// To just before the bad change, by the server's clock.
    TimeBeforeChange,
    /// To just before the bad change, by the position in the log.
    PositionBeforeChange,
    /// To a named point: a backup of this scenario whose method marks one.
    Point(String),
}

impl RestoreTo {
    fn words(&self) -> String {
        match self {
            Self::End => "the end of the archive".to_owned(),
            Self::Backup => "its own end".to_owned(),
            Self::TimeBeforeChange => "the time before the change".to_owned(),
            Self::PositionBeforeChange => "the position before the change".to_owned(),
            Self::Point(name) => format!("the point {name}"),
        }
    }

    /// The backup that marks the point, where it is one.
    fn point(&self) -> Option<&str> {
        match self {
            Self::Point(id) => Some(id),
            Self::End | Self::Backup | Self::TimeBeforeChange | Self::PositionBeforeChange => None,
        }
    }
}

fn taken<'a>(id: &str, scenario: &'a Scenario) -> Option<&'a TakenBackup> {
    scenario.backups.iter().find(|backup| backup.id == id)
}

fn method_of<'a>(id: &str, scenario: &Scenario, system: &'a System) -> Option<&'a BackupMethod> {
    system.backups.get(&taken(id, scenario)?.method)
}

impl Declares for RestoreStep {
    /// A restore that is interrupted has the time of two.
    fn words(&self, _: Option<&str>, scenario: &Scenario, system: &System) -> Result<Words, String> {
        let unknown = || format!("`{}` is not a backup that could be restored", self.backup);
        let method = method_of(&self.backup, scenario, system).ok_or_else(unknown)?;
        let Some(node) = &self.node else {
            return Ok(Words::of(format!("put every disk back to {}", self.backup), LONG));
        };
        let name = format!("restore {node} from {} up to {}", self.backup, self.to.words());
        let Some(Interruption { kill }) = &self.interrupted else {
            let how = method.restore.as_deref().unwrap_or_default().join(" ");
            return Ok(Words { how, ..Words::of(name, method.within.duration()) });
        };
        let half_way = method.half_way.as_ref().and_then(|half_way| half_way.restore.as_deref());
        let detail = "is killed once it stands half-way, and started again, and then it begins again";
        Ok(Words {
            name: format!("{name}, interrupted and begun again"),
            how: half_way.unwrap_or_default().join(" "),
            details: vec![format!("interrupted: {kill} {detail}")],
            within: method.within.duration() * 2,
        })
    }

    fn milestone(&self, _: &System) -> Option<&'static str> {
        Some("data_in_place")
    }

    fn restores_on(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn notes(&self, key: &str, scenario: &Scenario) -> Vec<Note> {
        let notes = [
            self.unknown_backup(key, scenario),
            self.unknown_point(key, scenario),
            self.before_no_change(key, scenario),
            never_complete(format!("{key}.backup"), &self.backup, scenario),
            self.to.point().and_then(|id| never_complete(format!("{key}.to.point"), id, scenario)),
            self.backward(key, scenario),
        ];
        notes.into_iter().flatten().collect()
    }

    fn notes_together(&self, key: &str, scenario: &Scenario, system: &System) -> Vec<Note> {
        let notes = [
            self.misplaced(key, scenario, system),
            self.not_restorable(key, scenario, system),
            self.no_point(key, scenario, system),
            self.unknown_victim(key, system),
            self.no_middle(key, scenario, system),
        ];
        notes.into_iter().flatten().collect()
    }
}

impl RestoreStep {
    fn unknown_backup(&self, key: &str, scenario: &Scenario) -> Option<Note> {
        let known = scenario.backups.iter().map(|backup| backup.id.as_str());
        unknown(format!("{key}.backup"), "backup of this scenario", &self.backup, known)
    }

    fn unknown_point(&self, key: &str, scenario: &Scenario) -> Option<Note> {
        let known = scenario.backups.iter().map(|backup| backup.id.as_str());
        unknown(format!("{key}.to.point"), "backup of this scenario", self.to.point()?, known)
    }

    fn before_no_change(&self, key: &str, scenario: &Scenario) -> Option<Note> {
        let needs_change = matches!(self.to, RestoreTo::TimeBeforeChange | RestoreTo::PositionBeforeChange);
        let has_change = scenario.faults.iter().any(|fault| fault.kind.declared().shown().is_some());
        let problem = "no change is made in this drill that one could go back before";
        let mend = "write `end`, `backup` or `point`, or declare a `bad_change`";
        (needs_change && !has_change).then(|| Note::new(format!("{key}.to"), problem, mend))
    }

    /// A restore begins at a backup and goes on from there: there is no way back from it.
    fn backward(&self, key: &str, scenario: &Scenario) -> Option<Note> {
        let place = |id: &str| scenario.backups.iter().position(|backup| backup.id == id);
        let point = self.to.point()?;
        let problem =
            format!("the point `{point}` lies before backup `{}`, and the log leads only forward", self.backup);
        let mend = "name a backup that was taken before the point";
        (place(point)? < place(&self.backup)?).then(|| Note::new(format!("{key}.to.point"), problem, mend))
    }

    fn misplaced(&self, key: &str, scenario: &Scenario, system: &System) -> Option<Note> {
        let by_array = method_of(&self.backup, scenario, system)?.is_by_array();
        let id = &self.backup;
        match (&self.node, by_array) {
            (Some(node), false) => unknown_node(format!("{key}.node"), node, system),
            (None, true) if self.to == RestoreTo::Backup => None,
            (None, true) => {
                let problem = format!("the array took `{id}`, and knows no log that goes on after it");
                Some(Note::new(format!("{key}.to"), problem, "write `to: backup`"))
            }
            (None, false) => Some(Note::new(key, "nothing says where it is restored", "add `node`")),
            (Some(_), true) => {
                let problem = format!("the array took `{id}`, and brings back every disk");
                Some(Note::new(format!("{key}.node"), problem, "drop it"))
            }
        }
    }

    /// A point is no backup: it lies in the log, behind one.
    fn not_restorable(&self, key: &str, scenario: &Scenario, system: &System) -> Option<Note> {
        let backup = taken(&self.backup, scenario)?;
        let problem = format!("`{}` is taken by `{}`, which cannot be restored by itself", backup.id, backup.method);
        let mend = "name a backup that was taken before it, and write `to: {point: ...}`";
        let is_restorable = system.backups.get(&backup.method)?.is_restorable();
        (!is_restorable).then(|| Note::new(format!("{key}.backup"), problem, mend))
    }

    /// What can be restored by itself is a backup; the log knows no point by its name.
    fn no_point(&self, key: &str, scenario: &Scenario, system: &System) -> Option<Note> {
        let point = self.to.point()?;
        let problem = format!("`{point}` is a backup, and marks no point in the log");
        let marks = system.backups.iter().filter(|(_, method)| !method.is_restorable());
        let marks: Vec<&str> = marks.map(|(name, _)| name.as_str()).collect();
        let mend = match marks.as_slice() {
            [] => "write `end` or `backup`; no method of this system marks points".to_owned(),
            marks => format!("name one that is taken by `{}`", marks.join("` or `")),
        };
        let is_backup = method_of(point, scenario, system)?.is_restorable();
        is_backup.then(|| Note::new(format!("{key}.to.point"), problem, mend))
    }

    fn unknown_victim(&self, key: &str, system: &System) -> Option<Note> {
        unknown_node(format!("{key}.interrupted.kill"), &self.interrupted.as_ref()?.kill, system)
    }

    /// Whoever strikes in the middle must be told where the middle is.
    fn no_middle(&self, key: &str, scenario: &Scenario, system: &System) -> Option<Note> {
        self.interrupted.as_ref()?;
        let name = &taken(&self.backup, scenario)?.method;
        system.backups.get(name)?.no_middle(format!("{key}.interrupted"), name, "restore")
    }
}

/// What never gets complete can be neither restored nor gone to.
fn never_complete(key: String, id: &str, scenario: &Scenario) -> Option<Note> {
    let problem = format!("`{id}` is interrupted and never gets complete");
    let is_cut_short = taken(id, scenario)?.interrupted.is_some();
    is_cut_short.then(|| Note::new(key, problem, "name a backup that does"))
}
