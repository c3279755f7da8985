//! Many short drills whose faults and recoveries are drawn: the truth must fit what clients saw in each of them.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    plans::partition_of_zone,
    stage::{Stage, assert_truth_fits},
};
use crate::{
    plan::random::stream,
    scenario::system::Replication::{Asynchronous, Synchronous},
    world::{Commands, Network, Power, simulated::Truth},
};

const NODES: [&str; 6] = ["app-a", "app-b", "app-c", "db-a", "db-b", "monitor"];

/// Does something at random, sensible or not: the model must cope with either.
async fn disturb(stage: &Stage, random: &mut ChaCha8Rng) {
    let world = &stage.world;
    let node = NODES.choose(random).copied().unwrap();
    let zone = ["a", "b", "c"].choose(random).copied().unwrap();
    let operation = ["promote", "fence", "unfence", "release", "rejoin", "reconcile"].choose(random).copied().unwrap();
    let server = ["db-a", "db-b"].choose(random).copied().unwrap();
    // Most of these can be impossible where they hit; that is part of the game.
    let _ = match random.random_range(0..8) {
        0 => world.kill(node).await,
        1 | 2 => world.start(node).await,
        3 => world.pause(node).await,
        4 => world.unpause(node).await,
        5 => world.refuse(&partition_of_zone(&stage.plan, zone)).await,
        6 => world.accept(&partition_of_zone(&stage.plan, zone)).await,
        _ => {
            let command = ["db-b".to_owned(), "db-a".to_owned()];
            world
                .operate(
                    serde_json::from_value(operation.into()).ok(),
                    server,
                    &command,
                    std::time::Duration::from_secs(5),
                )
                .await
                .map(|_| ())
        }
    };
    stage.wait_ms(random.random_range(0..600)).await;
}

/// Ends every fault and sees to it that there is a writer.
async fn settle(stage: &Stage) {
    for zone in ["a", "b", "c"].iter().cycle().take(24) {
        stage.world.accept(&partition_of_zone(&stage.plan, zone)).await.unwrap();
    }
    for node in NODES {
        stage.world.unpause(node).await.unwrap();
        stage.world.start(node).await.unwrap();
    }
    stage.wait_ms(1500).await;
    for (operation, server) in [("unfence", "db-a"), ("release", "db-a"), ("unfence", "db-b"), ("release", "db-b")] {
        stage.operate(operation, server, "").await;
    }
    stage.wait_ms(2000).await;
}

async fn drill(seed: u64) -> Truth {
    let replication = if seed.is_multiple_of(2) { Synchronous } else { Asynchronous };
    let stage = Stage::ready(replication, seed).await;
    let load = stage.load(20_000);
    let mut random = stream(seed, "soak");
    for _ in 0..8 {
        disturb(&stage, &mut random).await;
    }
    settle(&stage).await;
    load.await.unwrap();
    stage.wait_ms(500).await;
    let truth = stage.world.truth();
    assert!(truth.service_back_us.is_some(), "service never came back: {truth:?}");
    assert_truth_fits(&stage, &truth).await;
    truth
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_the_truth_fits_what_clients_saw() {
    let mut truths = Vec::new();
    for seed in 0..60 {
        truths.push(drill(seed).await);
    }
    let count = |wanted: &dyn Fn(&Truth) -> bool| truths.iter().filter(|truth| wanted(truth)).count();
    assert!(count(&|truth| !truth.lost.is_empty()) > 5, "hardly any drill lost anything");
    assert!(count(&|truth| !truth.recovered.is_empty()) > 5, "hardly any commit was recovered");
    assert!(count(&|truth| !truth.unavailable.is_empty()) > 20, "hardly any drill lost its service");
}
