//! The record of a self-test: which checks found which defect, and what that amounts to.
//!
//! Stored as `selftest.json` and printed by `--json`. Fields are added, never renamed, within one `schema_version`.

#[cfg(any(test, feature = "sample"))]
pub mod sample;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::record::Status;

/// The version of this record's form.
pub const SCHEMA_VERSION: u32 = 1;

/// The name of the file that holds the record.
pub const FILE: &str = "selftest.json";

/// What stands among the checks for the measured recovery point: acknowledged writes that are missing.
pub const RPO: &str = "rpo";

/// One self-test of a system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selftest {
    /// The version of this form.
    pub schema_version: u32,
    /// The version of the program that wrote it.
    pub tool_version: String,
    /// The run's identifier.
    pub run_id: String,
    /// The wall clock at the start, as a label.
    pub started_at: String,
    pub system: String,
    /// SHA-256 of the system as it was resolved.
    pub digest: String,
    /// Everything that could find a defect, in the order of levels; the measured recovery point comes last.
    pub checks: Vec<Detector>,
    /// What became of each defect that was to be put in.
    pub defects: Vec<DefectResult>,
    /// How often all levels were run on the healthy system.
    pub clean_runs: u64,
    /// How many checks raised an alarm there.
    pub false_alarms: u64,
    /// Those alarms.
    pub alarms: Vec<Alarm>,
    /// Checks that no defect of this run was found by: nobody has seen them fail.
    pub never_failed: Vec<String>,
    /// Why it did not come to its end, where it did not.
    pub stopped: Vec<String>,
    /// How long all of it took.
    pub seconds: f64,
    /// What could not be removed.
    pub leftovers: Vec<String>,
}

/// A check, or the measured recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detector {
    /// Its identifier.
    pub id: String,
    /// Its level; the recovery point has none.
    pub level: Option<u8>,
}

/// What became of one defect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefectResult {
    /// The defect, by its identifier.
    pub kind: String,
    /// What kind of damage it is.
    pub family: String,
    /// What is wrong then, in words.
    pub about: String,
    /// How it was seen to be there.
    pub proof: String,
    /// The checks that found it.
    pub caught_by: Vec<String>,
    /// The checks that must.
    pub must_be_caught_by: Vec<String>,
    /// Whether a check that must find it did not, or none did although it is not declared as one that none can find.
    pub missed: bool,
    /// Why no check can find it, where that is declared.
    pub cannot_be_caught: Option<String>,
    /// What each of the checks that found it said.
    pub said: Vec<Said>,
    /// How long it took, with putting it in and taking it out.
    pub seconds: f64,
}

/// What a check said when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub check: String,
    /// What it found.
    pub detail: String,
}

/// A check that failed where nothing was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    pub clean_run: u64,
    pub check: String,
    /// How it ended.
    pub status: Status,
    /// What it found.
    pub detail: String,
}

/// Whether a defect was missed.
pub fn is_missed(must_be_caught_by: &[String], caught_by: &[String], cannot_be_caught: bool) -> bool {
    let overlooked = must_be_caught_by.iter().any(|check| !caught_by.contains(check));
    overlooked || (caught_by.is_empty() && !cannot_be_caught)
}

/// Whether a check that ended so has found the damage. One that could not be carried out has found nothing.
pub const fn is_catch(status: Status) -> bool {
    matches!(status, Status::Failed)
}

/// Whether a check that ended so raises an alarm where nothing is broken.
pub const fn is_alarm(status: Status) -> bool {
    matches!(status, Status::Failed | Status::Error)
}

impl Selftest {
    /// The defects that were missed.
    pub fn missed(&self) -> impl Iterator<Item = &DefectResult> {
        self.defects.iter().filter(|defect| defect.missed)
    }

    /// The defects that no check can find, by what is declared, and that none did find.
    pub fn unable(&self) -> impl Iterator<Item = (&DefectResult, &str)> {
        let silent = self.defects.iter().filter(|defect| defect.caught_by.is_empty() && !defect.missed);
        silent.filter_map(|defect| Some((defect, defect.cannot_be_caught.as_deref()?)))
    }

    /// Notes which checks found nothing at all.
    pub fn note_never_failed(&mut self) {
        let failed: BTreeSet<&String> = self.defects.iter().flat_map(|defect| &defect.caught_by).collect();
        let silent = self.checks.iter().map(|check| &check.id).filter(|id| !failed.contains(id));
        self.never_failed = silent.cloned().collect();
    }

    /// The exit status that says this.
    pub fn exit_status(&self) -> u8 {
        if !self.stopped.is_empty() {
            3
        } else if self.missed().next().is_some() || self.false_alarms > 0 {
            1
        } else if !self.leftovers.is_empty() {
            5
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample as selftest;
    use super::*;

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn every_check_that_must_find_a_defect_has_to() {
        assert!(!is_missed(&ids(&["a", "b"]), &ids(&["b", "c", "a"]), false));
        assert!(is_missed(&ids(&["a", "b"]), &ids(&["a", "c"]), false), "another check is no substitute");
        assert!(is_missed(&ids(&["a"]), &ids(&[]), false));
    }

    #[test]
    fn no_damage_may_pass_unless_it_is_declared_that_none_can_find_it() {
        assert!(is_missed(&[], &[], false));
        assert!(!is_missed(&[], &[], true));
        assert!(!is_missed(&[], &ids(&["a"]), true), "what was found after all was not missed");
    }

    #[test]
    fn an_error_lets_nothing_pass_and_a_tolerated_deviation_does() {
        assert!(is_alarm(Status::Failed) && is_alarm(Status::Error));
        assert!(is_catch(Status::Failed) && !is_catch(Status::Error), "what was not carried out has found nothing");
        assert!(!is_alarm(Status::Passed) && !is_alarm(Status::Tolerated) && !is_alarm(Status::NotDeclared));
    }

    #[test]
    fn the_worst_decides_how_it_ends() {
        let passed = selftest::passed();
        assert_eq!(passed.exit_status(), 0);
        assert_eq!(Selftest { leftovers: ids(&["a network"]), ..passed.clone() }.exit_status(), 5);
        assert_eq!(Selftest { false_alarms: 1, ..passed.clone() }.exit_status(), 1);
        assert_eq!(Selftest { stopped: Vec::new(), ..selftest::missed() }.exit_status(), 1);
        assert_eq!(selftest::missed().exit_status(), 3, "what could not run says nothing");
    }

    #[test]
    fn a_check_that_found_nothing_has_not_been_seen_failing() {
        let mut record = selftest::passed();
        record.defects.truncate(1);
        record.note_never_failed();
        let found: Vec<&String> = record.defects[0].caught_by.iter().collect();
        assert!(!found.is_empty() && found.iter().all(|check| !record.never_failed.contains(check)));
        assert_eq!(record.never_failed.len() + found.len(), record.checks.len());
    }

    #[test]
    fn the_contract_of_the_json_form_holds() {
        let told = serde_json::to_value(selftest::passed()).unwrap();
        for key in ["kind", "proof", "caught_by", "must_be_caught_by", "missed"] {
            assert!(told["defects"][0].get(key).is_some(), "{key}");
        }
        assert!(told["clean_runs"].is_u64() && told["false_alarms"].is_u64());
    }
}
