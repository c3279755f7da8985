//! Scenarios of this repository and their systems with one change each, which is refused at its key, with its mend.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod backups;
mod renamed;
mod storage;
mod targets;

use std::{
    fs,
    path::{Path, PathBuf},
};

use blackstart::scenario::{self, Refusal};

/// One change: in which scenario, from what to what in it or in its system, and the key and words of the refusal.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Reads a scenario beside a copy of its system, with a change to one of them.
fn read_changed(name: &str, change: &dyn Fn(&str) -> String) -> Result<scenario::Declared, scenario::Refusals> {
    let scenario = fs::read_to_string(top().join(format!("scenarios/{name}.yaml"))).unwrap();
    let system_file = scenario.lines().find_map(|line| line.strip_prefix("system: ../../")).unwrap();
    let system = fs::read_to_string(top().join(system_file)).unwrap();
    let (new_scenario, new_system) = (change(&scenario), change(&system));
    assert!(new_scenario != scenario || new_system != system, "{name}: neither it nor its system contains that");
    let fixtures = top().join("fixtures").display().to_string();
    let own = Path::new(system_file).file_stem().unwrap().to_str().unwrap();
    let new_system = new_system
        .replace("../images", &format!("{fixtures}/images"))
        .replace("@../orderflow", &format!("@{fixtures}/orderflow"))
        .replace(&format!("from: {own}/"), &format!("from: {fixtures}/systems/{own}/"));
    let new_scenario = new_scenario.replace("../../fixtures/systems/", "");
    let folder =
        std::env::temp_dir().join(format!("blackstart-refused-{}-{:x}", std::process::id(), rand::random::<u64>()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{own}.yaml")), new_system).unwrap();
    let file = folder.join(format!("{}.yaml", name.rsplit('/').next().unwrap()));
    fs::write(&file, new_scenario).unwrap();
    let read = scenario::read(&file);
    fs::remove_dir_all(folder).unwrap();
    read
}

#[test]
fn each_is_refused_at_its_key() {
    for (name, from, to, key, says) in backups::ROWS.iter().chain(storage::ROWS).chain(targets::ROWS) {
        let found = read_changed(name, &|text| text.replacen(from, to, 1));
        let found = found.map_or_else(|refusals| refusals.0, |declared| declared.warnings);
        let is_it = |it: &&Refusal| it.key == *key && format!("{} {}", it.problem, it.mend).contains(says);
        let shown: Vec<_> = found.iter().map(|it| format!("{}: {}; {}", it.key, it.problem, it.mend)).collect();
        assert!(found.iter().any(|it| is_it(&it)), "{name}: {from} -> {to}: {shown:#?}");
        assert!(found.iter().all(|it| it.position.is_some()), "{name}: {from} -> {to}: without a position: {shown:#?}");
        assert!(
            found.iter().all(|it| !it.mend.trim().is_empty()),
            "{name}: {from} -> {to}: without a mend: {shown:#?}"
        );
    }
}

#[test]
fn a_copy_needs_a_primary_to_be_restored_on() {
    let changed = read_changed(backups::TESTED, &|text| text.replace("role: primary", "role: database"));
    let refusals = changed.unwrap_err();
    let is_it = |it: &Refusal| it.key == "restore_test" && it.problem.contains("this system has 0");
    assert!(refusals.0.iter().any(is_it), "{refusals}");
}

/// The refusals that one or more changes to a scenario bring at a key.
fn refused_at(key: &str, name: &str, changes: &[(&str, &str)]) -> Vec<Refusal> {
    let all = |text: &str| changes.iter().fold(text.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
    let found = read_changed(name, &all).map_or_else(|refusals| refusals.0, |_| Vec::new());
    found.into_iter().filter(|it| it.key == key).collect()
}

#[test]
fn a_slow_schedule_is_refused_only_where_no_copy_of_the_data_is_left() {
    let key = "schedule.archive_every";
    let slow = ("archive_every: 2s", "archive_every: 60s");
    let lost = |nodes| refused_at(key, "order-management/lost-data", &[slow, ("[db-a, db-b]}", nodes)]).len();
    assert_eq!(lost("[db-b, db-a]}"), 1);
    assert_eq!(lost("[db-a]}"), 0, "the other node holds everything");
}

#[test]
fn a_slow_schedule_is_refused_where_the_seed_may_draw_the_only_copy() {
    let slow = ("backup_every: 10s", "backup_every: 60s");
    let gone =
        |nodes| refused_at("schedule.backup_every", "process-cell/disk-gone", &[slow, ("node: db}", nodes)]).len();
    assert_eq!(gone("node: [monitor-db, db]}"), 1);
    assert_eq!(gone("node: monitor-db}"), 0, "the work of the clients is not there");
}
