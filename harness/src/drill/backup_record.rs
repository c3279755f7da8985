//! What the record says of backups: how each was taken, what came of it, and how each class of data came back.

use blackstart_evidence::measure::{Deadlines, stage_between};
use blackstart_reports::record::{Backup, DataClass, Interval, LevelResult, Status};

use super::{
    Facts,
    protecting::{Interrupted, Kept},
};
use crate::{
    plan::{Plan, Taking},
    scenario::{self, backup::ArrayCopy},
    workload::{Outcome, Sender, Sent},
};

/// The backups in the order in which they were begun; those too that never got complete.
pub fn backups(facts: &Facts, deadlines: Deadlines) -> Vec<Backup> {
    let complete = facts.backups.iter().map(|kept| (kept.us.0, backup(kept, facts, deadlines)));
    let cut_short = facts.interrupted.iter().map(|it| (it.us.0, interrupted(it, facts, deadlines)));
    let mut backups: Vec<_> = complete.chain(cut_short).collect();
    backups.sort_by_key(|(began_us, _)| *began_us);
    backups.into_iter().map(|(_, backup)| backup).collect()
}

fn interrupted(it: &Interrupted, facts: &Facts, deadlines: Deadlines) -> Backup {
    let (began_us, ended_us) = it.us;
    Backup {
        interrupted: Some(it.proof.clone()),
        taken_ms: Some(Interval::new(began_us as f64 / 1e3, ended_us as f64 / 1e3)),
        load: Some(stage_between(&facts.history, &it.planned.id, began_us..ended_us, deadlines)),
        ..Backup::taken(&it.planned.id, &it.planned.method, 0, (ended_us - began_us) as f64 / 1e6)
    }
}

fn backup(kept: &Kept, facts: &Facts, deadlines: Deadlines) -> Backup {
    let (began_us, ended_us) = kept.us;
    let tested = facts.restore_tests.get(&kept.planned.id);
    let seconds = (ended_us - began_us) as f64 / 1e6;
    Backup {
        valid: tested.and_then(|tested| tested.valid),
        label: kept.taken.label.clone(),
        taken_ms: Some(kept.ms()),
        restore_test: tested.map(|tested| tested.restore_test.clone()),
        load: Some(stage_between(&facts.history, &kept.planned.id, began_us..ended_us, deadlines)),
        expected_invalid: kept.planned.is_expected_invalid,
        downtime_seconds: downtime(facts, kept),
        ..Backup::taken(&kept.planned.id, &kept.planned.method, kept.taken.bytes, seconds)
    }
}

/// How long clients were not served while a cold copy was made: from the last good request before the first failed one to the
/// first good one after the last failed one, at the least from failure to failure.
fn downtime(facts: &Facts, kept: &Kept) -> Option<Interval<f64>> {
    let is_cold = matches!(kept.planned.taking, Taking::Array { by: ArrayCopy::ColdCopy, .. });
    if !is_cold {
        return None;
    }
    let (began_us, ended_us) = kept.us;
    let is_client = |sent: &&Sent| matches!(sent.sender, Sender::Load | Sender::Probe);
    let clients = || facts.history.iter().filter(is_client);
    let is_inside = |sent: &&Sent| (began_us..ended_us).contains(&sent.sent_us);
    let failed = || clients().filter(is_inside).filter(|sent| sent.outcome != Outcome::Ok);
    let (first, last) = (failed().map(|sent| sent.sent_us).min()?, failed().map(|sent| sent.sent_us).max()?);
    let good = || clients().filter(|sent| sent.outcome == Outcome::Ok);
    let before = good().map(|sent| sent.sent_us).filter(|at| *at < first).max().unwrap_or(began_us);
    let after = good().filter(|sent| sent.sent_us > last).map(|sent| sent.returned_us).min().unwrap_or(ended_us);
    Some(Interval::new((last - first) as f64 / 1e6, (after - before) as f64 / 1e6))
}

/// How each class of data came back: in the system itself after its recovery, and in every restored copy of a backup that is valid.
pub fn data_classes(plan: &Plan, facts: &Facts) -> Vec<DataClass> {
    let valid = facts.restore_tests.iter().filter(|(_, tested)| tested.valid == Some(true));
    let mut places: Vec<(String, &[LevelResult])> =
        valid.map(|(id, tested)| (format!("the copy of {id}"), tested.restore_test.levels.as_slice())).collect();
    // Without a restored copy, it is the system itself that was recovered.
    if places.is_empty() {
        places.push(("the system".to_owned(), facts.levels.as_slice()));
    }
    let is_known = places.iter().any(|(_, levels)| !levels.is_empty());
    let classes = plan.declared.system.data_classes.iter().filter(|_| is_known);
    classes.map(|class| data_class(class, &places)).collect()
}

fn data_class(class: &scenario::backup::DataClass, places: &[(String, &[LevelResult])]) -> DataClass {
    let found = |levels: &[LevelResult], id: &String| {
        let check = levels.iter().flat_map(|level| &level.checks).find(|check| check.id == *id);
        check.map_or(Status::NotReached, |check| check.status)
    };
    let mut status = Status::Passed;
    let mut detail = Vec::new();
    for (place, levels) in places {
        for id in &class.shown_by {
            let seen = found(levels, id);
            if !matches!(seen, Status::Passed | Status::Tolerated) {
                status = seen;
                detail.push(format!("{id} did not hold in {place}"));
            }
        }
    }
    if detail.is_empty() {
        let names: Vec<&str> = places.iter().map(|(place, _)| place.as_str()).collect();
        let checks = if class.shown_by.len() == 1 { "check" } else { "checks" };
        detail.push(format!("{} {checks} in {}", class.shown_by.len(), names.join(", ")));
    }
    let (class_name, comes_back) = (class.class.name().to_owned(), class.comes_back.name().to_owned());
    DataClass { class: class_name, about: class.about.clone(), comes_back, status, detail: detail.join("; ") }
}

/// Backups that took longer than the work that may be lost: with nothing but such backups, the target could not be held.
pub fn slower_than_target(plan: &Plan, facts: &Facts) -> Vec<String> {
    let target = plan.declared.scenario.targets.rpo.as_ref().and_then(|rpo| rpo.time);
    let Some(target) = target.filter(|target| target.ms() > 0.0) else { return Vec::new() };
    let slow = facts.backups.iter().filter_map(|kept| {
        let seconds = (kept.us.1 - kept.us.0) as f64 / 1e6;
        let id = &kept.planned.id;
        (seconds * 1e3 > target.ms()).then(|| {
            format!("Backup {id} took {seconds:.1} s, longer than the RPO target of {target}: only the archived log can hold it.")
        })
    });
    slow.collect()
}
