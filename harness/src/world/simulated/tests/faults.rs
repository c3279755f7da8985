//! What faults do to requests, and recoveries to data.

use std::collections::BTreeSet;

use super::{
    plans::{SURVIVORS, partition_of_zone},
    stage::{Got, SECOND, Stage, assert_truth_fits, target},
};
use crate::{
    scenario::system::{
        Property,
        Replication::{Asynchronous, Synchronous},
    },
    world::{Network, NodeState, Power, Questions, Reply, WriteAttempt},
};

#[tokio::test(start_paused = true)]
async fn a_healthy_service_commits_and_acknowledges_everything() {
    let stage = Stage::ready(Synchronous, 1).await;
    stage.load(5000).await.unwrap();
    let truth = stage.world.truth();
    assert_eq!(stage.got().len(), 100);
    assert!(stage.got().iter().all(|got| got.is_ok() && got.returned_us - got.sent_us < 20_000), "{:?}", stage.got());
    assert_eq!((truth.commits.len(), truth.lost.len(), truth.acknowledged), (100, 0, 100));
    assert_eq!((truth.fault_instant_us, truth.unavailable.len()), (None, 0));
    stage.wait_ms(500).await;
    for property in [
        Property::DatabaseServes,
        Property::OneWriter,
        Property::ApplicationServes,
        Property::InstancesLegal,
        Property::StoresAgree,
        Property::WorkCompletes,
        Property::WorkVisible,
    ] {
        let answer = stage.world.model(property).unwrap();
        assert_eq!(answer.deviations, 0, "{property:?}: {}", answer.detail);
    }
    assert_truth_fits(&stage, &truth).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_primary_with_a_synchronous_standby_loses_no_acknowledged_write() {
    for seed in 0..20 {
        let stage = Stage::ready(Synchronous, seed).await;
        // Slow enough for the kill to find a commit on its way, now and then.
        stage.world.limit("db-a", "db-b", "2Mbit/s".parse().unwrap()).await.unwrap();
        let load = stage.load(6000);
        stage.wait_ms(2000 + seed * 7).await;
        stage.world.kill("db-a").await.unwrap();
        stage.world.kill("app-a").await.unwrap();
        stage.wait_ms(1000).await;
        assert_eq!(stage.operate("promote", "db-b", "").await.status, 0);
        load.await.unwrap();
        let truth = stage.world.truth();
        assert_eq!(truth.lost, Vec::<String>::new());
        assert_eq!(truth.survivor.as_deref(), Some("db-b"));
        assert!(stage.got().iter().any(|got| !got.is_ok()), "the kill was not felt");
        assert_eq!(truth.unavailable.last().unwrap().to_us, truth.service_back_us, "{:?}", truth.unavailable);
        let back_us = truth.service_back_us.unwrap();
        let after = stage.got_between(back_us, u64::MAX);
        assert!(after.len() > 20 && after.iter().all(Got::is_ok), "seed {seed}: {after:?}");
        assert_truth_fits(&stage, &truth).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_standby_behind_a_slow_link_loses_exactly_the_tail_of_the_log() {
    let stage = Stage::ready(Asynchronous, 3).await;
    stage.world.limit("db-a", "db-b", "400kbit/s".parse().unwrap()).await.unwrap();
    let load = stage.load(6000);
    stage.wait_ms(3000).await;
    assert!(stage.world.held_back("db-a", "db-b").await.unwrap() > 10_000);
    stage.world.kill("db-a").await.unwrap();
    stage.wait_ms(1000).await;
    stage.operate("promote", "db-b", "").await;
    load.await.unwrap();
    let truth = stage.world.truth();
    assert!(truth.lost.len() > 5, "lost {:?}", truth.lost);
    let acknowledged: BTreeSet<String> =
        stage.got().iter().filter(|got| got.is_ok()).map(|got| got.token.clone()).collect();
    let on_a: Vec<String> = truth.commits.iter().filter(|it| it.server == "db-a").map(|it| it.token.clone()).collect();
    let promised: Vec<String> = on_a.into_iter().filter(|token| acknowledged.contains(token)).collect();
    assert!(promised.ends_with(&truth.lost), "{:?} is not the tail of {promised:?}", truth.lost);
    assert_eq!(truth.stranded, truth.lost);
    assert_truth_fits(&stage, &truth).await;
}

#[tokio::test(start_paused = true)]
async fn a_free_link_loses_almost_nothing() {
    let stage = Stage::ready(Asynchronous, 3).await;
    let load = stage.load(4000);
    stage.wait_ms(3000).await;
    stage.world.kill("db-a").await.unwrap();
    stage.operate("promote", "db-b", "").await;
    load.await.unwrap();
    assert!(stage.world.truth().lost.len() <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_paused_primary_lets_requests_hang_and_writes_nothing() {
    let stage = Stage::ready(Synchronous, 4).await;
    stage.world.pause("db-a").await.unwrap();
    let got = stage.ask("hung").await;
    assert!(matches!(got.reply, Reply::NoAnswer { .. }), "{got:?}");
    assert!(got.returned_us - got.sent_us >= 1_000_000, "{got:?}");
    assert_eq!(stage.ask("refused").await.reply, Reply::Answer { status: 503 });
    stage.world.unpause("db-a").await.unwrap();
    stage.wait_ms(500).await;
    assert!(stage.ask("served").await.is_ok());
    let truth = stage.world.truth();
    assert_eq!(truth.commits.iter().map(|commit| commit.token.as_str()).collect::<Vec<_>>(), ["served"]);
    assert_eq!(truth.unavailable.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_is_served_if_the_node_is_unpaused_in_time() {
    let stage = Stage::ready(Synchronous, 4).await;
    stage.world.pause("db-a").await.unwrap();
    let (got, ()) = tokio::join!(stage.ask("patient"), async {
        stage.wait_ms(300).await;
        stage.world.unpause("db-a").await.unwrap();
    });
    assert!(got.is_ok(), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_replica_breaks_the_requests_in_flight_and_no_others() {
    let stage = Stage::ready(Asynchronous, 5).await;
    let asked = futures_util::future::join_all((0..300).map(async |index: u64| {
        stage.wait_ms(index).await;
        stage.ask(&format!("close-{index}")).await
    }));
    let (asked, killed) = tokio::join!(asked, stage.world.kill("app-b"));
    killed.unwrap();
    let fault_us = stage.world.truth().fault_instant_us.unwrap();
    let failed: Vec<&Got> = asked.iter().filter(|got| !got.is_ok()).collect();
    assert!(!failed.is_empty(), "no request was in flight");
    for got in failed {
        assert_eq!(got.reply, Reply::NoAnswer { reason: "connection reset".into() });
        assert!(got.sent_us < fault_us && fault_us <= got.returned_us, "{got:?} was not in flight at {fault_us}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_partitioned_zone_without_the_primary_is_routed_around() {
    let stage = Stage::ready(Synchronous, 5).await;
    let load = stage.load(4000);
    stage.wait_ms(1000).await;
    let partition = partition_of_zone(&stage.plan, "c");
    stage.world.refuse(&partition).await.unwrap();
    assert!(!stage.world.reaches("balancer", "app-c").await.unwrap());
    assert!(stage.world.reaches("balancer", "app-a").await.unwrap());
    load.await.unwrap();
    let truth = stage.world.truth();
    assert_eq!(truth.lost, Vec::<String>::new());
    let slow = stage.got().iter().filter(|got| got.returned_us - got.sent_us > 150_000).count();
    assert!(slow > 0, "nothing was dispatched again");
    let late_us = stage.clock.now_us() - 1_500_000;
    assert!(stage.got_between(late_us, u64::MAX).iter().all(Got::is_ok));
    assert_eq!(stage.world.model(Property::ApplicationServes).unwrap().deviations, 0);
    stage.world.accept(&partition).await.unwrap();
    assert!(stage.world.reaches("balancer", "app-c").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_waits_for_an_absent_standby_hangs_until_release() {
    let stage = Stage::ready(Synchronous, 6).await;
    stage.world.kill("db-b").await.unwrap();
    let got = stage.ask("given-up").await;
    assert!(matches!(got.reply, Reply::NoAnswer { .. }), "{got:?}");
    let (got, output) = tokio::join!(stage.ask("released"), async {
        stage.wait_ms(400).await;
        stage.operate("release", "db-a", "").await
    });
    assert_eq!(output.status, 0);
    assert!(got.is_ok() && got.returned_us - got.sent_us > 400_000, "{got:?}");
    let truth = stage.world.truth();
    assert_eq!(truth.recovered, ["given-up"]);
    assert_eq!(truth.commits.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_waits_goes_on_when_the_standby_returns() {
    let stage = Stage::ready(Synchronous, 6).await;
    stage.world.pause("db-b").await.unwrap();
    let (got, ()) = tokio::join!(stage.ask("patient"), async {
        stage.wait_ms(500).await;
        stage.world.unpause("db-b").await.unwrap();
    });
    assert!(got.is_ok(), "{got:?}");
}

/// The zone of the primary is partitioned, the standby takes over, and the partition heals: fenced meanwhile, or not.
async fn failover_across_a_partition(stage: &Stage, fences: bool) {
    let load = stage.load(9000);
    stage.wait_ms(1000).await;
    let partition = partition_of_zone(&stage.plan, "a");
    stage.world.refuse(&partition).await.unwrap();
    if fences {
        assert_eq!(stage.operate("fence", "db-a", "").await.status, 0);
    }
    stage.operate("promote", "db-b", "").await;
    stage.wait_ms(2000).await;
    stage.world.accept(&partition).await.unwrap();
    load.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_fence_prevents_two_writers() {
    let stage = Stage::ready(Asynchronous, 8).await;
    failover_across_a_partition(&stage, true).await;
    assert_eq!(stage.world.model(Property::OneWriter).unwrap().deviations, 0);
    let attempt = stage.world.attempt_write(&target(&stage, "db-a"), "app", "INSERT", SECOND).await.unwrap();
    assert!(matches!(attempt, WriteAttempt::Refused(_)));
    let truth = stage.world.truth();
    assert!(truth.lost.len() <= 1, "{:?}", truth.lost);
    assert_truth_fits(&stage, &truth).await;
    assert_eq!(stage.operate("rejoin", "db-a", "db-b").await.status, 0);
    stage.wait_ms(300).await;
    assert_eq!(stage.world.truth().stranded, Vec::<String>::new());
    assert_eq!(stage.world.model(Property::DatabaseServes).unwrap().deviations, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_fence_the_old_primary_takes_part_of_the_requests() {
    let stage = Stage::ready(Asynchronous, 8).await;
    failover_across_a_partition(&stage, false).await;
    assert_eq!(stage.world.model(Property::OneWriter).unwrap().deviations, 1);
    let truth = stage.world.truth();
    assert_eq!(truth.survivor.as_deref(), Some("db-b"));
    assert!(truth.lost.len() > 10, "{:?}", truth.lost);
    assert_truth_fits(&stage, &truth).await;
    stage.wait_ms(500).await;
    assert!(stage.world.model(Property::StoresAgree).unwrap().deviations > 10);
    stage.operate("fence", "db-a", "").await;
    assert_eq!(stage.operate("reconcile", "monitor", "").await.status, 0);
    assert_eq!(stage.world.model(Property::StoresAgree).unwrap().deviations, 0);
    assert!(!stage.world.truth().stranded.is_empty());
    stage.operate("rejoin", "db-a", "db-b").await;
    let after = stage.world.truth();
    assert_eq!((after.lost, after.stranded), (truth.lost, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_former_primary_that_restarts_is_fenced_by_its_guard_alone() {
    for is_guarded in [true, false] {
        let change = |world: crate::world::simulated::SimulatedWorld| {
            if is_guarded { world } else { world.without_guard() }
        };
        let stage = Stage::ready_with(Synchronous, 9, change).await;
        stage.world.kill("db-a").await.unwrap();
        assert_eq!(stage.world.state("db-a").await.unwrap(), NodeState::Down);
        stage.operate("promote", "db-b", "").await;
        stage.world.start("db-a").await.unwrap();
        stage.wait_ms(2000).await;
        let deviations = stage.world.model(Property::OneWriter).unwrap().deviations;
        assert_eq!(deviations, u64::from(!is_guarded));
        assert_eq!(stage.operate("rejoin", "db-a", "db-b").await.status, 0);
        assert_eq!(stage.operate("require", "db-b", "db-a").await.status, 0);
        stage.wait_ms(500).await;
        assert!(stage.ask("redundant").await.is_ok());
        let held = stage.world.query(&target(&stage, "db-a"), SURVIVORS, SECOND).await.unwrap();
        assert_eq!(held, [[Some("redundant".to_owned())]]);
    }
}
