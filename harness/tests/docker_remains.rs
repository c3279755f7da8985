//! What a run leaves on a real engine, and that a sweep removes it and nothing else.

mod docker_bench;

use std::{
    collections::HashMap,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use blackstart::{
    topology::{
        ledger::{self, Ledger},
        owner,
        sweep::{RunState, clear, survey},
    },
    world::{
        NodeSpec, Power, Provision, Remains, Resource, Storage,
        docker::{DockerWorld, RunIdentity},
    },
};
use bollard::{
    Docker,
    models::ContainerCreateBody,
    query_parameters::{CreateContainerOptionsBuilder, InspectContainerOptions, RemoveContainerOptionsBuilder},
};
use docker_bench::{
    connect,
    disks::{SMALL, left_of, with_disk},
    image, node, remains, with_nodes, with_specs,
};
use futures_util::FutureExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ours_stays() {
    let engine = Docker::connect_with_defaults().expect("an engine");
    let name = format!("bystander-{:08x}", rand::random::<u32>());
    let body = ContainerCreateBody {
        image: Some("debian:trixie-slim".into()),
        labels: Some(HashMap::from([("bystander".to_owned(), "1".to_owned())])),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    engine.create_container(Some(options), body).await.expect("a bystander");
    with_nodes("foreign", &["a"], &["a"], |bench| {
        let name = name.clone();
        async move {
            let ours = bench.world.leftovers().await.expect("a list");
            assert_eq!(ours.len(), 8, "node, helper, relay, gate, resolver with its volume, two networks: {ours:?}");
            let found = remains().await.list().await.expect("a list");
            assert!(found.iter().all(|one| one.name != name), "a sweep would not see it either");
        }
        .boxed()
    })
    .await;
    engine.inspect_container(&name, None::<InspectContainerOptions>).await.expect("it is still there");
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    engine.remove_container(&name, Some(force)).await.expect("it goes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_removes_what_a_dead_run_left() {
    let specs = vec![node("a", 11, &["a"])];
    let specs = specs.into_iter().map(|spec| NodeSpec { data: Some("/data".into()), ..spec });
    with_specs("sweep", specs.collect(), &["a"], |bench| {
        async move {
            let mine = bench.world.leftovers().await.expect("a list");
            let all = remains().await.list().await.expect("a list");
            let found: Vec<_> = all.into_iter().filter(|one| mine.contains(&one.to_string())).collect();
            assert_eq!(
                found.len(),
                9,
                "node, helper, relay, gate, volume, resolver with its own, two networks: {found:?}"
            );
            assert!(found.iter().all(|one| one.owner == format!("test {}", std::process::id())));
            let failed = remains().await.remove(&found).await.expect("an engine");
            assert!(failed.is_empty(), "{failed:?}");
            assert!(bench.world.leftovers().await.expect("a list").is_empty());
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_outlives_the_world_that_made_it() {
    let world = connect("keep").await;
    let spec = node("a", 11, &["a"]);
    let made = [Resource::Networks, Resource::Node(Box::new(spec)), Resource::Helper { node: "a".into() }];
    world.prepare_images(&[image()], &|_| {}).await.expect("images");
    for resource in &made {
        if matches!(resource, Resource::Helper { .. }) {
            world.start("a").await.expect("started");
        }
        world.create(resource).await.expect("made");
    }
    let before = world.leftovers().await.expect("a list");
    world.keep().await.expect("kept");
    drop(world);
    let all = remains().await.list().await.expect("a list");
    let kept: Vec<_> = all.into_iter().filter(|found| before.contains(&found.to_string())).collect();
    let failed = remains().await.remove(&kept).await.expect("an engine");
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(kept.len(), 6, "node, helper, resolver with its volume, two networks: {kept:?}");
}

/// Not a test: what the next one runs in a process of its own, and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "another test runs it, and kills it"]
async fn a_run_that_will_be_killed() {
    let (run_id, state) = (std::env::var("TO_BE_KILLED").expect("a run"), std::env::var("STATE").expect("a folder"));
    let owner = owner::this_process();
    let world = DockerWorld::connect(RunIdentity::new(&run_id, &owner)).await.expect("an engine");
    let engine = world.engine().await.expect("its name");
    let ledger = Ledger::create(state.as_ref(), &run_id, &owner, &engine).expect("a ledger");
    world.prepare_images(&[image()], &|_| {}).await.expect("images");
    let mut made = vec![Resource::Networks, Resource::Array(SMALL)];
    for (name, host) in ["a", "b"].into_iter().zip(11..) {
        made.push(Resource::Disk { node: name.into(), from: None });
        made.push(Resource::Node(Box::new(with_disk(name, host, &["a", "b"]))));
    }
    println!("begun");
    for resource in &made {
        ledger.announce(&resource.name()).expect("written");
        world.create(resource).await.expect("made");
        if let Resource::Node(spec) = resource {
            world.start(&spec.name).await.expect("started");
        }
    }
    world.start_witness().await.expect("a witness");
    println!("made");
    world.snapshot("first").await.expect("a snapshot");
    world.lose_unflushed(&["a".into()]).await.expect("no power");
    world.replicate("first", None).await.expect("sent");
    println!("used");
    tokio::time::sleep(Duration::from_secs(30)).await;
}

/// Runs that until it has said a word, and kills it some time later. Gives the run and the folder of its ledger.
fn kill_after(word: &str, then: Duration) -> (String, std::path::PathBuf) {
    use std::io::BufRead;
    let run_id = format!("t{:08x}-killed", rand::random::<u32>());
    let state = std::env::temp_dir().join(&run_id);
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "--nocapture", "a_run_that_will_be_killed"])
        .envs([("TO_BE_KILLED", run_id.as_str()), ("STATE", &state.display().to_string())])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let said = std::io::BufReader::new(child.stdout.take().expect("its words")).lines();
    let heard = said.map_while(Result::ok).any(|line| line.ends_with(word));
    std::thread::sleep(then);
    child.kill().expect("killed");
    child.wait().expect("its end");
    assert!(heard, "it never said {word}");
    (run_id, state)
}

/// Kills runs at these moments, and demands that a sweep lets go of their devices.
async fn a_sweep_lets_go_of_the_devices_of_runs_killed_at(moments: &[(&str, u64)]) {
    let mut most = 0;
    for (word, ms) in moments.iter().copied() {
        let (run_id, state) = kill_after(word, Duration::from_millis(ms));
        let begun = Instant::now();
        let engine = remains().await;
        let mut left = survey(&engine, &state, &[]).await.expect("a survey");
        left.retain(|one| one.run_id == run_id);
        assert!(left.iter().all(|one| one.run_state == RunState::Gone), "{left:?}");
        let devices = left_of(&run_id).await.1;
        most = most.max(devices);
        let cleared = clear(&engine, &left).await.expect("an engine");
        eprintln!("killed {ms} ms after {word}: {devices} devices, swept in {:?}: {cleared:?}", begun.elapsed());
        assert!(cleared.iter().all(|run| run.failed.is_empty() && run.ledger_removed), "{cleared:?}");
        assert!(left_of(&run_id).await.0.is_empty(), "{:?}", left_of(&run_id).await);
        assert!(ledger::find(&state).expect("a folder of ours").is_empty());
        std::fs::remove_dir_all(state).expect("its folder");
    }
    assert_eq!(most, 4, "two pools and two disks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_lets_go_of_the_devices_of_a_killed_run() {
    a_sweep_lets_go_of_the_devices_of_runs_killed_at(&[("begun", 700), ("used", 0)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exhaustive_a_sweep_lets_go_of_the_devices_of_a_killed_run() {
    let moments = [("begun", 150), ("begun", 1100), ("begun", 1600), ("made", 60), ("used", 0)];
    a_sweep_lets_go_of_the_devices_of_runs_killed_at(&moments).await;
}
