//! A failed check that is told to have passed: whoever forges journal, record, report and sums alike is found by what came back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use blackstart_evidence::{
    audit::audit,
    chain,
    checks::{
        Answer, Content, ContentHashAnswer, HistoryAnswer, InvocationAnswer, OneWriterAnswer, QuestionAnswer, Replica,
        TableOfTwo, Told, compare, file_of, kept,
    },
    folder, manifest,
    rebuild::{self, Sources},
};
use blackstart_reports::{
    record::Record,
    render::{Format, Style, json, render},
};
use serde_json::{Value, json};

const SCENARIO: &str = "order-management/primary-zone-outage-async";

/// A run of the model in a folder of its own, which goes with it.
struct Run(PathBuf);

impl Drop for Run {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

impl Run {
    fn new(name: &str) -> Self {
        let out = std::env::temp_dir().join(format!("blackstart-forged-{name}-{}", std::process::id()));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{SCENARIO}.yaml"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_blackstart"));
        command.arg("run").arg(file).args(["--world", "simulated", "--quiet", "--out"]).arg(&out);
        assert!(command.output().unwrap().status.success());
        let folders = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        Self(folders.filter(|path| path.is_dir()).last().unwrap())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Changes every entry of the journal, and chains it anew.
    fn rewrite_journal(&self, change: impl Fn(&mut Value)) {
        let mut prev = chain::BEFORE_THE_FIRST.to_owned();
        let mut text = String::new();
        for line in self.read("events.jsonl").lines() {
            let mut entry: Value = serde_json::from_str(line).unwrap();
            entry.as_object_mut().unwrap().remove("prev");
            change(&mut entry);
            let line = chain::line(&entry, &prev).unwrap();
            prev = chain::hash(&line);
            text.push_str(&String::from_utf8(line).unwrap());
            text.push('\n');
        }
        self.write("events.jsonl", &text);
    }

    /// Has a check answered otherwise, and tells everywhere else that it passed.
    fn forge(&self, id: &str, answer: &Answer, detail: &str) {
        let text = kept(answer);
        self.write(&file_of(id), &text);
        let digest = manifest::digest_of(&text);
        self.rewrite_journal(|entry| {
            if let Some(checked) = entry.pointer_mut("/event/fact/checked").filter(|fact| fact["result"]["id"] == id) {
                checked["answer"] = json!(digest);
                checked["result"]["status"] = json!("passed");
                checked["result"]["detail"] = json!(detail);
            }
            if let Some(check) = entry.pointer_mut("/event/check").filter(|check| check["id"] == id) {
                check["status"] = json!("passed");
                check["detail"] = json!(detail);
            }
        });
        self.record_again();
    }

    /// Makes record, report and sums anew from the forged journal, as our own program would.
    fn record_again(&self) {
        let (journal, history) = (folder::journal(&self.0).unwrap(), folder::history(&self.0).unwrap().0);
        let resolved = folder::resolved(&self.0).unwrap();
        let observations = serde_json::from_str(&self.read("observations.json")).unwrap();
        let observations = rebuild::observations(&observations, &journal, &resolved).unwrap();
        let measured = observations.measure(&history);
        let sources = Sources {
            journal: &journal,
            history: &history,
            resolved: &resolved,
            digest: manifest::digest_of(&self.read("scenario.yaml")),
            measured: Some((&observations, &measured)),
        };
        let told = json::read(&self.read("result.json")).unwrap();
        let mut value = serde_json::to_value(&told).unwrap();
        let fields = rebuild::fields(&told, &sources).into_iter().filter(|(_, field)| !field.is_null());
        value.as_object_mut().unwrap().extend(fields.map(|(name, field)| (name.to_owned(), field)));
        let record: Record = serde_json::from_value(value).unwrap();
        self.write("result.json", &json::render(&record));
        self.write("report.md", &render(&record, Format::Markdown, &Style::default()));
        fs::remove_file(self.0.join(manifest::FILE)).unwrap();
        manifest::seal(&self.0).unwrap();
        let _ = fs::remove_file(self.0.parent().unwrap().join(blackstart_evidence::index::FILE));
    }

    /// The findings that do not hold, each with what it is about.
    fn broken(&self) -> Vec<(String, String)> {
        let findings = audit(&self.0).unwrap().findings.into_iter().filter(|finding| !finding.holds);
        findings.map(|finding| (finding.what, finding.detail)).collect()
    }
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn row(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|cell| Some((*cell).to_owned())).collect()
}

/// What one node answers: rows, or why there are none.
fn told(node: &str, rows: Result<Vec<Vec<Option<String>>>, &str>) -> Answer {
    let (node, why) = (node.to_owned(), rows.as_ref().err().map(|why| (*why).to_owned()));
    QuestionAnswer { asked: vec![Told { node, rows: rows.ok(), why }], passed_over: Vec::new() }.into()
}

fn content(right: u64) -> Answer {
    let held = |rows: u64| Some(Content { rows, sum: "7".to_owned() });
    let table = TableOfTwo { left: held(3), right: held(right), look: None };
    let node = "db-a".to_owned();
    let replica = Replica { node, tables: [("orders".to_owned(), table)].into() };
    ContentHashAnswer { left: "db-b".to_owned(), right: vec![replica], silent: Vec::new() }.into()
}

fn writers(takes: &[&str]) -> Answer {
    OneWriterAnswer { takes: texts(takes), ..OneWriterAnswer::default() }.into()
}

fn agreement(state: &str) -> Answer {
    compare(&[row(&["order-1", "done"])], &[row(&["order-1", state])]).into()
}

/// A check of each kind: an answer that passes with what is told of it, and one that fails.
fn answers() -> Vec<(&'static str, Answer, &'static str, Answer)> {
    let same = "3 rows of 1 tables are the same on db-b and db-a";
    let one = "takes writes: db-b; takes none: none; silent: none";
    vec![
        ("schema-version", told("db-b", Ok(vec![row(&["4"])])), "db-b: 4", told("db-b", Ok(vec![row(&["3"])]))),
        (
            "states-legal",
            told("db-b", Ok(Vec::new())),
            "db-b: no row, as it must be",
            told("db-b", Ok(vec![row(&["order-7"])])),
        ),
        (
            "monitor-serves",
            told("monitor", Ok(vec![row(&[r#"{"connected":true}"#])])),
            "monitor: it has what it must",
            told("monitor", Err("503 no database")),
        ),
        ("one-writer", writers(&["db-b"]), one, writers(&["db-a", "db-b"])),
        ("engine-and-monitor-agree", agreement("done"), "1 rows of orders and monitor agree", agreement("open")),
        ("standby-holds-the-same", content(3), same, content(2)),
    ]
}

#[test]
fn a_failed_check_that_is_told_to_have_passed_is_found_by_name() {
    let run = Run::new("answers");
    assert_eq!(run.broken(), []);
    for (id, good, detail, bad) in answers() {
        run.forge(id, &good, detail);
        assert_eq!(run.broken(), [], "{id}: it is as it is told");
        for answer in [bad, Answer::Refused { why: "the server is away".to_owned() }] {
            run.forge(id, &answer, detail);
            let broken = run.broken();
            let said = format!("check {id}: told passed");
            assert!(matches!(&broken[..], [(what, why)] if what == "checks" && why.contains(&said)), "{broken:?}");
        }
        run.forge(id, &good, detail);
    }
}

#[test]
fn a_failed_command_that_is_told_to_have_passed_is_found_by_name() {
    let run = Run::new("command");
    // No check of this system runs a command, so one is declared in the place of a query.
    let scenario = run.read("scenario.yaml");
    let at = scenario.find("id: schema-version").unwrap();
    let (before, after) = scenario.split_at(scenario[..at].rfind("\n  - about:").unwrap() + 1);
    let question = after.find("    question:\n").unwrap();
    let next = after[question + 14..].find("\n    within:").unwrap() + question + 14;
    let declared = "    question: {command: {on: db-b, run: [ask, it]}, expect: {contains: [all]}}";
    run.write("scenario.yaml", &format!("{before}{}{declared}{}", &after[..question], &after[next..]));
    let printed = |line: &str| told("db-b", Ok(vec![row(&[line])]));
    run.forge("schema-version", &printed("all well"), "db-b: it has what it must");
    assert_eq!(run.broken(), []);
    for bad in [told("db-b", Err("exit status 1: all well")), printed("nothing")] {
        run.forge("schema-version", &bad, "db-b: it has what it must");
        let broken = run.broken();
        let is_named =
            |why: &str| why.contains("check schema-version: told passed (db-b: it has what it must), and its kept");
        assert!(matches!(&broken[..], [(what, why)] if what == "checks" && is_named(why)), "{broken:?}");
    }
}

#[test]
fn what_a_check_says_of_requests_is_held_against_the_history_of_them() {
    let run = Run::new("requests");
    let invocation = |token: &str, has_ended: bool| -> Answer {
        let (request, reply) = ("place".to_owned(), "200".to_owned());
        InvocationAnswer { request, token: token.to_owned(), is_acknowledged: true, reply, has_ended, took_ms: 9 }
            .into()
    };
    let resolved = folder::resolved(&run.0).unwrap();
    let declared =
        |check: &&blackstart_evidence::checks::Check| check.invocation.as_ref().is_some_and(|it| it.request == "place");
    let id = resolved.system.checks.iter().find(declared).unwrap().id.clone();
    for (token, has_ended, why) in
        [("check-7", true, "the history tells otherwise of its request check-7"), ("check-7", false, "told passed")]
    {
        run.forge(&id, &invocation(token, has_ended), "place check-7 was carried out to its end in 9 ms");
        let broken = run.broken();
        assert!(
            broken.iter().any(|(what, said)| what == "checks" && said.contains(&format!("check {id}: {why}"))),
            "{broken:?}"
        );
    }

    let run = Run::new("history");
    let told: Answer = serde_json::from_str(&run.read(&file_of("requests-join"))).unwrap();
    let Answer::History(told) = told else { panic!("{told:?}") };
    let words = |answer: &HistoryAnswer| {
        let HistoryAnswer { rows, requests, phantom, unexpected, duplicated, holes, .. } = answer;
        format!(
            "{rows} rows against {requests} requests: {phantom} phantom, {unexpected} never sent, {duplicated} twice, {holes} holes"
        )
    };
    for forged in [HistoryAnswer { phantom: 1, ..told.clone() }, HistoryAnswer { holes: 2, ..told.clone() }] {
        run.forge("requests-join", &forged.clone().into(), &words(&told));
        let broken = run.broken();
        let said =
            ["check requests-join: told passed", "check requests-join: history and survivors come to other counts"];
        assert!(said.iter().all(|said| broken.iter().any(|(_, why)| why.contains(said))), "{broken:?}");
    }
}

#[test]
fn a_check_that_is_struck_out_is_missed_and_no_model_answers_for_containers() {
    let run = Run::new("struck-out");
    run.rewrite_journal(|entry| {
        let id = entry.pointer("/event/fact/checked/result/id").or_else(|| entry.pointer("/event/check/id"));
        if id == Some(&json!("states-legal")) {
            entry["event"] = json!({ "progress": { "text": "" } });
        }
    });
    fs::remove_file(run.0.join(file_of("states-legal"))).unwrap();
    run.record_again();
    let broken = run.broken();
    let said = "check states-legal: it is declared, and no answer is told";
    assert!(broken.iter().any(|(what, why)| what == "checks" && why.contains(said)), "{broken:?}");

    let run = Run::new("modelled");
    run.rewrite_journal(|entry| {
        if let Some(began) = entry.pointer_mut("/event/fact/began") {
            began["world"] = json!("docker");
        }
    });
    run.record_again();
    let broken = run.broken();
    assert!(broken.iter().any(|(_, why)| why.contains("check one-writer: answered by a model")), "{broken:?}");
}
