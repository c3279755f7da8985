//! The model comes to the same verdict as containers do, or says that it cannot carry it out.

use std::path::Path;

use blackstart::world::simulated::beyond_the_model;
use blackstart_reports::record::Verdict;

use super::stage::{demand_none, each, planned, run};

/// Every drill of this repository, with the verdict that its name declares.
pub fn declared() -> Vec<(String, Verdict)> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let folders = std::fs::read_dir(scenarios).unwrap().flatten().map(|entry| entry.path());
    let mut found = Vec::new();
    for folder in folders.filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()) {
            let (Some(folder), Some(name)) = (folder.file_name(), file.file_stem()) else { continue };
            let (folder, name) = (folder.to_string_lossy(), name.to_string_lossy());
            if file.extension().is_none_or(|ending| ending != "yaml") || name.starts_with("refused-") {
                continue;
            }
            let verdict = if name.starts_with("fails-") { Verdict::Failed } else { Verdict::Passed };
            found.push((format!("{folder}/{name}"), verdict));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

#[test]
fn every_drill_ends_as_on_containers_or_is_said_to_need_them() {
    const SEEDS: usize = 3;
    let drills = declared();
    let found = each(0..drills.len() * SEEDS, |number| {
        let (name, wanted) = &drills[number / SEEDS];
        let plan = planned(name, (number % SEEDS) as u64);
        let beyond = beyond_the_model(&plan);
        let record = run(plan).record;
        let wanted = if beyond.is_empty() { *wanted } else { Verdict::CouldNotRun };
        let is_told = beyond.iter().all(|reason| record.reasons.iter().any(|told| told.contains(reason)));
        let wrong = format!("{name}, seed {}: {:?}: {:?}", number % SEEDS, record.verdict, record.reasons);
        if record.verdict == wanted && is_told { Vec::new() } else { vec![wrong] }
    });
    demand_none(&found);
}

#[test]
fn few_drills_need_containers() {
    let beyond = declared().into_iter().filter(|(name, _)| !beyond_the_model(&planned(name, 1)).is_empty());
    let names: Vec<String> = beyond.map(|(name, _)| name).collect();
    let known = [
        "broken/fails-addresses-not-rewritten",
        "order-management/bad-link",
        "process-cell/site-lost-addresses-rewritten",
        "process-cell/site-lost-and-return",
    ];
    assert_eq!(names, known);
}
