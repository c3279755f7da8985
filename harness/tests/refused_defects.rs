//! Everything that is refused of a system's self-test and its defects, each as one small change to a system in which
//! nothing is wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{fs, path::Path};

use blackstart::scenario::{Refusal, Refusals, read_system, refusal::Look};

const SYSTEM: &str = include_str!("refused/shop.yaml");

/// The refusals of the system with one change; its path without the folder.
fn refused(name: &str, from: &str, to: &str) -> Refusals {
    assert_eq!(SYSTEM.matches(from).count(), 1, "`{from}` must stand exactly once");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused-defects").join(name);
    fs::create_dir_all(folder.join("image")).unwrap();
    fs::write(folder.join("image/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(folder.join("shop.yaml"), SYSTEM.replace(from, to)).unwrap();
    let Err(Refusals(all)) = read_system(&folder.join("shop.yaml")) else { panic!("{name}: nothing is refused") };
    let named = |refusal: Refusal| Refusal { file: "shop.yaml".into(), ..refusal };
    Refusals(all.into_iter().map(named).collect())
}

#[test]
fn what_makes_no_sense() {
    let rows = [
        ("id: row-wrong", "id: row-lost", "defects[1].id", "`row-lost` stands twice"),
        ("id: row-lost", "id: Row_Lost", "defects[0].id", "cannot identify a defect"),
        ("[history, rpo]", "[histroy, rpo]", "defects[0].must_be_caught_by[0]", "did you mean `history`?"),
        ("[history, rpo]", "[rpo, history, rpo]", "defects[0].must_be_caught_by[2]", "stands twice"),
        ("[history, rpo]", "[]", "defects[0].must_be_caught_by", "say in `cannot_be_caught` why none can"),
        (
            "cannot_be_caught: No second",
            "must_be_caught_by: [rpo]\n    cannot_be_caught: No",
            "defects[1].cannot_be_caught",
            "keep one of",
        ),
        (
            "cannot_be_caught: No second place holds it.",
            "cannot_be_caught: ' '",
            "defects[1].cannot_be_caught",
            "say why",
        ),
        (
            "{on: db-a, run: [lose-row], within: 43s}",
            "{on: db-z, run: [lose-row]}",
            "defects[0].inject[0].command.on",
            "`db-z` is not a node",
        ),
        (
            "run: [lose-row], within: 43s",
            "run: [], within: 43s",
            "defects[0].inject[0].command.run",
            "write the program",
        ),
        ("within: 43s", "within: 0s", "defects[0].inject[0].command.within", "this is zero"),
        (
            "name: point-at, node",
            "name: point-it, node",
            "defects[1].inject[0].operation.name",
            "did you mean `point-at`?",
        ),
        ("argument: nowhere", "argument: ~", "defects[1].inject[0].operation.argument", "takes an argument"),
        ("- start: {node: db-b}", "- start: {node: db-c}", "defects[1].undo[0].start.node", "did you mean"),
        (
            "    inject:\n      - command: {on: db-a, run: [lose-row], within: 43s}",
            "    inject: []",
            "defects[0].inject",
            "write the steps that put the defect in place",
        ),
        (
            "  save:\n    - command: {on: db-a, run: [keep, all], within: 41s}",
            "  save: []",
            "selftest.save",
            "save the system's state",
        ),
        (
            "  restore:\n    - - command: {on: db-a, run: [bring-back], within: 42s}",
            "  restore: [[]]",
            "selftest.restore",
            "bring the saved state back",
        ),
        (
            "on: db-a, run: [keep-old]",
            "on: db-q, run: [keep-old]",
            "selftest.midway[0].command.on",
            "`db-q` is not a node",
        ),
        ("lasts: 3s", "lasts: 0s", "selftest.lasts", "this is zero"),
        ("patience: 1500ms", "patience: 0s", "selftest.patience", "this is zero"),
        (
            "mix: {place: 1}, deadline: 2s",
            "mix: {plaice: 1}, deadline: 2s",
            "selftest.load.mix.plaice",
            "did you mean `place`?",
        ),
        (
            "mix: {place: 1}, deadline: 2s",
            "mix: {place: 0}, deadline: 2s",
            "selftest.load.mix",
            "give a request a weight",
        ),
        ("probe: place", "probe: look", "selftest.probe", "`look` writes nothing"),
        ("- id: healthy", "- id: rpo", "checks[2].id", "give the check another name"),
    ];
    for (index, (from, to, key, says)) in rows.into_iter().enumerate() {
        let all = refused(&format!("row-{index}"), from, to);
        let met = all.0.iter().any(|it| it.key == key && format!("{}; {}", it.problem, it.mend).contains(says));
        assert!(met, "`{to}` must be refused at {key}: {says}\n{all}");
        assert!(all.0.iter().all(|it| it.position.is_some()), "a refusal without its line\n{all}");
    }
}

#[test]
fn defects_need_a_self_test() {
    let at = SYSTEM.find("selftest:").unwrap();
    let to = SYSTEM.find("defects:").unwrap();
    let all = refused("without-self-test", &SYSTEM[at..to], "");
    assert!(all.0.iter().any(|it| it.key == "defects" && it.mend.contains("add `selftest`")), "{all}");
}

#[test]
fn how_they_are_shown() {
    let rows = [
        ("unknown-check", "[history, rpo]", "[histroy, rpo]"),
        ("found-by-nobody", "[history, rpo]", "[]"),
        ("unknown-node", "{on: db-a, run: [lose-row], within: 43s}", "{on: db-z, run: [lose-row]}"),
        ("twice", "id: row-wrong", "id: row-lost"),
    ];
    for (name, from, to) in rows {
        insta::assert_snapshot!(name, refused(&format!("shown-{name}"), from, to).render(Look::Plain));
    }
}
