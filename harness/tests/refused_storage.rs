//! Declarations of the storage array, of what befalls it, and of the secondary environment that are refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{fs, path::Path};

use blackstart::scenario::{self, Refusal};

/// Reads a scenario of the process cell with a change to it, or to its system.
fn refused(name: &str, from: &str, to: &str) -> Vec<Refusal> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let read = |path: &str| fs::read_to_string(top.join(path)).unwrap();
    let change = |text: String| text.replacen(from, to, 1);
    let (scenario, system) = (read(&format!("scenarios/{name}.yaml")), read("fixtures/systems/process-cell.yaml"));
    assert!(scenario.contains(from) || system.contains(from), "neither {name} nor its system contains `{from}`");
    let folder =
        std::env::temp_dir().join(format!("blackstart-refused-{}-{:x}", std::process::id(), rand::random::<u64>()));
    fs::create_dir_all(&folder).unwrap();
    let fixtures = top.join("fixtures");
    let system = change(system)
        .replace("../images", &fixtures.join("images").display().to_string())
        .replace("@../orderflow", &format!("@{}", fixtures.join("orderflow").display()))
        .replace("from: process-cell/", &format!("from: {}/", fixtures.join("systems/process-cell").display()));
    fs::write(folder.join("process-cell.yaml"), system).unwrap();
    let scenario = change(scenario).replace("../../fixtures/systems/process-cell.yaml", "process-cell.yaml");
    let file = folder.join(format!("{}.yaml", name.rsplit('/').next().unwrap()));
    fs::write(&file, scenario).unwrap();
    let read = scenario::read(&file);
    fs::remove_dir_all(folder).unwrap();
    read.map_or_else(|refusals| refusals.0, |declared| declared.warnings)
}

/// One change: in which scenario, from what to what, and the key and words of the refusal.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const COMPARED: &str = "process-cell/backups-compared";
const FULL: &str = "process-cell/disk-full";
const GONE: &str = "process-cell/disk-gone";
const POWER: &str = "process-cell/power-lost";
const SITE: &str = "process-cell/site-lost-and-return";

const ROWS: &[Row] = &[
    (COMPARED, "disk: 1GiB", "disk: 100MiB", "storage.disk", "too small"),
    (COMPARED, "  pool: 6GiB\n  disk", "  pool: 1GiB\n  disk", "storage.pool", "holds no disk"),
    (COMPARED, "site: recovery, pool", "site: elsewhere, pool", "storage.remote.site", "elsewhere"),
    (
        COMPARED,
        "{name: recovery, region: eu-central,",
        "{name: recovery, region: us-east,",
        "storage.remote.site",
        "may not leave `eu-central`",
    ),
    (
        COMPARED,
        "by: node-snapshots, apart",
        "by: group-snapshot, apart",
        "backups.node-snapshots.array.apart",
        "at once",
    ),
    (COMPARED, "judge_backups: true\n", "", "backups[2].expect", "no backup is judged"),
    (
        COMPARED,
        "{id: cold, method: cold-copy}",
        "{id: cold, method: cold-copy, interrupted: {kill: vault}}",
        "backups[0].interrupted",
        "taken by the array",
    ),
    (
        FULL,
        "disk_full: {node: db}",
        "disk_full: {node: balancer}",
        "faults[0].disk_full.node",
        "no disk in a storage array",
    ),
    (
        GONE,
        "{backup: last, to: backup}",
        "{backup: last, node: db, to: backup}",
        "recovery.procedure[0].restore.node",
        "every disk",
    ),
    (GONE, "{backup: last, to: backup}", "{backup: last, to: end}", "recovery.procedure[0].restore.to", "no log"),
    (GONE, "disk_gone: {node: db}", "data_lost: {nodes: [db]}", "faults[0].data_lost", "cannot be emptied"),
    (POWER, "nodes: [db, monitor-db,", "nodes: [db, vault,", "faults[0].power_loss.nodes[1]", "vault"),
    (SITE, "site_lost: {site: primary}", "site_lost: {site: secondary}", "faults[0].site_lost.site", "secondary"),
    (
        SITE,
        "    - about: 1. Installation data.\n      secondary: {install: {}}\n",
        "",
        "recovery.procedure[0]",
        "not installed before this step",
    ),
    (
        SITE,
        "    - secondary: {shut_down: {}}\n",
        "",
        "recovery.afterwards[0].bring_back",
        "cannot be brought back whole",
    ),
    (
        SITE,
        "check: {levels: [1, 2]}",
        "check: {levels: [1, 7]}",
        "recovery.procedure[8].secondary.check.levels[1]",
        "no level 7",
    ),
    (
        SITE,
        "disks: {backup: sent-last, nodes: [db,",
        "disks: {backup: sent-never, nodes: [db,",
        "recovery.procedure[1].secondary.disks.backup",
        "sent-never",
    ),
];

#[test]
fn each_is_refused_at_its_key() {
    for (name, from, to, key, words) in ROWS {
        let found = refused(name, from, to);
        let fits = |refusal: &&Refusal| refusal.key == *key && refusal.problem.contains(words);
        let all = || found.iter().map(|it| format!("{}: {}", it.key, it.problem)).collect::<Vec<_>>().join("\n");
        assert!(found.iter().any(|refusal| fits(&refusal)), "`{to}` in {name} gives:\n{}", all());
        assert!(found.iter().all(|refusal| !refusal.mend.trim().is_empty()), "a refusal of `{to}` has no mend");
    }
}
