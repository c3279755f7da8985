//! The drills that belong to the gate, and what they have to show between them. This is the one place where that stands.
//!
//! The tests below hold the set against the scenarios: every system, every kind of fault, condition and step, everyone who may
//! recover, every port of the world and every kind of ending occurs in it. Whatever a new scenario brings with it and no drill
//! of the gate has yet makes them fail, and say so. All drills together may take four minutes on two cores: prefer a drill that
//! shows several things, and take one away that no longer shows anything alone.

/// The drills, each with what it is here for; those that take longest first, as several run side by side.
pub const GATE: [(&str, &str); 11] = [
    ("scenarios/process-cell/site-lost-and-return.yaml", "a secondary environment that takes over and gives back"),
    ("scenarios/order-management/bad-change.yaml", "a change found by an alert, and a restore to just before it"),
    ("scenarios/broken/fails-export-truncated.yaml", "a corrupted backup, found when it is restored in isolation"),
    ("scenarios/process-cell/disk-gone.yaml", "a snapshot of the array, and all disks put back from it"),
    (
        "scenarios/process-cell/configuration-restored.yaml",
        "volumes that are lost, and a restore by way of another node",
    ),
    ("scenarios/process-cell/power-lost.yaml", "every disk of the array loses what was not flushed"),
    ("scenarios/process-cell/disk-full.yaml", "a disk that takes nothing more until there is room"),
    (
        "scenarios/order-management/split-brain-refused.yaml",
        "a zone that is partitioned, heals, and must not take writes",
    ),
    ("scenarios/order-management/primary-zone-outage-async.yaml", "a slow link, and loss that is counted"),
    (
        "scenarios/order-management/bad-link.yaml",
        "a link that loses packets: the system copes, and the harness only watches",
    ),
    ("scenarios/broken/fails-rto-out-of-reach.yaml", "a kill, and a target that is missed"),
];

/// The place of a drill in the gate; none where it is no part of it.
pub fn place(file: &str) -> Option<usize> {
    GATE.iter().position(|(chosen, _)| *chosen == file)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use serde_json::Value;

    use super::*;
    use crate::{
        scenario::{self, Ending, Scenario},
        scope::Scope,
        stages::top,
    };

    /// The ports of the world, each with what of a scenario acts through it. Every drill provisions, sends and asks.
    const PORTS: [(&str, &[&str]); 9] = [
        ("Provision", &["ending passed"]),
        ("Traffic", &["ending passed"]),
        ("Questions", &["ending passed"]),
        ("Power", &["fault kill", "fault zone_outage", "step start"]),
        ("Network", &["fault partition", "condition slow_link", "step heal"]),
        ("Commands", &["step operation", "step command"]),
        ("Backups", &["step restore"]),
        ("Damage", &["fault data_lost", "fault bad_change", "fault backup_corrupted"]),
        ("Storage", &["fault power_loss", "fault disk_full", "fault disk_gone"]),
    ];

    fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
        value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The keys of each of these that say which kind it is.
    fn kinds(what: &str, list: &[Value], others: &[&str]) -> Vec<String> {
        let keys = list.iter().filter_map(Value::as_object).flat_map(|one| one.keys());
        keys.filter(|key| !others.contains(&key.as_str())).map(|key| format!("{what} {key}")).collect()
    }

    /// What a drill shows, in words.
    fn shows(scenario: &Scenario) -> BTreeSet<String> {
        let text = fs::read_to_string(top().join(&scenario.file)).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", scenario.file));
        let ending = match scenario.ending {
            Ending::Passed => "passed",
            Ending::Failed { .. } => "failed for its reason",
            Ending::Refused => "refused",
        };
        let mut shown = BTreeSet::from([format!("ending {ending}"), format!("system {}", scenario.system)]);
        shown.extend(kinds("fault", list(&read, "/faults"), &["at", "heal_after"]));
        shown.extend(kinds("condition", list(&read, "/conditions"), &[]));
        for steps in ["/recovery/procedure", "/recovery/afterwards"] {
            shown.extend(kinds("step", list(&read, steps), &["about"]));
        }
        shown.extend(read.pointer("/recovery/by").and_then(Value::as_str).map(|by| format!("recovery by {by}")));
        shown
    }

    fn shown_by(is_in: impl Fn(&Scenario) -> bool) -> BTreeSet<String> {
        let all = scenario::all(&top()).unwrap();
        all.iter().filter(|scenario| is_in(scenario)).flat_map(shows).collect()
    }

    /// What is refused has run as far as it can when it is checked, and the gate checks everything.
    fn shown_by_the_gate() -> BTreeSet<String> {
        let mut shown = shown_by(|scenario| Scope::Gate.drills(scenario));
        shown.extend(shown_by(|scenario| Scope::Gate.checks(scenario) && scenario.ending == Ending::Refused));
        shown
    }

    #[test]
    fn whatever_scenarios_bring_is_drilled_by_the_gate() {
        let shown = shown_by_the_gate();
        let missing: Vec<String> = shown_by(|_| true).difference(&shown).cloned().collect();
        assert!(
            missing.is_empty(),
            "no drill of the gate shows {missing:?}. Add one to GATE in ci/gate/src/chosen.rs: a drill that is short, and \
             passes or fails for its reason every time."
        );
    }

    #[test]
    fn every_system_that_is_declared_is_drilled_by_the_gate() {
        let shown = shown_by(|scenario| Scope::Gate.drills(scenario));
        for entry in fs::read_dir(top().join("fixtures/systems")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(
                path.is_dir() || shown.contains(&format!("system {name}")),
                "no drill of the gate is of the system {name}: add one to GATE in ci/gate/src/chosen.rs"
            );
        }
    }

    #[test]
    fn every_port_of_the_world_is_used_by_the_gate() {
        let shown = shown_by_the_gate();
        for (port, by) in PORTS {
            assert!(
                by.iter().any(|what| shown.contains(*what)),
                "no drill of the gate acts through the port {port}: none shows any of {by:?}"
            );
        }
    }

    #[test]
    fn the_ports_are_those_of_the_world() {
        let text = fs::read_to_string(top().join("harness/src/world/mod.rs")).unwrap();
        let declared = text.lines().find_map(|line| line.strip_prefix("pub trait World: ")?.strip_suffix(" {"));
        let declared: BTreeSet<&str> = declared.expect("the trait World").split(" + ").collect();
        assert_eq!(
            declared,
            PORTS.iter().map(|(port, _)| *port).collect(),
            "say in PORTS of ci/gate/src/chosen.rs what of a scenario acts through each port of the world"
        );
    }

    #[test]
    fn every_drill_of_the_gate_exists_once_and_shows_something_alone() {
        let all = scenario::all(&top()).unwrap();
        for (file, _) in GATE {
            assert_eq!(GATE.iter().filter(|(other, _)| *other == file).count(), 1, "{file} is there twice");
            let scenario = all.iter().find(|scenario| scenario.file == file);
            assert!(scenario.is_some_and(|it| it.ending != Ending::Refused), "{file} is no drill");
            let others = shown_by(|it| Scope::Gate.drills(it) && it.file != file);
            let alone = shows(scenario.unwrap()).into_iter().filter(|what| !others.contains(what)).count();
            assert!(alone > 0, "what {file} shows is shown by the others: take it off GATE, or say what it is for");
        }
    }
}
