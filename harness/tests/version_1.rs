//! A run whose record has schema version 1, recorded by the version before: it is still read, reported, compared and verified.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use blackstart_evidence::{audit::audit, manifest, rebuild};

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/version-1")
}

/// Exit status and what was printed.
fn told(arguments: &[&str], folders: &[&Path]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blackstart"));
    let done = command.args(arguments).args(folders).output().expect("the program runs");
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A copy of the recorded run, with one change, and sums that fit again.
fn changed(name: &str, file: &str, from: &str, to: &str) -> PathBuf {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("version-1").join(name);
    let _ = fs::remove_dir_all(&copy);
    for entry in manifest::look(&recorded()).expect("the recorded run").files.keys() {
        let place = copy.join(entry);
        fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        fs::copy(recorded().join(entry), place).expect("a copy");
    }
    let text = fs::read_to_string(copy.join(file)).expect("a file of the evidence");
    assert!(text.contains(from), "{file} does not hold {from}");
    fs::write(copy.join(file), text.replacen(from, to, 1)).expect("a change");
    manifest::seal(&copy).expect("a new one");
    copy
}

#[test]
fn it_is_verified_but_for_what_consists_of_words() {
    let (status, said) = told(&["verify"], &[&recorded()]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(rebuild::WORDS_OF_VERSION_1), "{said}");
    for what in ["sums", "journal", "history", "record", "RPO", "RTO", "backups", "answers"] {
        let holds = |line: &str| line.starts_with("holds") && line.contains(what);
        assert!(said.lines().any(holds), "{what}: {said}");
    }
}

#[test]
fn what_was_changed_in_it_is_found() {
    for (name, file, from, to) in [
        ("kind", "result.json", "\"kind\": \"backup_spoiled\"", "\"kind\": \"zone_dark\""),
        ("phase", "result.json", "\"name\": \"judge\"", "\"name\": \"verify\""),
        ("valid", "result.json", "\"valid\": false", "\"valid\": true"),
        ("more", "result.json", "\"judgement\": {", "\"judgement\": {\n\"more\": 1,"),
        ("version", "result.json", "\"schema_version\": 1", "\"schema_version\": 2"),
        ("verdict", "result.json", "\"verdict\": \"failed\"", "\"verdict\": \"passed\""),
    ] {
        let audit = audit(&changed(name, file, from, to)).expect("a folder of a run");
        assert_eq!(audit.exit_status(), 1, "{name}: {audit}");
    }
}

#[test]
fn it_is_reported_and_compared_in_the_words_of_today() {
    let (status, said) = told(&["report", "--verbose"], &[&recorded()]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("backup_corrupted") && said.contains("restore-test"), "{said}");
    assert!(!said.contains("backup_spoiled") && !said.contains("zone_dark"), "{said}");
    let (status, said) = told(&["diff"], &[&recorded(), &recorded()]);
    assert_eq!(status, Some(0), "{said}");
}
