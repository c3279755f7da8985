//! Whole drills by the program itself where little may be told and little may be open: its log tells no password, and too few
//! open files leave nothing behind.

#[allow(dead_code, reason = "what other whole drills need")]
mod drill_bench;

use std::{process::Command, time::Duration};

use base64::Engine;
use bollard::{Docker, query_parameters::DownloadFromContainerOptionsBuilder};
use drill_bench::{Drill, Ended, PROGRAM, Room, TOP, assert_nothing_left, on_engine};
use futures_util::{StreamExt, TryStreamExt};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The password of a run, read where it belongs.
async fn password(container: &str) -> String {
    let engine = Docker::connect_with_defaults().expect("an engine");
    let options = DownloadFromContainerOptionsBuilder::new().path("/run/secrets/password").build();
    let pieces = engine.download_from_container(container, Some(options)).map_ok(|piece| piece.to_vec());
    let bytes: Vec<u8> = pieces.map(|piece| piece.expect("a piece of an archive")).concat().await;
    // A tar: a header of 512 bytes, then the file.
    let text = String::from_utf8_lossy(&bytes[512..]).into_owned();
    text.trim_matches(|letter: char| !letter.is_ascii_hexdigit()).to_owned()
}

/// Could not run, and says why in words that a person understands.
fn assert_could_not(ended: &Ended, words: &[&str]) {
    let all = format!("{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.status, Some(3), "{all}");
    assert!(words.iter().all(|word| all.contains(word)), "{words:?} in:\n{all}");
    assert!(!all.contains("panicked"), "{all}");
}

/// A secret in the forms in which a log could hold it: as it is, in hexadecimal digits, as numbers, and in base64, whose digits
/// depend on how many bytes stand before it.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, numbers];
    for before in 0..3 {
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode([&vec![0; before], bytes].concat());
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    forms
}

#[test]
fn the_most_talkative_log_of_a_run_tells_no_password() {
    let room = Room::new("log");
    let log = [("BLACKSTART_LOG", "trace")];
    let mut drill = room.start_with("primary-killed", "runs", &[], &log);
    drill.wait_for("── load", ms(300));
    let run = drill.run_id();
    let secret = on_engine(password(&format!("bs-{run}-db-a")));
    assert_eq!(secret.len(), 32, "a password");
    let ended = drill.end();
    assert!(ended.stderr.contains("the log begins"), "the log was on: {}", ended.stderr);
    for form in forms(&secret) {
        assert!(!ended.stderr.contains(&form) && !ended.stdout.contains(&form), "the log tells {form}");
    }
    assert_nothing_left(&room, &run);
}

#[test]
fn with_too_few_open_files_a_drill_is_refused_and_makes_nothing() {
    let room = Room::new("few-files");
    let file = room.scenario("primary-killed").display().to_string();
    let mut limited = Command::new("sh");
    let script = format!("ulimit -n 20; exec {PROGRAM} run {file} --allow {TOP} --out runs");
    limited.args(["-c", &script]).env("XDG_STATE_HOME", room.path("state")).current_dir(&room.folder);
    let ended = Drill::start(&mut limited, room.path("runs")).end();
    assert_could_not(&ended, &["too little room", "open files, and there are 20", "ulimit -n"]);
    assert!(!room.path("runs").exists() && room.ledgers().is_empty(), "nothing was begun");
}

#[test]
fn a_run_that_runs_out_of_open_files_still_removes_everything() {
    let room = Room::new("no-files");
    let mut drill = room.start("primary-killed", "runs");
    drill.wait_for("── load", ms(500));
    let run = drill.run_id();
    let limited = Command::new("prlimit").args(["--pid", &drill.pid().to_string(), "--nofile=20:20"]).status();
    assert!(limited.expect("prlimit").success());
    let ended = drill.end();
    eprintln!("{}\n{}", ended.stdout, ended.stderr);
    assert_could_not(&ended, &["files"]);
    assert!(!ended.stderr.contains("the engine is gone"), "it was well: {}", ended.stderr);
    assert_nothing_left(&room, &run);
}
