//! What exists, and calls that fail on demand.

use std::time::Duration;

use super::{
    plans::order_management,
    stage::{Stage, resources},
};
use crate::{
    clock::Clock,
    scenario::system::Replication::Synchronous,
    world::{
        Commands, Network, Power, Provision, Questions, Resource, SqlTarget, WorldErrorKind, simulated::SimulatedWorld,
    },
};

#[tokio::test(start_paused = true)]
async fn what_was_made_is_left_over_until_it_is_removed() {
    let plan = order_management(Synchronous);
    let world = SimulatedWorld::new(&plan, 1, Clock::start());
    let resources = resources(&plan);
    for resource in &resources {
        world.create(resource).await.unwrap();
    }
    assert_eq!(world.leftovers().await.unwrap().len(), resources.len());
    assert_eq!(world.create(&resources[0]).await.unwrap_err().kind, WorldErrorKind::Taken);
    assert_eq!(world.remove(&resources[0]).await.unwrap_err().kind, WorldErrorKind::Answered);
    for resource in resources.iter().rev() {
        world.remove(resource).await.unwrap();
    }
    assert!(world.leftovers().await.unwrap().is_empty());
    world.remove(&resources[0]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whatever_is_broken_off_half_way_is_left_over() {
    let plan = order_management(Synchronous);
    let world = SimulatedWorld::new(&plan, 1, Clock::start());
    let broken_off = tokio::time::timeout(Duration::from_millis(1), world.create(&Resource::Networks)).await;
    assert!(broken_off.is_err());
    assert_eq!(world.leftovers().await.unwrap(), ["networks"]);
    world.fail_at("create volume of db-a");
    world.create(&Resource::Volume { node: "db-a".into() }).await.unwrap_err();
    assert_eq!(world.leftovers().await.unwrap(), ["networks", "volume of db-a"]);
}

#[tokio::test(start_paused = true)]
async fn the_world_fails_where_a_test_wants_it_to() {
    let stage = Stage::ready(Synchronous, 1).await;
    let number = stage.world.calls().len();
    stage.world.fail_call(number + 1);
    stage.world.kill("app-a").await.unwrap();
    let error = stage.world.kill("app-b").await.unwrap_err();
    assert_eq!(error.to_string(), "could not kill app-b: the simulated world was told to fail here");
    stage.world.fail_with_probability(1.0);
    stage.world.start("app-a").await.unwrap_err();
    stage.world.remove(&Resource::Relay { targets: Vec::new() }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_model_does_not_know_is_said() {
    let stage = Stage::ready(Synchronous, 1).await;
    let unknown =
        stage.world.operate(None, "db-a", &["switch-timezone".into()], Duration::from_secs(1)).await.unwrap_err();
    assert!(unknown.happened.contains("does not know this operation"), "{unknown}");
    stage.world.run("app-a", &["touch".into(), "x".into()], Duration::from_secs(1)).await.unwrap();
    assert_eq!(stage.world.not_modelled(), ["touch x"]);
    let access = stage.plan.database("orders").unwrap().clone();
    let target = SqlTarget { node: "db-a".into(), database: "orders".into(), access };
    let asked = stage.world.query(&target, "SELECT count(*) FROM orders", Duration::from_secs(1)).await;
    assert_eq!(asked.unwrap_err().kind, WorldErrorKind::NotFound);
    assert_eq!(stage.world.get("app-a", 8080, "/live", Duration::from_secs(1)).await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_partition_needs_a_helper() {
    let plan = order_management(Synchronous);
    let world = SimulatedWorld::new(&plan, 1, Clock::start());
    for resource in resources(&plan) {
        world.create(&resource).await.unwrap();
    }
    let partition = [("db-a".to_owned(), vec!["db-b".to_owned()])].into();
    assert_eq!(world.refuse(&partition).await.unwrap_err().kind, WorldErrorKind::NotFound);
    assert_eq!(world.start("nobody").await.unwrap_err().kind, WorldErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_drill_does_not_change_the_truth() {
    let stage = Stage::ready(Synchronous, 1).await;
    stage.load(1000).await.unwrap();
    let before = stage.world.truth();
    let mut all = resources(&stage.plan);
    all.extend(stage.plan.nodes.iter().map(|planned| Resource::Helper { node: planned.node.name.clone() }));
    for resource in all.iter().rev() {
        stage.world.remove(resource).await.unwrap();
    }
    assert_eq!(stage.world.truth(), before);
    assert!(stage.world.leftovers().await.unwrap().is_empty());
}
