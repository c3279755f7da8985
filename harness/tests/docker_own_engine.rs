//! What could hurt an engine, its machine or what others have there, on an engine of its own: an array that is attacked from a
//! disk, a sweep that is not told what to sweep, and an engine that dies or hangs in the middle of a drill.

mod docker_bench;
#[allow(dead_code, reason = "what other whole drills need")]
mod drill_bench;
mod own_engine;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use blackstart::{
    plan, scenario, topology,
    world::{Marks, Power, Provision, Resource, Storage, WorldErrorKind, WriteAttempt},
};
use docker_bench::{
    Bench, connect,
    disks::{MIB, SMALL, saved, with_disks},
};
use drill_bench::{Drill, Ended, Room, TOP, on_engine};
use futures_util::FutureExt;
use own_engine::OwnEngine;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What our images are built from. Their tags follow from it.
const BASE: &str = "debian:trixie-slim";

/// Every image of ours, made on the usual engine where it is missing: the other one has no way to fetch what they are built from.
fn images() -> Vec<String> {
    on_engine(async {
        let file = format!("{TOP}/scenarios/order-management/primary-killed.yaml");
        let read = scenario::read(file.as_ref()).unwrap_or_else(|refusals| panic!("{refusals}"));
        let plan = plan::build(read, 1).expect("a plan");
        let world = connect("images").await;
        world.prepare_images(&topology::images(&plan), &|line| eprintln!("{line}")).await.expect("images");
        let array = Resource::Array(SMALL);
        world.create(&array).await.expect("an array, and so its image");
        world.remove(&array).await.expect("it goes");
    });
    let listing = ["image", "ls", "--filter", "label=blackstart=image", "--format", "{{.Repository}}:{{.Tag}}"];
    let listed = Command::new("docker").args(listing).output().expect("a docker client").stdout;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let own = listed.lines().filter(|tag| tag.starts_with("blackstart/"));
    own.chain([BASE]).map(str::to_owned).collect()
}

/// A drill on that engine, in a room of its own.
struct Foreign<'a> {
    engine: &'a OwnEngine,
    room: Room,
}

impl<'a> Foreign<'a> {
    fn new(engine: &'a OwnEngine, test: &str) -> Self {
        Self { engine, room: Room::new(test) }
    }

    fn start(&self, arguments: &[&str]) -> Drill {
        let mut command = self.engine.beside(&self.room.command(arguments));
        Drill::start(&mut command, self.room.path("runs"))
    }

    fn start_drill(&self, more: &[&str]) -> Drill {
        let file = self.room.scenario("primary-killed").display().to_string();
        let arguments: Vec<&str> = ["run", file.as_str(), "--out", "runs"].iter().chain(more).copied().collect();
        self.start(&arguments)
    }

    /// Sweeps whatever is surely ours, and demands that it went well.
    fn sweep(&self) -> String {
        let swept = self.start(&["sweep"]).end();
        assert_eq!(swept.status, Some(0), "{}\n{}", swept.stdout, swept.stderr);
        swept.stdout
    }
}

// ── an array that is attacked ──

/// Where a link on the disk of `a` may lead: to the machine, its devices, what the engine keeps, the pool, and another disk.
const TARGETS: [&str; 8] = [
    "/",
    "/dev",
    "/store",
    "/pools/local",
    "/pools/local/group",
    "/run/witness.group/b",
    "/proc/self/root",
    "../../../../../../store",
];

/// The files that the array makes on a disk, which must be nowhere else.
const OURS: [&str; 6] = ["flushed", "unflushed", "ballast", "crumbs", "trial", "witness"];

#[test]
fn exhaustive_an_array_that_is_attacked_from_a_disk_leaves_its_machine_alone() {
    let Some(engine) = OwnEngine::start(&images()) else { return };
    let mut attack = Command::new(std::env::current_exe().expect("this program"));
    attack.args(["--ignored", "--exact", "--nocapture", "the_array_is_attacked_from_a_disk"]);
    let ended = engine.beside(&attack).output().expect("the attack");
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    engine.is_unharmed(&OURS);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    assert!(engine.holds().is_empty(), "{:?}", engine.holds());
}

/// Not a test: what the one above runs in a process of its own, on an engine that it may hurt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "another test runs it, on an engine of its own"]
async fn the_array_is_attacked_from_a_disk() {
    with_disks("hostile", SMALL, &["a", "b"], |bench| {
        async move {
            // The disk of `b` is mounted in the array for as long as this writes: there is something to hit.
            bench.world.start_witness().await.expect("a witness");
            for target in TARGETS {
                attack(bench, target).await;
            }
            let witness = bench.world.stop_witness().await;
            assert!(witness.is_err(), "its folder on the disk of `a` is gone, so its numbers tell nothing");
            assert_eq!(bench.world.try_disk("b").await.expect("an answer"), WriteAttempt::Accepted, "`b` has power");
            restore_what_is_hostile(bench).await;
        }
        .boxed()
    })
    .await;
}

/// Everything that the array does on a disk, while a link lies where its folder should be.
async fn attack(bench: &Bench, target: &str) {
    let world = &bench.world;
    bench.says("a", &format!("rm -rf /data/.blackstart; ln -s {target} /data/.blackstart; sync -f /data")).await;
    for (tried, refused) in [
        ("try", world.try_disk("a").await.map(drop)),
        ("fill", world.fill("a").await.map(drop)),
        ("make room", world.make_room("a").await),
        ("power loss", world.lose_unflushed(&["b".into(), "a".into()]).await),
    ] {
        let error = refused.expect_err(&format!("{tried} through a link to {target}"));
        assert!(error.happened.contains("not followed"), "{tried} to {target}: {error}");
    }
}

/// What was saved with a link in it, and put back, leads nowhere either; nor does a real folder that is full of links.
async fn restore_what_is_hostile(bench: &Bench) {
    let world = &bench.world;
    bench.says("a", "rm -rf /data/.blackstart; ln -s /store /data/.blackstart; sync -f /data").await;
    assert!(world.start_witness().await.is_err_and(|error| error.happened.contains("not followed")));
    world.snapshot("hostile").await.expect("a snapshot goes by no path on a disk");
    let state = &bench.look_at(&["a"], &saved("hostile")).await[0];
    assert!(state.is_sound && state.witness.is_none(), "{state:?}");
    world.kill("a").await.expect("killed");
    world.await_down("a").await.expect("down");
    world.revert("a", &saved("hostile")).await.expect("put back");
    let marks = world.marks("a").await.expect_err("a link again");
    assert!(marks.kind != WorldErrorKind::EngineGone && marks.happened.contains("not followed"), "{marks}");
    world.start("a").await.expect("a start");
    let inside = "rm -rf /data/.blackstart; mkdir /data/.blackstart; cd /data/.blackstart; ln -s /store/x flushed; \
                  ln -s /dev/loop-control unflushed; ln -s /store/x ballast; ln -s /store/x crumbs; ln -s /store/x trial";
    bench.says("a", inside).await;
    assert!(world.fill("a").await.expect("it fills its own disk") > 200 * MIB);
    world.make_room("a").await.expect("room");
    world.lose_unflushed(&["a".into()]).await.expect("its own power");
    world.kill("a").await.expect("killed");
    world.await_down("a").await.expect("down");
    assert_eq!(world.marks("a").await.expect("marks"), Marks { flushed: true, unflushed: false });
}

// ── a sweep that is not told what to sweep ──

/// What somebody has made that looks like ours, each in one way: container and image of a kept node, things with our labels, and
/// one with a name like ours.
fn make_strangers(engine: &OwnEngine, run: &str) {
    let node = format!("bs-{run}-db-b");
    engine.says(&["commit", &node, "committed:1"]);
    engine.says(&["run", "--detach", "--name", "of-committed", "--entrypoint", "sleep", "committed:1", "600"]);
    let label = format!("blackstart.run={run}");
    engine.says(&["volume", "create", "--label", &label, "labelled-volume"]);
    engine.says(&["network", "create", "--internal", "--label", &label, "labelled-network"]);
    engine.says(&["create", "--name", &format!("bs-{run}-named"), "--entrypoint", "sleep", "committed:1", "600"]);
    engine.says(&["volume", "create", &format!("bs-{run}-named-volume")]);
}

#[test]
fn exhaustive_a_sweep_of_everything_leaves_alone_what_only_looks_like_ours() {
    let Some(engine) = OwnEngine::start(&images()) else { return };
    let foreign = Foreign::new(&engine, "sweep-all");
    let drill = foreign.start_drill(&["--keep"]);
    let run = drill.run_id();
    let ended = drill.end();
    assert!(matches!(ended.status, Some(0 | 1 | 4)), "it was evaluated: {}", ended.stderr);
    make_strangers(&engine, &run);
    let told = foreign.sweep();
    assert!(told.contains(&format!("removed container bs-{run}-db-b")), "{told}");
    let mut left = engine.holds();
    left.sort();
    let expected =
        [format!("bs-{run}-named-volume"), "labelled-network".into(), "labelled-volume".into(), "of-committed".into()];
    assert_eq!(left, expected, "{told}");
    assert_eq!(engine.says(&["inspect", "--format", "{{.State.Running}}", "of-committed"]), "true");
    engine.says(&["image", "inspect", "committed:1"]);
    assert!(foreign.room.ledgers().is_empty());
}

// ── an engine that dies, and one that hangs ──

/// Could not run because of the engine, says so, and says how what is left goes.
fn assert_told(ended: &Ended, begun: Instant, within: Duration) {
    let all = format!("{}\n{}", ended.stdout, ended.stderr);
    eprintln!("over after {:?}\n{all}", begun.elapsed());
    assert_eq!(ended.status, Some(3), "{all}");
    assert!(begun.elapsed() < within, "it does not wait for what does not come");
    for words in ["engine", "COULD NOT RUN", "blackstart sweep"] {
        assert!(all.contains(words), "`{words}` in:\n{all}");
    }
    assert!(!all.contains("panicked") && !all.contains("step failed"), "{all}");
}

#[test]
fn exhaustive_an_engine_that_is_killed_in_the_middle_is_told_and_swept_once_it_is_back() {
    let Some(mut engine) = OwnEngine::start(&images()) else { return };
    for words in ["8 nodes", "── load", "detected"] {
        let foreign = Foreign::new(&engine, "killed-engine");
        let mut drill = foreign.start_drill(&[]);
        drill.wait_for(words, ms(300));
        let Foreign { room, .. } = foreign;
        engine.kill();
        let begun = Instant::now();
        assert_told(&drill.end(), begun, Duration::from_secs(45));
        assert_eq!(room.ledgers().len(), 1, "the ledger stays for the sweep");
        engine.boot();
        let foreign = Foreign { engine: &engine, room };
        foreign.sweep();
        assert!(engine.holds().is_empty(), "killed at {words}: {:?}", engine.holds());
        assert!(foreign.room.ledgers().is_empty());
    }
}

#[test]
fn exhaustive_an_engine_that_hangs_in_the_middle_is_told_and_swept_once_it_is_back() {
    let Some(engine) = OwnEngine::start(&images()) else { return };
    for words in ["8 nodes", "── load", "detected", "── verify"] {
        let foreign = Foreign::new(&engine, "hung-engine");
        let mut drill = foreign.start_drill(&[]);
        drill.wait_for(words, ms(if words == "── verify" { 0 } else { 300 }));
        engine.signal("STOP");
        let begun = Instant::now();
        let ended = drill.end();
        engine.signal("CONT");
        assert_told(&ended, begun, Duration::from_secs(90));
        assert!(ended.stderr.contains("does not answer"), "{}", ended.stderr);
        foreign.sweep();
        assert!(engine.holds().is_empty(), "hung at {words}: {:?}", engine.holds());
        assert!(foreign.room.ledgers().is_empty());
    }
}
