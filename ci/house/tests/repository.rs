//! The house rules, held against this repository.

use std::{collections::BTreeSet, path::Path};

use house::{File, Violation, documents, files, manners, scenarios, street, top};

/// The rooms of the harness. A module imports only what stands above it.
const ORDER: [&str; 16] = [
    "clock", "state", "secrets", "files", "scenario", "plan", "world", "question", "topology", "workload", "fault",
    "recovery", "verify", "drill", "selftest", "cli",
];

/// The modules of the evidence, by the same rule.
const EVIDENCE: [&str; 18] = [
    "units",
    "declared",
    "history",
    "manifest",
    "checks",
    "chain",
    "fact",
    "event",
    "journal",
    "index",
    "measure",
    "observations",
    "copies",
    "folder",
    "cut_off",
    "rebuild",
    "recheck",
    "audit",
];

/// Words that have no place in a folder: the folder, the words, and why.
const NO_PLACE: [(&str, &[&str], &str); 8] = [
    ("reports/src", &["tokio", "bollard", "testcontainers", "rand", "reqwest"], "reports are a leaf without a runtime"),
    (
        "harness/src/scenario",
        &["tokio", "rand", "Instant", "SystemTime", "async"],
        "what is declared is read, without clock or chance",
    ),
    ("harness/src/plan", &["tokio", "fs", "Instant", "SystemTime", "async"], "a plan is made without I/O or clock"),
    (
        "reports/evidence",
        &["tokio", "bollard", "testcontainers", "rand", "reqwest", "Instant", "SystemTime", "async"],
        "evidence is read and computed, without a runtime, a clock or chance",
    ),
    ("reports/evidence/src/measure", &["fs"], "measuring is pure"),
    ("reports/evidence/src/measure", &["targets", "TargetVerdict"], "measuring knows no target"),
    ("harness/src/verify", &["kill", "pause", "refuse", "create", "remove", "operate"], "checks change nothing"),
    ("fixtures/orderflow/src", &["blackstart"], "a stand-in knows nothing of the harness"),
];

/// The pages at the top whose paths must exist; so must those of the pages under `docs/`.
const PAGES: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

fn read(under: &str, ending: &str) -> Vec<File> {
    files(&top(), under, ending).unwrap_or_else(|error| panic!("{under}: {error}"))
}

fn sources() -> Vec<File> {
    ["harness", "reports", "fixtures", "ci"].into_iter().flat_map(|under| read(under, ".rs")).collect()
}

fn all_scenarios() -> Vec<File> {
    let mut all = read("scenarios", ".yaml");
    all.retain(|file| !file.path.contains("/systems/"));
    all
}

#[track_caller]
fn none(rule: &str, violations: &[Violation]) {
    let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{rule}\n  {}\n", list.join("\n  "));
}

#[test]
fn a_module_imports_only_what_stands_above_it() {
    for (crate_src, order) in [("harness/src", &ORDER[..]), ("reports/evidence/src", &EVIDENCE)] {
        let mut program = read(crate_src, ".rs");
        program.retain(|file| !house::source::is_test_file(&file.path));
        none("a module imports only what stands above it", &street::wrong_way(order, &program));
    }
}

#[test]
fn the_order_is_that_of_the_crate() {
    for (crate_src, order) in [("harness/src", &ORDER[..]), ("reports/evidence/src", &EVIDENCE)] {
        let text = read(crate_src, "lib.rs").remove(0).text;
        let declared: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
        let placed: BTreeSet<&str> = order.iter().copied().collect();
        assert_eq!(declared, placed, "every module of {crate_src} has its place in the order");
    }
}

#[test]
fn only_the_docker_world_knows_the_engine() {
    let mut program = read("harness/src", ".rs");
    program.retain(|file| !file.path.starts_with("harness/src/world/docker/"));
    let why = "only harness/src/world/docker speaks to an engine";
    none("the engine stays behind its port", &manners::naming(&program, &["bollard", "testcontainers"], why));
}

#[test]
fn nothing_stands_where_it_does_not_belong() {
    for (folder, words, why) in NO_PLACE {
        none(why, &manners::naming(&read(folder, ".rs"), words, why));
    }
    let heavy = ["tokio", "bollard", "testcontainers", "rand", "rand_chacha", "reqwest", "blackstart"];
    for manifest in read("reports", "Cargo.toml") {
        none("reports and evidence are leaves", &manners::depending(&manifest, &heavy));
    }
}

#[test]
fn only_the_command_line_prints() {
    let mut program = read("harness/src", ".rs");
    program.retain(|file| !file.path.starts_with("harness/src/cli/"));
    program.extend(read("reports", ".rs"));
    program.extend(read("ci/gate", ".rs"));
    program.retain(|file| !["reports/evidence/src/main.rs", "ci/gate/src/main.rs"].contains(&file.path.as_str()));
    let words = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];
    none("only the command line prints", &manners::naming(&program, &words, "say it by an event or a result"));
}

#[test]
fn nothing_panics_by_the_way() {
    let why = "an error says what was being done; `unwrap` says nothing";
    none("no unwrap outside tests", &manners::naming(&sources(), &[".unwrap()"], why));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    none("every file opens with a head comment", &manners::without_head(&sources()));
}

#[test]
fn every_scenario_says_why_it_exists() {
    none("every scenario opens with a comment", &scenarios::without_reason(&all_scenarios()));
    none("so does every system", &scenarios::without_reason(&read("fixtures/systems", ".yaml")));
}

#[test]
fn every_scenario_names_requirements_that_exist() {
    let page = read("scenarios", "REQUIREMENTS.md").remove(0);
    let known = scenarios::identifiers(&page.text);
    assert!(known.len() >= 50, "the table of requirements was not understood: {known:?}");
    none("every scenario covers something that exists", &scenarios::covering(&all_scenarios(), &known));
}

#[test]
fn what_the_pages_name_exists() {
    let top = top();
    let tops: Vec<String> = std::fs::read_dir(&top)
        .unwrap_or_else(|error| panic!("{error}"))
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !matches!(name.as_str(), "runs" | "target"))
        .collect();
    let own = PAGES.map(|page| {
        let text = std::fs::read_to_string(top.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        File::new(page, text)
    });
    let docs = read("docs", ".md");
    assert!(docs.len() > 2, "the pages of docs/ are among them");
    for page in own.into_iter().chain(docs) {
        // A link goes from the folder of its page, a path in code from the top.
        let folder = top.join(Path::new(&page.path).parent().unwrap_or(Path::new("")));
        let dead = documents::dead_paths(&page, &tops, |path| top.join(path).exists() || folder.join(path).exists());
        none("what a page names exists", &dead);
    }
}

/// A number that wraps around in silence makes a wrong figure: in what people run as in what we test.
#[test]
fn a_release_checks_for_overflow() {
    let manifest = std::fs::read_to_string(top().join("Cargo.toml")).expect("the manifest");
    let release = manifest.split("[profile.release]").nth(1).expect("a profile of releases");
    let own = release.split("\n[").next().unwrap_or_default();
    assert!(own.lines().any(|line| line.trim() == "overflow-checks = true"), "{own}");
}
