//! The same seed gives the same world; and what a run costs.

use super::stage::{Got, Stage};
use crate::{
    scenario::system::Replication::{Asynchronous, Synchronous},
    world::{Power, simulated::Truth},
};

/// A failover of some 15 s with 240 requests.
async fn drill(seed: u64) -> (Truth, Vec<Got>) {
    let stage = Stage::ready(Asynchronous, seed).await;
    let load = stage.load(12_000);
    stage.wait_ms(3000).await;
    stage.world.kill("db-a").await.unwrap();
    stage.wait_ms(1500).await;
    stage.operate("promote", "db-b", "").await;
    load.await.unwrap();
    (stage.world.truth(), stage.got())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run_and_another_another() {
    let first = drill(7).await;
    assert_eq!(first, drill(7).await);
    assert_ne!(first.0, drill(8).await.0);
}

/// Not a timed test: prints what a drill costs. `cargo test --release -p blackstart --lib simulated -- --ignored --nocapture`
#[test]
#[ignore = "prints a measurement"]
fn what_a_drill_costs() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut requests = 0;
    let begin = std::time::Instant::now();
    for seed in 0..500 {
        requests += runtime.block_on(drill(seed)).1.len();
    }
    let each = begin.elapsed() / 500;
    println!("{each:?} for a drill of 15 s with {} requests", requests / 500);
    let begin = std::time::Instant::now();
    for seed in 0..100 {
        runtime.block_on(async {
            let stage = Stage::ready(Synchronous, seed).await;
            stage.load(30_000).await.unwrap();
        });
    }
    println!("{:?} for 600 healthy requests in 30 s", begin.elapsed() / 100);
    let begin = std::time::Instant::now();
    for _ in 0..100 {
        runtime.block_on(only_clients());
    }
    println!("{:?} of it for the clients' own waiting", begin.elapsed() / 100);
}

/// What 600 clients cost that ask nobody.
async fn only_clients() {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..600 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        tasks.spawn(tokio::time::sleep(std::time::Duration::from_millis(8)));
    }
    while tasks.join_next().await.is_some() {}
}
