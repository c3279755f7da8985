//! What is no service before the fault, no return of it, no cause of being down, and no fault: whole drills, each of which must not
//! pass for the reason that its test names.

use std::{sync::Arc, time::Duration};

use blackstart::{
    plan,
    scenario::Declared,
    world::{Power as _, simulated::SimulatedWorld},
};
use blackstart_reports::record::{TargetVerdict, Verdict};

use super::stage::{Ran, planned, read, run, run_beside};

/// A drill beside which somebody kills a node.
fn with_a_kill(declared: Declared, node: &'static str, after: Duration) -> Ran {
    run_beside(plan::build(declared, 3).unwrap(), |world, _| {
        let world: Arc<SimulatedWorld> = Arc::clone(world);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            world.kill(node).await
        });
    })
}

#[test]
fn a_detection_before_the_fault_is_inconclusive_and_no_error() {
    let mut declared = read("order-management/primary-killed");
    let late = blackstart::scenario::units::Span::from_ms(20_000);
    declared.scenario.faults[0].at = blackstart::scenario::units::Moment { from: late, to: late };
    let record = with_a_kill(declared, "db-b", Duration::from_secs(8)).record;
    assert_eq!(record.exit_status(), 4, "{:?}", record.reasons);
    assert!(record.reasons[0].contains("before any fault"), "{:?}", record.reasons);
    assert!(record.rto.is_some_and(|rto| !rto.exercised && rto.service.is_none()));
}

#[test]
fn a_drill_without_targets_whose_service_did_not_come_back_fails() {
    let mut declared = read("order-management/primary-killed");
    declared.scenario.recovery.procedure.clear();
    declared.scenario.recovery.afterwards.clear();
    (declared.scenario.targets.rpo, declared.scenario.targets.rto) = (None, None);
    let record = run(plan::build(declared, 1).unwrap()).record;
    assert_eq!(record.verdict, Verdict::Failed);
    assert_eq!(record.reasons[0], "service did not come back");
}

#[test]
fn a_node_that_is_down_for_no_reason_is_a_finding() {
    let record = with_a_kill(read("order-management/nothing-broken"), "app-c", Duration::from_secs(4)).record;
    assert_eq!(
        (record.verdict, &record.nodes_down[..]),
        (Verdict::Failed, &["app-c".to_owned()][..]),
        "{:?}",
        record.reasons
    );
    let said = |reason: &String| reason.starts_with("node app-c is down");
    assert!(record.reasons.iter().any(said), "{:?}", record.reasons);
    for name in ["order-management/primary-zone-outage", "order-management/split-brain-refused"] {
        assert_eq!(run(planned(name, 1)).record.nodes_down, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_control_exercises_no_time_and_passes() {
    let record = run(planned("order-management/nothing-broken", 1)).record;
    let (rpo, rto) = (record.rpo.unwrap(), record.rto.unwrap());
    assert_eq!(record.verdict, Verdict::Passed, "{:?}", record.reasons);
    assert_eq!((rpo.exercised, rpo.time_exercised, rpo.verdict), (true, false, TargetVerdict::Passed));
    assert_eq!((rto.exercised, rto.service, rto.verdict), (false, None, TargetVerdict::NotExercised));
}

#[test]
fn what_made_an_rpo_unmeasurable_is_told() {
    let record = run(planned("broken/fails-split-brain-unfenced", 1)).record;
    assert!(record.rpo.is_none());
    {
        assert!(record.rpo_unmeasured.is_some_and(|why| why.contains("take writes")), "{:?}", record.reasons);
    }
}
