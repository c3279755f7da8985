//! What `blackstart plan` prints is what a run does, so the text of every plan of this repository is held here.

use std::path::{Path, PathBuf};

use blackstart::{
    plan::{self, Plan},
    scenario::{
        self,
        fault::{Tool, ZoneOutage},
    },
};

fn plan_of(name: &str, seed: u64) -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name);
    let declared = scenario::read(&file).unwrap_or_else(|refusals| panic!("{refusals}"));
    plan::build(declared, seed).expect("a plan")
}

fn scenarios_of(folder: &str) -> Vec<String> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(folder);
    let files = std::fs::read_dir(path).expect("the folder of scenarios");
    let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".yaml") && !name.starts_with("refused")).collect();
    names.sort();
    names.into_iter().map(|name| format!("{folder}/{name}")).collect()
}

#[test]
fn every_plan_reads_as_it_is_held() {
    for name in ["order-management", "process-cell", "broken"].into_iter().flat_map(scenarios_of) {
        let held = name.trim_end_matches(".yaml").replace('/', "__");
        insta::assert_snapshot!(held, plan::text::text(&plan_of(&name, 7)));
    }
}

#[test]
fn the_same_seed_gives_the_same_plan() {
    for name in ["order-management", "process-cell"].into_iter().flat_map(scenarios_of) {
        assert_eq!(plan::text::text(&plan_of(&name, 3)), plan::text::text(&plan_of(&name, 3)));
    }
}

#[test]
fn another_seed_draws_another_time_and_leaves_the_rest() {
    let times: std::collections::BTreeSet<_> =
        (0..20).map(|seed| plan_of("order-management/primary-zone-outage.yaml", seed).first_fault()).collect();
    assert!(times.len() > 10, "{times:?}");
    let (one, other) =
        (plan_of("order-management/primary-killed.yaml", 1), plan_of("order-management/primary-killed.yaml", 2));
    assert_eq!(one.nodes, other.nodes);
    assert_eq!(one.recovery, other.recovery);
}

#[test]
fn a_zone_that_is_partitioned_is_so_both_ways_and_lives_on_inside() {
    let plan = plan_of("order-management/split-brain-refused.yaml", 1);
    let refuses = ZoneOutage::refuses(&plan.faults[0].victims, &plan.declared.system);
    assert_eq!(plan.faults[0].victims, ["db-a", "app-a"]);
    assert_eq!(plan.with_tool(Tool::Helper), ["app-a", "db-a"].into());
    for planned in &plan.nodes {
        let name = &planned.node.name;
        let is_inside = plan.faults[0].victims.contains(name);
        for other in plan.nodes.iter().map(|planned| &planned.node.name).filter(|other| *other != name) {
            let is_refused = refuses.get(name).is_some_and(|refused| refused.contains(other));
            let is_other_inside = plan.faults[0].victims.contains(other);
            assert_eq!(is_refused, is_inside != is_other_inside, "{name} and {other}");
        }
    }
}

#[test]
fn a_node_learns_whom_it_follows_and_who_waits_for_it() {
    let plan = plan_of("order-management/primary-zone-outage.yaml", 1);
    let environment = |node: &str, key: &str| plan.node(node).unwrap().node.environment[key].clone();
    assert_eq!(environment("db-a", "PG_NODE_SYNCHRONOUS"), "db-b");
    assert_eq!(environment("db-b", "PG_NODE_UPSTREAM"), "db-a");
    assert_eq!(environment("db-b", "PG_NODE_PEERS"), "db-a");
    let asynchronous = plan_of("order-management/primary-zone-outage-async.yaml", 1);
    assert_eq!(asynchronous.node("db-a").unwrap().node.environment["PG_NODE_SYNCHRONOUS"], "");
}
