//! Scenarios of this repository and their systems with one change each, which is refused at its key, with its mend.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod backups;
mod storage;

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
    for (name, from, to, key, says) in backups::ROWS.iter().chain(storage::ROWS) {
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
    let changed = read_changed(backups::JUDGED, &|text| text.replace("role: primary", "role: database"));
    let refusals = changed.unwrap_err();
    let is_it = |it: &Refusal| it.key == "judge_backups" && it.problem.contains("this system has 0");
    assert!(refusals.0.iter().any(is_it), "{refusals}");
}
