//! The self-test by the program itself, on a real engine: what is found, what cannot be found, and what is left.

#[allow(dead_code, reason = "what whole drills need besides")]
mod drill_bench;

use std::{fs, path::Path, time::Duration};

use drill_bench::{Drill, Room, assert_nothing_left};
use serde_json::Value;

fn system() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/systems/order-management.yaml");
    root.canonicalize().expect("the system").display().to_string()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

// What a self-test must do, with the fewest defects that show it. All of them are put in by `ci/test --all` and `--system`.
#[test]
fn damage_to_a_page_and_a_row_is_found_and_nothing_is_left() {
    let room = Room::new("selftest");
    let (system, only) = (system(), "zeroed-page,wrong-amounts,wrong-customers");
    let ended = room.run(&["selftest", &system, "--only", only, "--json", "--out", "runs"]);

    assert_eq!(ended.status, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).expect("nothing but JSON on stdout");
    assert_eq!((&told["clean_runs"], &told["false_alarms"]), (&Value::from(2), &Value::from(0)));
    let defects = told["defects"].as_array().expect("defects");
    assert_eq!(defects.iter().filter_map(|it| it["kind"].as_str()).collect::<Vec<_>>().join(","), only);
    for defect in defects {
        assert_eq!(defect["missed"], false, "{defect:#}");
        assert!(defect["proof"].as_str().is_some_and(|proof| proof.contains("before")), "{defect:#}");
        let caught = ids(&defect["caught_by"]);
        assert!(ids(&defect["must_be_caught_by"]).iter().all(|check| caught.contains(check)), "{defect:#}");
    }
    assert!(!ids(&defects[0]["caught_by"]).contains(&"tables-whole"), "a zeroed page passes for an empty one");
    assert_eq!(ids(&defects[1]["caught_by"]), ["promises-kept"], "a receipt is the second place that holds an amount");
    assert_eq!(ids(&defects[2]["caught_by"]), Vec::<&str>::new(), "no check knows whose an order was");

    let run = told["run_id"].as_str().expect("a run").to_owned();
    let kept = fs::read_to_string(room.path("runs").join(&run).join("selftest.json")).expect("the record");
    assert_eq!(serde_json::from_str::<Value>(&kept).expect("JSON"), told);
    assert_nothing_left(&room, &run);
}

/// The system with something changed, in the room of a test.
fn changed_system(room: &Room, changes: &[(&str, &str)]) -> String {
    let own = system();
    let folder = Path::new(&own).parent().expect("a folder").display().to_string();
    let mut text = fs::read_to_string(&own).expect("the system");
    for (from, to) in [("../images/", format!("{folder}/../images/")), ("@../", format!("@{folder}/../"))] {
        text = text.replace(from, &to);
    }
    text = text.replace("from: order-management/", &format!("from: {folder}/order-management/"));
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "`{from}` must stand exactly once");
        text = text.replace(from, to);
    }
    let file = room.path("order-management.yaml");
    fs::write(&file, text).expect("written");
    file.display().to_string()
}

#[test]
fn a_defect_that_no_check_finds_and_an_alarm_about_nothing_are_failures() {
    let room = Room::new("selftest-missed");
    let unable = "cannot_be_caught: Nothing else records whose an order is, and any customer is legal. A restore to a point \
                  in time before it would recover it.";
    let system = changed_system(
        &room,
        &[(unable, "must_be_caught_by: [promises-kept]"), ("select count(distinct name) from templates", "select 1")],
    );
    let ended = room.run(&["selftest", &system, "--only", "wrong-customers", "--json", "--out", "runs"]);
    assert_eq!(ended.status, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).expect("nothing but JSON on stdout");
    assert_eq!(told["defects"][0]["missed"], true, "{told:#}");
    assert_eq!((&told["clean_runs"], &told["false_alarms"]), (&Value::from(2), &Value::from(2)));
    assert_eq!(told["alarms"][0]["check"], "templates-stored");
    assert_nothing_left(&room, told["run_id"].as_str().expect("a run"));
}

#[test]
fn a_self_test_that_is_told_to_end_removes_what_it_made() {
    let room = Room::new("selftest-ended");
    let system = system();
    let arguments = ["selftest", &system, "--only", "order-lost", "--out", "runs"];
    let mut selftest = Drill::start(&mut room.command(&arguments), room.path("runs"));
    selftest.wait_for("── load", Duration::from_millis(300));
    let run = selftest.run_id();
    selftest.signal("TERM");
    let ended = selftest.end();
    assert_eq!(ended.status, Some(3), "{}", ended.stderr);
    assert!(ended.stdout.contains("COULD NOT RUN"), "{}", ended.stdout);
    assert_nothing_left(&room, &run);
}

#[test]
fn what_cannot_be_tested_is_said_before_anything_is_made() {
    let room = Room::new("selftest-refused");
    let system = system();
    for (arguments, says) in [
        (vec!["--world", "simulated"], "needs real containers"),
        (vec!["--only", "order-lsot"], "`order-lsot` is not a defect of this system"),
    ] {
        let ended = room.run(&[vec!["selftest", &system], arguments].concat());
        assert_eq!(ended.status, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    let listed = room.run(&["selftest", &system, "--list"]);
    assert_eq!(listed.status, Some(0));
    assert!(listed.stdout.contains("zeroed-page") && listed.stdout.contains("cannot be caught"), "{}", listed.stdout);
    assert!(room.ledgers().is_empty());
}
