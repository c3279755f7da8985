//! The doctor on a real engine: it finds what is there, and leaves nothing.

mod docker_bench;

use blackstart::world::{Remains, docker::doctor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_drills_need_and_leaves_nothing() {
    let owner = format!("test doctor {}", std::process::id());
    let results = doctor::examine(&owner).await;
    for result in &results {
        let mark = if result.ok { "ok" } else { "no" };
        eprintln!("{mark} {}: {} (for {}; {})", result.name, result.detail, result.needed_for, result.mend);
    }
    for needed in ["engine", "base image", "build", "publish", "partition", "limit", "disk"] {
        let result = results.iter().find(|result| result.name == needed);
        assert!(result.is_some_and(|result| result.ok), "this test needs a Docker engine: {needed}: {result:?}");
    }
    let left = docker_bench::remains().await.list().await.expect("a list");
    assert!(left.iter().all(|found| found.owner != owner), "{left:?}");
}
