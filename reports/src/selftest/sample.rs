//! Invented self-tests, for tests only: one in which everything was found, and one that says what is wrong.

use super::{Alarm, DefectResult, Detector, RPO, SCHEMA_VERSION, Said, Selftest, is_missed};
use crate::record::Status;

const CHECKS: [(&str, u8); 9] = [
    ("one-writer", 1),
    ("messaging-flows", 1),
    ("tables-whole", 2),
    ("requests-join", 3),
    ("states-legal", 3),
    ("history-unbroken", 3),
    ("stores-agree", 4),
    ("work-completes", 5),
    ("work-visible", 6),
];

/// Every defect was found, but for one that none can find.
pub fn passed() -> Selftest {
    let checks = CHECKS.map(|(id, level)| Detector { id: id.to_owned(), level: Some(level) });
    let mut record = Selftest {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".to_owned(),
        run_id: "261122-030000-5e1f".to_owned(),
        started_at: "2026-11-22T03:00:00Z".to_owned(),
        system: "order-management".to_owned(),
        digest: "9f2c".repeat(16),
        checks: checks.into_iter().chain([Detector { id: RPO.to_owned(), level: None }]).collect(),
        defects: vec![
            defect_result("flipped-bit", "data", &["tables-whole"], &["tables-whole", "history-unbroken"]),
            defect_result("zeroed-page", "data", &["history-unbroken"], &["history-unbroken", "stores-agree"]),
            defect_result("log-cut", "wal", &["rpo"], &["rpo"]),
            DefectResult {
                about: "An update without its condition sets every amount to the same legal one.".to_owned(),
                cannot_be_caught: Some("No second place holds an amount, and any amount is a legal one.".to_owned()),
                missed: false,
                ..defect_result("wrong-amounts", "rows", &[], &[])
            },
            defect_result(
                "requests-lost",
                "rows",
                &["rpo", "requests-join"],
                &["requests-join", "stores-agree", "rpo"],
            ),
            defect_result("two-writers", "nodes", &["one-writer"], &["one-writer", "states-legal", "work-completes"]),
            defect_result("monitor-deaf", "monitor", &["work-visible"], &["work-visible"]),
        ],
        clean_runs: 3,
        false_alarms: 0,
        alarms: Vec::new(),
        never_failed: Vec::new(),
        stopped: Vec::new(),
        seconds: 61.4,
        leftovers: Vec::new(),
    };
    record.note_never_failed();
    record
}

/// One defect was overlooked by a check that must find it, one was found by nobody, and a healthy system raised an alarm.
pub fn missed() -> Selftest {
    let mut record = passed();
    record.defects[1] = defect_result("zeroed-page", "data", &["history-unbroken"], &["stores-agree"]);
    record.defects[3] = defect_result("wrong-amounts", "rows", &[], &[]);
    record.false_alarms = 1;
    record.alarms = vec![Alarm {
        clean_run: 2,
        check: "stores-agree".to_owned(),
        status: Status::Failed,
        detail: "1 only in orders (check-400000)".to_owned(),
    }];
    record.stopped = vec!["in phase monitor-deaf: put it in place: exit status 1: without effect".to_owned()];
    record.leftovers = vec!["network bs-261122-030000-5e1f".to_owned()];
    record.note_never_failed();
    record
}

fn defect_result(kind: &str, family: &str, must: &[&str], caught: &[&str]) -> DefectResult {
    let ids = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
    let (must, caught) = (ids(must), ids(caught));
    let detail = "1 row: load-000001".to_owned();
    DefectResult {
        kind: kind.to_owned(),
        family: family.to_owned(),
        about: format!("What {kind} is."),
        proof: format!("{kind}: 412 rows with sum 1f3a77c0 before, 371 rows with sum 90be1d52 after"),
        missed: is_missed(&must, &caught, false),
        said: caught.iter().map(|check| Said { check: check.clone(), detail: detail.clone() }).collect(),
        caught_by: caught,
        must_be_caught_by: must,
        cannot_be_caught: None,
        seconds: 7.2,
    }
}
