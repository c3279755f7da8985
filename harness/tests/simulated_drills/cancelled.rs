//! A drill that is told to end: at every call to the world, and at many moments between.

use std::time::Duration;

use blackstart_reports::record::Verdict;

use super::stage::{Ran, demand_none, each, malformed, planned, run, run_disturbed};

/// One scenario of each kind: killed, paused, partitioned and healed, a slow link, nothing broken, data lost, data changed,
/// backups tested, a backup and a restore interrupted.
const KINDS: [&str; 10] = [
    "order-management/primary-killed",
    "order-management/standby-zone-outage",
    "order-management/split-brain-refused",
    "order-management/primary-zone-outage-async",
    "order-management/nothing-broken",
    "order-management/lost-data",
    "order-management/bad-change",
    "order-management/backups-tested",
    "order-management/backup-interrupted",
    "order-management/restore-interrupted",
];

/// From one moment of cancellation to the next. It fits into no period of a drill, so that all phases of each are met.
const STEP: Duration = Duration::from_millis(131);

/// What is wrong with a drill that was told to end before it was over.
fn wrong_with(ran: &Ran) -> Vec<String> {
    let mut wrong = malformed(&ran.record);
    wrong.extend(ran.leftovers.iter().chain(&ran.record.leftovers).map(|left| format!("{left} is left")));
    if ran.record.verdict != Verdict::CouldNotRun {
        wrong.push(format!("the verdict is {:?}", ran.record.verdict));
    }
    if !ran.record.reasons.iter().any(|reason| reason.contains("told to end")) {
        wrong.push(format!("the reasons are {:?}", ran.record.reasons));
    }
    wrong
}

/// What clients saw, and which fault was in place, belongs to the record even of a drill that was cancelled.
fn forgotten(ran: &Ran, at: Duration) -> Vec<String> {
    let mut wrong = Vec::new();
    let began = ran.record.timeline.iter().find(|entry| entry.text == "load").map(|entry| entry.at_ms);
    let seen = ran.record.load.as_ref().map_or(0, |load| load.acknowledged);
    if began.is_some_and(|began_ms| at.as_secs_f64() * 1e3 > began_ms + 1000.0) && seen == 0 {
        wrong.push("what the clients saw is forgotten".to_owned());
    }
    let struck =
        ran.record.timeline.iter().filter(|entry| entry.kind == "fault" && !entry.text.starts_with("in place"));
    if struck.count() != ran.record.faults.len() {
        wrong.push("the record forgets a fault that its timeline tells of".to_owned());
    }
    wrong
}

#[test]
fn a_drill_that_is_cancelled_at_any_call_leaves_nothing_and_says_so() {
    for name in KINDS {
        // Removals are no longer part of what can be cancelled.
        let calls = run(planned(name, 3)).calls.iter().take_while(|call| !call.starts_with("remove ")).count();
        let found = each(0..calls, |number| {
            let ran = run_disturbed(planned(name, 3), |world, cancel| {
                world.at_call(number, move || cancel.cancel());
            });
            wrong_with(&ran).into_iter().map(|wrong| format!("{name}, cancelled at call {number}: {wrong}")).collect()
        });
        demand_none(&found);
    }
}

#[test]
fn a_drill_that_is_cancelled_at_any_moment_leaves_nothing_and_forgets_nothing() {
    for name in KINDS {
        let phases = run(planned(name, 3)).record.phases;
        let seconds: f64 = phases.iter().filter(|phase| phase.name != "tear down").map(|phase| phase.seconds).sum();
        let steps = (seconds / STEP.as_secs_f64()) as usize;
        let found = each(0..steps, |step| {
            let at = STEP * step as u32;
            let ran = run_disturbed(planned(name, 3), |_, cancel| {
                tokio::spawn(async move {
                    tokio::time::sleep(at).await;
                    cancel.cancel();
                });
            });
            let mut wrong = wrong_with(&ran);
            wrong.extend(forgotten(&ran, at));
            wrong.into_iter().map(|wrong| format!("{name}, cancelled after {at:?}: {wrong}")).collect()
        });
        demand_none(&found);
    }
}

#[test]
fn cancelling_ends_a_drill_soon() {
    let name = "order-management/primary-zone-outage";
    let whole = run(planned(name, 3)).ended;
    let at = whole / 2;
    let ran = run_disturbed(planned(name, 3), |_, cancel| {
        tokio::spawn(async move {
            tokio::time::sleep(at).await;
            cancel.cancel();
        });
    });
    // The removal alone takes less than a second in the model.
    assert!(ran.ended < at + Duration::from_secs(1), "cancelled after {at:?}, ended after {:?}", ran.ended);
}
