//! Every scenario of the repository ends as it says.

use blackstart_reports::record::{Record, Status, Verdict};

use super::stage::{FAILING, PASSING, Ran, demand_none, each, lost_tokens, malformed, planned, run};

const SEEDS: usize = 20;

/// Runs scenarios under many seeds, and looks at each.
fn over_seeds(names: &[&str], wrong: impl Fn(&Ran) -> Vec<String> + Sync) {
    let found = each(0..names.len() * SEEDS, |number| {
        let (name, seed) = (names[number / SEEDS], (number % SEEDS) as u64);
        let ran = run(planned(name, seed));
        let mut all = wrong(&ran);
        all.extend(malformed(&ran.record));
        all.extend(ran.leftovers.iter().map(|left| format!("{left} is left")));
        all.into_iter().map(|wrong| format!("{name}, seed {seed}: {wrong}")).collect()
    });
    demand_none(&found);
}

fn unless(holds: bool, wrong: impl FnOnce() -> String) -> Vec<String> {
    if holds { Vec::new() } else { vec![wrong()] }
}

/// The names of the checks that failed.
fn failed_checks(record: &Record) -> Vec<&str> {
    let checks = record.levels.iter().flat_map(|level| &level.checks);
    checks.filter(|check| check.status == Status::Failed).map(|check| check.id.as_str()).collect()
}

#[test]
fn the_drills_that_must_pass_pass() {
    over_seeds(&PASSING, |ran| {
        let record = &ran.record;
        let mut wrong = unless(record.verdict == Verdict::Passed, || format!("{:?}", record.reasons));
        wrong.extend(ran.not_modelled.iter().filter(|what| !what.starts_with("orderflow")).cloned());
        wrong
    });
}

#[test]
fn the_drills_that_must_fail_fail() {
    over_seeds(&FAILING, |ran| {
        unless(ran.record.verdict == Verdict::Failed, || format!("{:?}: {:?}", ran.record.verdict, ran.record.reasons))
    });
}

#[test]
fn an_unfenced_split_brain_is_punished_by_a_check() {
    over_seeds(&["broken/fails-split-brain-unfenced"], |ran| {
        unless(failed_checks(&ran.record).contains(&"one-writer"), || format!("{:?}", failed_checks(&ran.record)))
    });
}

#[test]
fn synchronous_replication_loses_nothing() {
    over_seeds(&["order-management/primary-zone-outage", "order-management/primary-killed"], |ran| {
        unless(lost_tokens(&ran.record).is_empty() && ran.truth.lost.is_empty(), || format!("{:?}", ran.truth.lost))
    });
}

#[test]
fn asynchronous_replication_loses_what_the_record_lists_and_all_of_it_is_stranded() {
    over_seeds(&["order-management/primary-zone-outage-async"], |ran| {
        let truly = ran.truth.lost.iter().cloned().collect();
        let listed = lost_tokens(&ran.record);
        let stranded = ran.record.rpo.as_ref().and_then(|rpo| rpo.stranded);
        let mut wrong = unless(!listed.is_empty(), || "nothing was lost".to_owned());
        wrong.extend(unless(listed == truly, || format!("lists {listed:?}, and lost {truly:?}")));
        // The old primary is started again, so what only it holds can be counted.
        wrong.extend(unless(stranded == Some(listed.len() as u64), || format!("{stranded:?} stranded")));
        wrong.extend(unless(ran.truth.stranded == ran.truth.lost, || "not all is stranded in truth".to_owned()));
        wrong
    });
}
