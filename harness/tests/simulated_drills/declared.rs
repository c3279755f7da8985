//! Every scenario of the repository ends as it says.

use blackstart::{
    plan,
    scenario::{Declared, drill::Interruption, step::StepKind, units::Span},
};
use blackstart_reports::record::{Backup, LevelResult, Record, Status, Verdict};

use super::stage::{
    FAILING, OF_THE_CELL, PASSING, Ran, WITH_BACKUPS, demand_none, each, lost_tokens, malformed, planned, read, run,
};

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
fn the_drills_with_backups_pass() {
    over_seeds(&WITH_BACKUPS, |ran| {
        let record = &ran.record;
        let mut wrong = unless(record.verdict == Verdict::Passed, || format!("{:?}", record.reasons));
        let nowhere = |it: &&Backup| it.label.is_empty() && it.interrupted.is_none();
        wrong.extend(record.backups.iter().filter(nowhere).map(|it| it.id.clone()));
        wrong
    });
}

#[test]
fn the_drills_of_the_cell_pass() {
    over_seeds(&OF_THE_CELL, |ran| {
        unless(ran.record.verdict == Verdict::Passed, || format!("{:?}", ran.record.reasons))
    });
}

#[test]
fn a_tested_backup_was_put_to_every_check() {
    over_seeds(&["order-management/backups-tested"], |ran| {
        let checked = |levels: &[LevelResult]| levels.iter().map(|level| level.checks.len()).sum::<usize>();
        let evaluated = ran.record.backups.iter().filter_map(|backup| backup.restore_test.as_ref());
        let all = evaluated.filter(|restore_test| checked(&restore_test.levels) > checked(&ran.record.levels)).count();
        unless(all == 3, || format!("{:?}", ran.record.backups))
    });
}

#[test]
fn a_corrupted_backup_is_found_and_the_others_are_not_blamed() {
    over_seeds(&["broken/fails-backup-corrupted"], |ran| {
        let valid: Vec<_> = ran.record.backups.iter().map(|backup| backup.valid).collect();
        unless(valid == [Some(true), Some(false)], || format!("{valid:?}"))
    });
    over_seeds(&["broken/fails-backups-unusable"], |ran| {
        let valid: Vec<_> = ran.record.backups.iter().map(|backup| backup.valid).collect();
        unless(valid == [Some(false), Some(false), Some(true)], || format!("{valid:?}"))
    });
}

#[test]
fn what_is_interrupted_is_never_taken_for_complete() {
    over_seeds(&["order-management/backup-interrupted"], |ran| {
        let seen = |it: &Backup| (it.valid, it.interrupted.is_some());
        let seen: Vec<_> = ran.record.backups.iter().map(seen).collect();
        unless(seen == [(Some(true), false), (None, true), (Some(true), false)], || format!("{seen:?}"))
    });
    over_seeds(&["order-management/restore-interrupted"], |ran| {
        let details: Vec<_> = ran.record.procedure.iter().map(|step| &step.detail).collect();
        let twice = details.iter().any(|it| it.contains("db-a was killed") && it.contains("from the beginning"));
        unless(twice, || format!("{details:?}"))
    });
}

/// Has the first step, a restore, interrupted.
fn interrupt_restore(declared: &mut Declared, by: Interruption) {
    let StepKind::RestoreStep(restore) = &mut declared.scenario.recovery.procedure[0].kind else {
        panic!("no restore")
    };
    restore.interrupted = Some(by);
}

#[test]
fn a_restore_is_interrupted_by_the_end_of_the_repository_too() {
    let mut declared = read("order-management/restore-interrupted");
    let repository = Interruption { kill: "repository".to_owned() };
    interrupt_restore(&mut declared, repository);
    let record = run(plan::build(declared, 1).unwrap()).record;
    let details: Vec<_> = record.procedure.iter().map(|step| &step.detail).collect();
    let twice = details.iter().any(|it| it.contains("repository was killed") && it.contains("from the beginning"));
    assert!(twice && record.verdict == Verdict::Passed, "{details:?}: {:?}", record.reasons);
}

#[test]
fn an_interruption_that_interrupts_nothing_is_an_error_and_no_verdict() {
    let elsewhere = Interruption { kill: "db-b".to_owned() };
    let mut declared = read("order-management/restore-interrupted");
    interrupt_restore(&mut declared, elsewhere);
    let record = run(plan::build(declared, 1).unwrap()).record;
    let why = &record.reasons;
    assert_eq!(record.verdict, Verdict::CouldNotRun, "{why:?}");
    assert!(why.iter().any(|why| why.contains("it ended well although db-b was killed")), "{why:?}");
}

#[test]
fn a_backup_that_takes_longer_than_the_work_that_may_be_lost_is_reported() {
    let slow = |target_ms: u64| {
        let mut declared = read("order-management/lost-data");
        declared.scenario.targets.rpo.as_mut().unwrap().time = Some(Span::from_ms(target_ms));
        let notes = run(plan::build(declared, 1).unwrap()).record.notes;
        notes.iter().filter(|note| note.contains("longer than the RPO target")).count()
    };
    assert_eq!((slow(100), slow(3_600_000)), (2, 0));
}

#[test]
fn lost_data_costs_what_was_not_archived_and_a_bad_change_only_what_came_after_it() {
    over_seeds(&["order-management/lost-data"], |ran| {
        let lost = &ran.truth.lost;
        unless(lost_tokens(&ran.record) == lost.iter().cloned().collect(), || format!("truly lost: {lost:?}"))
    });
    over_seeds(&["order-management/bad-change"], |ran| {
        let rpo = ran.record.rpo.as_ref();
        // All that was acknowledged after the change is gone with it, and nothing of before.
        let since = |rpo: &blackstart_reports::record::Rpo| {
            let changed_ms = ran.record.faults.first().map_or(0.0, |fault| fault.began_ms.lower);
            rpo.seconds.upper > 0.0 && rpo.lost.iter().all(|write| write.acknowledged_ms >= changed_ms)
        };
        unless(rpo.is_some_and(since), || format!("{rpo:?}"))
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
