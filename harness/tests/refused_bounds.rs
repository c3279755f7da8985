//! Declarations that would take a day, all memory, or a panic: each is refused, where it stands and soon.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{fs, path::Path};

use blackstart::scenario::{Refusal, Refusals, read, refusal::Look};

const SCENARIO: &str = include_str!("refused/zone-outage.yaml");
const SYSTEM: &str = include_str!("refused/shop.yaml");

/// The refusals of the scenario with one text in the place of another, shown in every form.
fn refused(name: &str, from: &str, to: &str) -> Vec<Refusal> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bounds").join(name);
    fs::create_dir_all(folder.join("image")).unwrap();
    fs::write(folder.join("image/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(folder.join("shop.yaml"), SYSTEM).unwrap();
    assert_eq!(SCENARIO.matches(from).count(), 1, "`{from}` must stand exactly once");
    fs::write(folder.join("zone-outage.yaml"), SCENARIO.replace(from, to)).unwrap();
    let Err(refusals) = read(&folder.join("zone-outage.yaml")) else { panic!("{name}: nothing is refused") };
    for look in [Look::Colour, Look::Unicode, Look::Plain] {
        assert!(refusals.render(look).len() < 500_000, "a refusal is no book");
    }
    refusals.0
}

#[track_caller]
fn demand(all: Vec<Refusal>, key: &str, says: &str) {
    let met = all.iter().any(|it| it.key == key && format!("{}; {}", it.problem, it.mend).contains(says));
    assert!(met, "{key}: {says}\n{}", Refusals(all));
}

#[test]
fn a_span_of_ages_is_refused_in_its_place() {
    let says = "50000000d is longer than 31d; scale the drill down, and say so";
    demand(refused("ages", "every: 100ms", "every: 50000000d"), "probe.every", says);
    demand(refused("ages-at", "at: 3s..4s", "at: 3s..50000000d"), "faults[1].at", says);
}

#[test]
fn a_drill_of_a_day_is_refused_where_it_takes_longest() {
    let to = "by: procedure\n  within: 24h";
    demand(refused("day", "by: procedure", to), "recovery.within", "24.0 of them here; the most is 12 hours");
    demand(refused("day-at", "at: 3s..4s", "at: 3s..30d"), "faults[1].at", "the most is 12 hours");
}

#[test]
fn more_requests_than_a_machine_could_hold_are_refused() {
    let (from, to) = ("every: 100ms", "every: 0.01ms");
    demand(refused("requests", from, to), "probe.every", "requests; the most is 3000000");
    demand(refused("rate", "rate: 40/s", "rate: 10000/s"), "load.rate", "requests; the most is 3000000");
}

#[test]
fn a_refusal_far_to_the_right_is_told_without_its_line() {
    for columns in [65_530, 65_536, 200_000] {
        let to = format!("{}evry: 100ms", " ".repeat(columns));
        let all = refused("column", "every: 100ms", &to);
        let shown = Refusals(all.clone()).render(Look::Plain);
        assert!(shown.contains("zone-outage.yaml:12:") && shown.contains("did you mean `every`?"), "{shown}");
        demand(all, "probe.evry", "did you mean `every`?");
    }
}

#[test]
fn aliases_that_multiply_are_refused() {
    let levels = (1..12).map(|level| format!("l{level}: &l{level} [{}]\n", format!("*l{}, ", level - 1).repeat(10)));
    let bomb = format!("l0: &l0 [a, b, c]\n{}title:", levels.collect::<String>());
    let all = refused("aliases", "title:", &bomb);
    assert!(all.iter().any(|it| it.mend == "keep declarations small and shallow"), "{}", Refusals(all));
    let long = format!("l0: &l0 {}\nl1: [{}]\ntitle:", "x".repeat(60_000), "*l0, ".repeat(900));
    let all = refused("long-aliases", "title:", &long);
    assert!(all.iter().any(|it| it.mend == "keep declarations small and shallow"), "{}", Refusals(all));
}

#[test]
fn of_thousands_of_refusals_the_first_are_told() {
    let many: String = (0..900).map(|n| format!("k{n}: {{a: 1}}\n")).collect();
    let all = refused("many", "title:", &format!("{many}title:"));
    assert_eq!(all.len(), 101);
    assert!(all[100].problem.contains("more refusals of this file"), "{}", all[100]);
}
