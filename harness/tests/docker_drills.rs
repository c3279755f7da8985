//! Whole drills by the program itself, on a real engine: what is written, what a signal leaves, what a kill leaves and a
//! sweep removes, and how it ends where the surroundings are bad.

mod drill_bench;

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use bollard::{
    Docker,
    models::ContainerCreateBody,
    query_parameters::{
        CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
        RemoveContainerOptionsBuilder,
    },
};
use drill_bench::{Ended, Room, assert_nothing_left, broken_engine, names, on_engine, remains, runs};
use futures_util::{StreamExt, future::join_all};
use serde_json::Value;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn record(room: &Room, out: &str, run: &str) -> Value {
    let text = fs::read_to_string(room.path(out).join(run).join("result.json")).expect("a record");
    serde_json::from_str(&text).expect("JSON")
}

/// Passed; or, on a machine so busy that the harness itself stalled, nothing worse than that. Such a run must say so, and
/// must not pass: here that is right, and no reason to fail.
fn assert_passed(status: Option<i32>, records: &[Value]) {
    let is_stall = |why: &Value| why.as_str().is_some_and(|why| why.contains("harness stalled"));
    for record in records {
        let reasons = record["reasons"].as_array().expect("reasons");
        let is_busy = record["verdict"] == "inconclusive" && reasons.iter().all(is_stall);
        assert!(record["verdict"] == "passed" || is_busy, "{reasons:?}");
        if is_busy {
            eprintln!("this machine is too busy to measure on: {reasons:?}");
        }
    }
    let is_busy = records.iter().any(|record| record["verdict"] != "passed");
    assert_eq!(status, Some(if is_busy { 4 } else { 0 }));
}

/// Ended by themselves, with a verdict. Which one is about the system and the machine that it ran on, and no matter here.
fn assert_evaluated(status: Option<i32>, records: &[Value]) {
    for record in records {
        let verdict = record["verdict"].as_str().unwrap_or_default();
        assert!(["passed", "failed", "inconclusive"].contains(&verdict), "{verdict}: {:?}", record["reasons"]);
    }
    assert!(matches!(status, Some(0 | 1 | 4)), "{status:?}");
}

/// The password of a run, read where it belongs.
async fn password(engine: &Docker, container: &str) -> String {
    let options = DownloadFromContainerOptionsBuilder::new().path("/run/secrets/password").build();
    let mut archive = engine.download_from_container(container, Some(options));
    let mut bytes = Vec::new();
    while let Some(piece) = archive.next().await {
        bytes.extend_from_slice(&piece.expect("a piece of an archive"));
    }
    // A tar: a header of 512 bytes, then the file.
    let text = String::from_utf8_lossy(&bytes[512..]).into_owned();
    text.trim_matches(|letter: char| !letter.is_ascii_hexdigit()).to_owned()
}

/// Everything that the engine and the process list tell of a run.
async fn told_by_engine(engine: &Docker, containers: &[String]) -> String {
    let inspected = containers.iter().map(|name| engine.inspect_container(name, None::<InspectContainerOptions>));
    let mut told = String::new();
    for known in join_all(inspected).await {
        told += &serde_json::to_string(&known.expect("a container")).expect("JSON");
    }
    for process in names(Path::new("/proc")).iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        told += &String::from_utf8_lossy(&fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default());
    }
    told
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

const CONTRACT: [&str; 30] = [
    "/schema_version",
    "/run_id",
    "/scenario/id",
    "/scenario/digest",
    "/seed",
    "/world",
    "/verdict",
    "/reasons/0",
    "/rpo/lost_writes/lower",
    "/rpo/lost_writes/upper",
    "/rpo/seconds/lower",
    "/rpo/stranded",
    "/rpo/target",
    "/rpo/verdict",
    "/rto/service/lower",
    "/rto/recovery/upper",
    "/rto/verified/upper",
    "/rto/endpoint",
    "/rto/target",
    "/rto/verdict",
    "/levels/5/checks/0/status",
    "/backups",
    "/faults/0/kind",
    "/faults/0/victims/0",
    "/faults/0/proof",
    "/milestones/fault_in_place",
    "/phases/0/seconds",
    "/load/latency_ms/p99",
    "/load/indeterminate",
    "/leftovers",
];

#[test]
fn a_whole_run_passes_keeps_its_contract_and_tells_no_secret() {
    let room = Room::new("whole");
    let mut drill = room.start("primary-killed", "runs");
    drill.wait_for("── load", ms(300));
    let run = drill.run_id();
    let (secret, told) = on_engine(async {
        let engine = Docker::connect_with_defaults().expect("an engine");
        let containers: Vec<String> = ["db-a", "app-a", "monitor"].map(|node| format!("bs-{run}-{node}")).to_vec();
        (password(&engine, &containers[0]).await, told_by_engine(&engine, &containers).await)
    });
    assert_eq!(secret.len(), 32, "a password");
    assert!(!told.contains(&secret), "the engine or the process list tells the password");
    let ended = drill.end();

    let record = record(&room, "runs", &run);
    assert_passed(ended.status, std::slice::from_ref(&record));
    for field in CONTRACT {
        assert!(record.pointer(field).is_some(), "{field} is missing");
    }
    assert_eq!(record["rpo"]["lost_writes"]["lower"], 0);
    assert_eq!(record["leftovers"], Value::Array(Vec::new()));

    let bundle = room.path("runs").join(&run);
    let checked = Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&bundle).output();
    assert!(checked.expect("sha256sum").status.success(), "the sums hold");
    let sums = fs::read_to_string(bundle.join("SHA256SUMS")).expect("sums");
    let files = files_below(&bundle);
    assert_eq!(sums.lines().count(), files.len() - 1, "every file but the sums themselves is summed");
    for text in [ended.stdout, ended.stderr].into_iter().chain(files.iter().map(|file| {
        String::from_utf8_lossy(&fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
            .into_owned()
    })) {
        assert!(!text.contains(&secret), "the password is told: {text}");
    }
    assert_nothing_left(&room, &run);
}

/// Ends a run by a signal once it has said these words, and demands that it tears down and says why.
fn end_by(signal: &str, words: &str, then: Duration) {
    let room = Room::new(&format!("sig{signal}"));
    let mut drill = room.start("primary-killed", "runs");
    drill.wait_for(words, then);
    let run = drill.run_id();
    drill.signal(signal);
    let begun = Instant::now();
    let ended = drill.end();
    eprintln!("{signal} at `{words}`: over after {:?}", begun.elapsed());
    assert_eq!(ended.status, Some(3), "{signal} at {words}: {}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("told to end"), "{}", ended.stderr);
    let record = record(&room, "runs", &run);
    assert_eq!(record["verdict"], "could_not_run");
    assert!(record["reasons"][0].as_str().is_some_and(|why| why.contains("told to end")), "{}", record["reasons"]);
    assert!(room.path("runs").join(&run).join("SHA256SUMS").is_file(), "the evidence is sealed");
    assert_nothing_left(&room, &run);
}

#[test]
fn sigterm_tears_down_what_is_being_made() {
    end_by("TERM", "8 nodes", ms(50));
}

#[test]
fn sigterm_tears_down_in_the_middle_of_a_recovery() {
    end_by("TERM", "detected", ms(50));
}

#[test]
fn ctrl_c_tears_down_as_soon_as_the_service_answers() {
    end_by("INT", "the service answers", ms(0));
}

#[test]
fn ctrl_c_tears_down_in_the_middle_of_the_verification() {
    end_by("INT", "── verify", ms(30));
}

#[test]
fn exhaustive_signals_tear_down_whenever_they_come() {
    let moments = [("TERM", "── load", 200), ("INT", "networks", 30), ("INT", "FAULT", 0), ("XCPU", "── load", 100)];
    for (signal, words, then) in moments {
        end_by(signal, words, ms(then));
    }
}

#[test]
fn a_terminal_that_goes_takes_the_drill_with_it() {
    let room = Room::new("sighup");
    let file = room.scenario("primary-killed").display().to_string();
    let mut command = room.command(&["run", &file, "--out", "runs"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let given_up = Instant::now() + Duration::from_secs(100);
    while room.ledgers().first().is_none_or(|run| remains(&[run]).len() < 8) {
        assert!(Instant::now() < given_up, "nothing was made");
        thread::sleep(ms(20));
    }
    let run = room.ledgers().remove(0);
    // Whatever it says from here on, nobody can hear.
    drop(child.stderr.take());
    let sent = Command::new("kill").args(["-s", "HUP", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    assert_eq!(child.wait().expect("its end").code(), Some(3));
    assert_nothing_left(&room, &run);
}

#[test]
fn a_third_signal_ends_at_once_and_leaves_the_rest_to_a_sweep() {
    let room = Room::new("third");
    let mut drill = room.start("primary-killed", "runs");
    drill.wait_for("databases become ready", ms(0));
    let run = drill.run_id();
    drill.signal("INT");
    drill.wait_for("told to end", ms(0));
    drill.signal("INT");
    drill.wait_for("still removing", ms(0));
    drill.signal("TERM");
    let ended = drill.end();
    assert_eq!(ended.status, Some(3), "{}", ended.stderr);
    assert!(!remains(&[&run]).is_empty(), "it ended at once: had it waited for the removal, nothing would be left");
    let dry = room.run(&["sweep", "--dry-run", &run]);
    assert_eq!(dry.status, Some(5), "{}", dry.stdout);
    assert!(!remains(&[&run]).is_empty(), "a dry run removes nothing");
    let swept = room.sweep(&[&run]);
    assert_eq!(swept.status, Some(0), "{}\n{}", swept.stdout, swept.stderr);
    assert_nothing_left(&room, &run);
}

/// A container that is none of ours.
async fn make_bystander() -> String {
    let engine = Docker::connect_with_defaults().expect("an engine");
    let name = format!("bystander-{:08x}", rand::random::<u32>());
    let body = ContainerCreateBody {
        image: Some("debian:trixie-slim".into()),
        labels: Some(HashMap::from([("bystander".to_owned(), "1".to_owned())])),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    engine.create_container(Some(options), body).await.expect("a bystander");
    name
}

async fn remove_bystander(name: &str) {
    let engine = Docker::connect_with_defaults().expect("an engine");
    engine.inspect_container(name, None::<InspectContainerOptions>).await.expect("it is still there");
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    engine.remove_container(name, Some(force)).await.expect("it goes");
}

/// Kills a run once it has said these words; gives the run.
fn kill_at(room: &Room, words: &str, then: Duration) -> String {
    let mut drill = room.start("primary-killed", "killed");
    drill.wait_for(words, then);
    drill.signal("KILL");
    let run = drill.run_id();
    assert_eq!(drill.end().status, None, "killed at {words}");
    run
}

fn sweep_away(room: &Room, run: &str, at: &str) {
    let begun = Instant::now();
    let swept = room.sweep(&[run]);
    eprintln!("killed at {at}: swept in {:?}\n{}", begun.elapsed(), swept.stdout);
    assert_eq!(swept.status, Some(0), "{}\n{}", swept.stdout, swept.stderr);
    assert_nothing_left(room, run);
}

/// Kills a run at a moment, and demands that a sweep removes what it left.
fn kill_and_sweep(words: &str, then: u64) {
    let room = Room::new("killed");
    let run = kill_at(&room, words, ms(then));
    sweep_away(&room, &run, &format!("`{words}` and {then} ms"));
}

#[test]
fn a_sweep_leaves_alone_who_lives_and_who_is_none_of_ours() {
    let room = Room::new("living");
    let bystander = on_engine(make_bystander());
    let mut living = room.start("primary-killed", "living");
    let alive = living.run_id();
    let dead = kill_at(&room, "networks", ms(0));
    sweep_away(&room, &dead, "`networks`");
    assert!(living.is_running(), "the other run is too short for this test");
    let told = room.sweep(&[&alive]);
    assert!(told.stdout.contains("it lives"), "{}", told.stdout);
    assert_eq!(told.status, Some(0));
    let ended = living.end();
    assert_evaluated(ended.status, &[record(&room, "living", &alive)]);
    assert_nothing_left(&room, &alive);
    on_engine(remove_bystander(&bystander));
}

#[test]
fn a_sweep_removes_what_a_kill_left_while_things_were_being_made() {
    kill_and_sweep("8 nodes", 500);
}

#[test]
fn a_sweep_removes_what_a_kill_left_in_the_middle_of_a_recovery() {
    kill_and_sweep("detected", 30);
}

#[test]
fn a_sweep_removes_what_a_kill_left_in_the_middle_of_a_teardown() {
    kill_and_sweep("── tear down", 150);
}

#[test]
fn exhaustive_a_sweep_removes_what_a_kill_left_while_things_were_being_made() {
    for (words, then) in [("provision", 0), ("networks", 60), ("8 nodes", 0), ("8 nodes", 150), ("8 nodes", 1500)] {
        kill_and_sweep(words, then);
    }
}

#[test]
fn exhaustive_a_sweep_removes_what_a_kill_left_in_the_middle_of_a_drill() {
    for (words, then) in [("── load", 300), ("── verify", 100)] {
        kill_and_sweep(words, then);
    }
}

#[test]
fn two_drills_side_by_side_do_not_meet() {
    let room = Room::new("jobs");
    let files = ["primary-killed", "standby-zone-outage"].map(|name| room.scenario(name).display().to_string());
    let ended = room.run(&["run", &files[0], &files[1], "--jobs", "2", "--out", "runs"]);
    let runs = runs(&room.path("runs"));
    assert_eq!(runs.len(), 2, "{}", ended.stderr);
    let records: Vec<Value> = runs.iter().map(|run| record(&room, "runs", run)).collect();
    assert_evaluated(ended.status, &records);
    runs.iter().for_each(|run| assert_nothing_left(&room, run));
}

#[test]
fn what_is_kept_stays_until_it_is_swept() {
    let room = Room::new("keep");
    let drill = room.start_with("primary-killed", "runs", &["--keep"], &[]);
    let run = drill.run_id();
    let ended = drill.end();
    assert_evaluated(ended.status, &[record(&room, "runs", &run)]);
    for words in [format!("blackstart sweep {run}"), format!("docker exec -it bs-{run}-NODE")] {
        assert!(ended.stderr.contains(&words), "it says how to look and how to end: {}", ended.stderr);
    }
    let kept = remains(&[&run]);
    assert!(kept.len() >= 13, "8 nodes, relay, volumes, networks: {kept:#?}");
    sweep_away(&room, &run, "its end, kept");
}

/// Could not run, and says why in words that a person understands.
fn assert_could_not(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.status, Some(3), "{}\n{}", ended.stdout, ended.stderr);
    let all = format!("{}\n{}", ended.stdout, ended.stderr);
    for word in words {
        assert!(all.contains(word), "`{word}` in:\n{all}");
    }
    assert!(!all.contains("panicked"), "{all}");
}

#[test]
fn without_an_engine_nothing_is_written() {
    let room = Room::new("no-engine");
    let nowhere = [("DOCKER_HOST", "unix:///nowhere/docker.sock")];
    let ended = room.start_with("primary-killed", "runs", &[], &nowhere).end();
    assert_could_not(&ended, &["could not connect to the Docker engine", "blackstart doctor"]);
    assert!(!room.path("runs").exists() && room.ledgers().is_empty(), "nothing is written");
    for command in ["sweep", "doctor"] {
        let ended = drill_bench::Drill::start(room.command(&[command]).envs(nowhere), room.folder.clone()).end();
        assert_could_not(&ended, &["engine"]);
    }
}

/// Closes the way to the engine once a run has said these words.
fn lose_engine_at(room: &Room, words: &str, then: Duration) {
    let Some(engine) = broken_engine::engine_socket() else {
        eprintln!("skipped: the engine has no socket on this machine that could be cut off");
        return;
    };
    let way = broken_engine::Way::open(&room.path("way.sock"), &engine);
    let out = format!("lost-{}", words.len());
    let mut drill = room.start_with("primary-killed", &out, &[], &[("DOCKER_HOST", &way.host())]);
    drill.wait_for(words, then);
    let run = drill.run_id();
    way.close();
    let begun = Instant::now();
    let ended = drill.end();
    eprintln!("engine lost at `{words}`: over after {:?}\n{}\n{}", begun.elapsed(), ended.stdout, ended.stderr);
    assert_could_not(&ended, &["blackstart sweep", "engine"]);
    assert!(begun.elapsed() < Duration::from_secs(45), "it does not wait for what does not come");
    assert!(room.ledgers().contains(&run), "the ledger stays for the sweep");
    sweep_away(room, &run, words);
}

#[test]
fn an_engine_that_goes_in_the_middle_is_told_and_swept_later() {
    lose_engine_at(&Room::new("lost-engine"), "── load", ms(300));
}

#[test]
fn exhaustive_an_engine_that_goes_while_things_are_being_made_is_told_and_swept_later() {
    lose_engine_at(&Room::new("lost-early"), "8 nodes", ms(300));
}

#[test]
fn an_out_folder_that_cannot_be_made_is_told_at_once() {
    let room = Room::new("no-out");
    fs::write(room.path("file"), "in the way").expect("written");
    let ended = room.start("primary-killed", "file/runs").end();
    assert_could_not(&ended, &["file/runs", "could not be made"]);
    assert!(!ended.stderr.contains("evidence"), "there is none: {}", ended.stderr);
    assert!(room.ledgers().is_empty());
}

/// A disk with hardly any room.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: std::path::PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&at).output();
        if !mounted.as_ref().is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("skipped: a small disk takes the right to mount one: {mounted:?}");
            return None;
        }
        fs::write(at.join("filling"), vec![0; 1024 * 1024 - 40 * 1024]).expect("written");
        Some(Self(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let room = Room::new("full");
    let Some(_disk) = SmallDisk::mount(room.path("small")) else { return };
    let drill = room.start("primary-killed", "small/runs");
    let run = drill.run_id();
    let ended = drill.end();
    assert_could_not(&ended, &["No space left on device"]);
    assert_nothing_left(&room, &run);
}

#[test]
fn one_scenario_named_twice_is_run_twice() {
    let room = Room::new("twice");
    let file = room.scenario("primary-killed").display().to_string();
    let ended = room.run(&["run", &file, &file, "--world", "simulated", "--jobs", "2", "--out", "runs"]);
    assert_eq!(ended.status, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(runs(&room.path("runs")).len(), 2);
}
