//! Two verdicts about a restored backup: whether its bytes are those of one moment, and whether applications can work with them.

use blackstart_reports::record::{Consistency, LevelResult, Status};

use crate::{plan::Taking, scenario::backup::ArrayCopy, world::DiskState};

/// The levels at which the data is read, and work that was in flight is found again.
const APPLICATION_LEVELS: u8 = 3;

/// Whether a level holds.
pub fn holds(level: &LevelResult) -> bool {
    matches!(level.status, Status::Passed | Status::Tolerated | Status::NotDeclared)
}

/// Crash consistency. Disks that were copied at rest are those of one moment as nothing was written. For snapshots the witness tells:
/// it writes rising numbers to the disks in turn, each flushed before the next, so those of one moment follow each other.
pub fn of_crash(taking: &Taking, disks: &[(String, DiskState)]) -> Option<Consistency> {
    let Taking::Array { by, .. } = taking else { return None };
    if *by == ArrayCopy::ColdCopy {
        let detail = format!("{} disks were copied while every node with a disk was shut down", disks.len());
        return Some(Consistency { status: Status::Passed, detail });
    }
    let numbers: Vec<String> = disks.iter().map(|(node, disk)| format!("{node} {}", shown(disk.witness))).collect();
    let seen = numbers.join(", ");
    let mut written: Vec<u64> = disks.iter().filter_map(|(_, disk)| disk.witness).collect();
    if written.len() != disks.len() || written.is_empty() {
        let detail = format!("the witness left no number on some disk: {seen}");
        return Some(Consistency { status: Status::Error, detail });
    }
    written.sort_unstable();
    let is_one_moment = written.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let (status, words) = if is_one_moment {
        (Status::Passed, "numbers written in turn follow each other")
    } else {
        (Status::Failed, "numbers written in turn are apart, so the disks are of several moments")
    };
    Some(Consistency { status, detail: format!("{words}: {seen}") })
}

fn shown(witness: Option<u64>) -> String {
    witness.map_or_else(|| "none".to_owned(), |number| number.to_string())
}

/// Application consistency: sound file systems, and nothing wrong at the levels that read the data.
pub fn for_applications(disks: &[(String, DiskState)], levels: &[LevelResult]) -> Consistency {
    let unsound = disks.iter().filter(|(_, disk)| !disk.is_sound);
    let mut wrong: Vec<String> =
        unsound.map(|(node, disk)| format!("the file system of {node} is not sound: {}", disk.detail)).collect();
    let told = |wanted: Status| {
        let read = levels.iter().filter(|level| level.level <= APPLICATION_LEVELS).flat_map(|level| &level.checks);
        read.filter(move |check| check.status == wanted).map(|check| format!("{}: {}", check.id, check.detail))
    };
    wrong.extend(told(Status::Failed));
    if !wrong.is_empty() {
        return Consistency { status: Status::Failed, detail: wrong.join("; ") };
    }
    // Whoever could not look has found nothing, for or against.
    let blind: Vec<String> = told(Status::Error).collect();
    if !blind.is_empty() {
        return Consistency { status: Status::Error, detail: blind.join("; ") };
    }
    let disks = match disks.len() {
        0 => String::new(),
        count => format!("{count} file systems were sound after their logs were replayed; "),
    };
    let detail = format!("{disks}levels 1 to {APPLICATION_LEVELS} could read everything");
    Consistency { status: Status::Passed, detail }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use blackstart_reports::record::CheckResult;

    use super::*;

    fn crash(by: ArrayCopy, numbers: &[Option<u64>]) -> Status {
        let disk = |witness: &Option<u64>| DiskState { is_sound: true, detail: String::new(), witness: *witness };
        let disks: Vec<_> = numbers.iter().map(|number| ("db".to_owned(), disk(number))).collect();
        of_crash(&Taking::Array { by, apart: Duration::ZERO }, &disks).unwrap().status
    }

    #[test]
    fn numbers_of_one_moment_follow_each_other_in_any_order() {
        assert_eq!(crash(ArrayCopy::GroupSnapshot, &[Some(7), Some(5), Some(6)]), Status::Passed);
        assert_eq!(crash(ArrayCopy::NodeSnapshots, &[Some(7), Some(9), Some(6)]), Status::Failed);
        assert_eq!(crash(ArrayCopy::NodeSnapshots, &[Some(7), Some(7)]), Status::Failed);
    }

    #[test]
    fn a_witness_that_saw_nothing_shows_nothing() {
        assert_eq!(crash(ArrayCopy::GroupSnapshot, &[Some(7), None]), Status::Error);
        assert_eq!(crash(ArrayCopy::GroupSnapshot, &[]), Status::Error);
        assert_eq!(crash(ArrayCopy::ColdCopy, &[None]), Status::Passed);
    }

    #[test]
    fn an_unsound_file_system_is_not_consistent_for_applications() {
        let disk = |is_sound| vec![("db".to_owned(), DiskState { is_sound, detail: "bad".to_owned(), witness: None })];
        let level = |status| {
            let check = CheckResult {
                id: "states-legal".to_owned(),
                status,
                detail: String::new(),
                duration_ms: 0,
                cannot_prove: None,
            };
            vec![LevelResult { level: 3, name: String::new(), status, checks: vec![check] }]
        };
        assert_eq!(for_applications(&disk(true), &level(Status::Failed)).status, Status::Failed);
        assert_eq!(for_applications(&disk(true), &level(Status::Error)).status, Status::Error);
        assert_eq!(for_applications(&disk(false), &level(Status::Error)).status, Status::Failed);
        assert_eq!(for_applications(&disk(true), &[]).status, Status::Passed);
        assert_eq!(for_applications(&disk(false), &[]).status, Status::Failed);
    }
}
