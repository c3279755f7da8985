//! The doctor on a real engine: it finds what is there, and leaves nothing.

mod docker_bench;

use blackstart::world::{Remains, docker::doctor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_drills_need_and_leaves_nothing() {
    let owner = format!("test doctor {}", std::process::id());
    let findings = doctor::examine(&owner).await;
    for finding in &findings {
        let mark = if finding.ok { "ok" } else { "no" };
        eprintln!("{mark} {}: {} (for {}; {})", finding.name, finding.detail, finding.needed_for, finding.mend);
    }
    for needed in ["engine", "base image", "build", "publish", "cut", "limit", "disk"] {
        let finding = findings.iter().find(|finding| finding.name == needed);
        assert!(finding.is_some_and(|finding| finding.ok), "this test needs a Docker engine: {needed}: {finding:?}");
    }
    let left = docker_bench::remains().await.list().await.expect("a list");
    assert!(left.iter().all(|found| found.owner != owner), "{left:?}");
}
