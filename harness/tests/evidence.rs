//! The evidence of a run, audited as a stranger would: by the command alone, on a folder that was tampered with.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use blackstart::{
    clock::Clock,
    drill::{self, Setting},
    plan::{self, Plan},
    scenario,
    world::simulated::SimulatedWorld,
};
use blackstart_evidence::{
    audit::{Audit, audit},
    chain, cut_off, folder, index, manifest,
};
use blackstart_reports::{
    record::{Record, Verdict},
    render::{Format, Style, json, render},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

const ASYNCHRONOUS: &str = "order-management/primary-zone-outage-async";
const WITH_BACKUPS: &str = "order-management/backups-tested";

fn command(scenario: &str, out: &Path) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{scenario}.yaml"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_blackstart"));
    command.arg("run").arg(file).args(["--world", "simulated", "--quiet", "--out"]).arg(out);
    command
}

fn room(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("blackstart-evidence-{name}-{}", std::process::id()))
}

fn runs(out: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// A run of the model, in a folder of its own.
fn evidence_of(scenario: &str, name: &str) -> PathBuf {
    let out = room(name);
    let done = command(scenario, &out).output().expect("the program runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    runs(&out).pop().expect("one run")
}

fn evidence(name: &str) -> PathBuf {
    evidence_of(ASYNCHRONOUS, name)
}

fn remove(run: &Path) {
    fs::remove_dir_all(run.parent().expect("the folder of runs")).expect("its removal");
}

/// Exit status and what was printed.
fn told(subcommand: &str, path: &Path) -> (Option<i32>, String) {
    let done =
        Command::new(env!("CARGO_BIN_EXE_blackstart")).arg(subcommand).arg(path).output().expect("the program runs");
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn verify(run: &Path) -> (Option<i32>, String) {
    told("verify", run)
}

fn audited(run: &Path) -> Audit {
    audit(run).unwrap_or_else(|error| panic!("a refusal in place of a finding: {error}"))
}

fn change(run: &Path, file: &str, from: &str, to: &str) {
    let path = run.join(file);
    let text = fs::read_to_string(&path).expect("a file of the evidence");
    assert!(text.contains(from), "{file} does not hold {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("a change");
}

/// Makes the manifest again, as whoever can write the folder can, and forgets the index beside it.
fn seal_again(run: &Path) {
    fs::remove_file(run.join(manifest::FILE)).expect("the old manifest goes");
    manifest::seal(run).expect("a new one");
    let _ = fs::remove_file(run.parent().expect("the folder of runs").join(index::FILE));
}

#[test]
fn untouched_evidence_holds_and_every_tampering_is_found() {
    let run = evidence("tampered");
    let (status, said) = verify(&run);
    assert_eq!(status, Some(0), "{said}");

    change(&run, "history.jsonl", "\"outcome\":\"ok\"", "\"outcome\":\"refused\"");
    let (status, said) = verify(&run);
    assert_eq!(status, Some(1));
    assert!(said.contains("BROKEN    sums       history.jsonl was changed"), "{said}");
    assert!(said.contains("BROKEN    RPO"), "{said}");
    change(&run, "history.jsonl", "\"outcome\":\"refused\"", "\"outcome\":\"ok\"");
    assert_eq!(verify(&run).0, Some(0));

    fs::write(run.join("added.txt"), "not sealed").expect("a file");
    assert!(verify(&run).1.contains("added.txt was added"));
    fs::remove_file(run.join("added.txt")).expect("its removal");

    fs::create_dir(run.join("empty")).expect("a folder");
    assert!(verify(&run).1.contains("empty/ was added"));
    fs::remove_dir(run.join("empty")).expect("its removal");

    fs::remove_file(run.join("plan.txt")).expect("a removal");
    assert!(verify(&run).1.contains("plan.txt is missing"));
    remove(&run);
}

#[test]
fn a_record_that_tells_more_than_its_observations_is_found_even_with_new_sums() {
    let run = evidence("flattered");
    change(&run, "result.json", "\"stranded\": ", "\"stranded\": 1");
    let sums = Command::new("sh")
        .current_dir(&run)
        .args([
            "-c",
            "find . -type f ! -name SHA256SUMS | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS",
        ])
        .status()
        .expect("new sums");
    assert!(sums.success());
    let (status, said) = verify(&run);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("holds     sums") && said.contains("BROKEN    RPO        stranded: told"), "{said}");
    remove(&run);
}

#[test]
fn what_is_no_evidence_is_unusable() {
    assert_eq!(verify(Path::new("/nonexistent")).0, Some(2));
}

#[test]
fn the_auditors_program_finds_what_verify_finds() {
    // The same crate makes both: what is left to see is that they tell it alike.
    let run = evidence("auditor");
    let (_, said) = verify(&run);
    for line in audited(&run).to_string().lines().filter(|line| !line.starts_with("unchecked plan.txt")) {
        assert!(said.contains(line), "verify does not say: {line}");
    }
    remove(&run);
}

/// Flips bytes all over a file, each time another one, and gives those flips that the audit did not find.
fn unfound_flips(run: &Path, file: &Path, random: &mut ChaCha8Rng) -> Vec<String> {
    let whole = fs::read(file).expect("a file of the evidence");
    let mut unfound = Vec::new();
    for _ in 0..whole.len().min(8) {
        let (at, flip) = (random.random_range(0..whole.len()), random.random_range(1..=255_u8));
        let mut flipped = whole.clone();
        flipped[at] ^= flip;
        fs::write(file, &flipped).expect("a flip");
        match audit(run) {
            Ok(audit) if audit.exit_status() == 1 => {}
            Ok(_) => unfound.push(format!("{}: byte {at} ^ {flip}: not found", file.display())),
            Err(error) => unfound.push(format!("{}: byte {at} ^ {flip}: refused: {error}", file.display())),
        }
    }
    fs::write(file, whole).expect("as it was");
    unfound
}

#[test]
fn every_flipped_byte_is_a_finding_and_never_a_refusal() {
    let run = evidence("flipped");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut files: Vec<PathBuf> = manifest::look(&run).unwrap().files.keys().map(|name| run.join(name)).collect();
    files.push(run.join(manifest::FILE));
    let unfound: Vec<String> = files.iter().flat_map(|file| unfound_flips(&run, file, &mut random)).collect();
    assert!(unfound.is_empty(), "{unfound:#?}");
    assert_eq!(audited(&run).exit_status(), 0);
    remove(&run);
}

/// Every leaf of a JSON value as a pointer; of the elements of a list, the first.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                leaves(field, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) if !items.is_empty() => leaves(&items[0], &format!("{at}/0"), into),
        _ => into.push(at.to_owned()),
    }
}

/// Another value of the same kind, where there is one.
fn another(value: &Value) -> Value {
    match value {
        Value::Bool(is) => Value::Bool(!is),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => Value::from(whole + 1),
            None => Value::from(number.as_f64().unwrap_or_default() + 0.5),
        },
        Value::String(text) => {
            let words = ["passed", "failed", "inconclusive", "docker", "service", "recovery"];
            let other = |known: &&str| *known != text && words.contains(&text.as_str());
            Value::from(
                words.iter().find(|known| other(known)).map_or_else(|| format!("{text}x"), |it| (*it).to_owned()),
            )
        }
        Value::Null => Value::from(1),
        _ => Value::Null,
    }
}

/// Edits of published fields, sealed anew, that the audit neither finds nor lists.
fn silent_edits(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("result.json")).expect("a folder of evidence");
    let value: Value = serde_json::from_str(&text).expect("a folder of evidence");
    let mut paths = Vec::new();
    leaves(&value, "", &mut paths);
    assert!(paths.len() > 100, "only {} fields", paths.len());
    let mut silent = Vec::new();
    for path in paths {
        let mut edited = value.clone();
        let Some(leaf) = edited.pointer_mut(&path) else { continue };
        *leaf = another(leaf);
        // What is no record any more is found as such.
        let Ok(record) = serde_json::from_value::<Record>(edited) else { continue };
        if json::render(&record) == text {
            continue;
        }
        fs::write(run.join("result.json"), json::render(&record)).expect("a folder of evidence");
        fs::write(run.join("report.md"), render(&record, Format::Markdown, &Style::default()))
            .expect("a folder of evidence");
        seal_again(run);
        let audit = audited(run);
        let top = path.split('/').nth(1).unwrap_or_default();
        let is_listed = audit.unchecked.iter().any(|what| what.starts_with(&format!("{top}:")));
        let is_open = match top {
            "backups" => ["label", "downtime_seconds"].iter().any(|open| path.contains(open)),
            _ => is_listed,
        };
        if audit.holds() && !is_open {
            silent.push(path);
        }
    }
    silent
}

#[test]
fn every_published_field_is_made_again_or_listed_as_what_cannot_be() {
    for (name, scenario) in [("fields", ASYNCHRONOUS), ("fields-of-backups", WITH_BACKUPS)] {
        let run = evidence_of(scenario, name);
        assert_eq!(verify(&run).0, Some(0), "{}", verify(&run).1);
        let silent = silent_edits(&run);
        assert!(silent.is_empty(), "{scenario}: edited and not found: {silent:#?}");
        remove(&run);
    }
}

#[test]
fn a_malformed_line_is_named_by_its_number() {
    let run = evidence("malformed");
    let text = fs::read_to_string(run.join("history.jsonl")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[16] = "{\"token\": nothing}";
    fs::write(run.join("history.jsonl"), lines.join("\n") + "\n").unwrap();
    seal_again(&run);
    let (status, said) = verify(&run);
    assert_eq!(status, Some(1));
    assert!(said.contains("BROKEN    history    line 17 "), "{said}");
    remove(&run);
}

#[cfg(unix)]
#[test]
fn links_devices_and_pipes_in_the_place_of_files_are_findings() {
    let run = evidence("links");
    for name in ["result.json", "history.jsonl", manifest::FILE] {
        let (place, aside) = (run.join(name), room("aside"));
        fs::rename(&place, &aside).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &place).unwrap();
        assert_eq!(verify(&run).0, Some(1), "{name} as a link");
        fs::remove_file(&place).unwrap();
        assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
        assert_eq!(verify(&run).0, Some(1), "{name} as a pipe");
        fs::remove_file(&place).unwrap();
        std::os::unix::fs::symlink(&aside, &place).unwrap();
        assert_eq!(verify(&run).0, Some(1), "{name} as a link to itself elsewhere");
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
    assert_eq!(verify(&run).0, Some(0));
    remove(&run);
}

#[test]
fn an_incomplete_folder_never_reads_as_passed() {
    let run = evidence("incomplete");
    let runs = run.parent().unwrap().to_owned();
    assert!(told("history", &runs).1.contains("PASSED"));
    assert!(told("coverage", &runs).1.contains("no run on real containers"));
    fs::remove_file(run.join(manifest::FILE)).unwrap();
    for (subcommand, path) in [("report", &run), ("history", &runs)] {
        let said = told(subcommand, path).1;
        assert!(said.contains("COULD NOT RUN") && !said.contains("PASSED"), "{subcommand}: {said}");
    }
    assert!(told("report", &run).1.contains("the run was cut off in phase"));
    assert_eq!(told("coverage", &runs).1, "no run on real containers covers anything yet\n");
    let (status, said) = verify(&run);
    assert_eq!(status, Some(1));
    assert!(said.contains("BROKEN    complete   the run was cut off in phase"), "{said}");
    remove(&run);
}

#[test]
fn what_comes_later_lies_beside_the_run_and_is_no_run() {
    let run = evidence("later");
    let later = run.with_extension("later");
    fs::create_dir(&later).unwrap();
    fs::write(later.join("sign-off.md"), "seen").unwrap();
    assert_eq!(verify(&run).0, Some(0));
    let (status, said) = told("history", run.parent().unwrap());
    assert!(status == Some(0) && !said.contains("later"), "{said}");
    remove(&run);
}

/// What a killed run leaves: the journal up to some line, the next one torn, and the history up to the same moment.
fn cut_at(run: &Path, line: usize, into: &Path) {
    let _ = fs::remove_dir_all(into);
    fs::create_dir_all(into).expect("a folder of evidence");
    fs::copy(run.join("scenario.yaml"), into.join("scenario.yaml")).expect("a folder of evidence");
    let events = fs::read_to_string(run.join("events.jsonl")).expect("a folder of evidence");
    let lines: Vec<&str> = events.lines().collect();
    let torn = lines.get(line).map_or("", |next| &next[..next.len() / 2]);
    fs::write(into.join("events.jsonl"), lines[..line].join("\n") + "\n" + torn).expect("a folder of evidence");
    let last: Value = serde_json::from_str(lines[line - 1]).expect("a folder of evidence");
    let is_past = |line: &&str| {
        let sent: Value = serde_json::from_str(line).expect("a folder of evidence");
        sent["returned_us"].as_u64() <= last["at_us"].as_u64()
    };
    let history = fs::read_to_string(run.join("history.jsonl")).expect("a folder of evidence");
    let past: String = history.lines().take_while(is_past).map(|line| format!("{line}\n")).collect();
    fs::write(into.join("history.jsonl"), past).expect("a folder of evidence");
}

#[test]
fn a_run_that_was_cut_off_at_any_event_tells_how_far_it_came_and_what_was_measured_by_then() {
    let run = evidence("cut");
    let into = run.parent().unwrap().join("cut-off");
    let lines = fs::read_to_string(run.join("events.jsonl")).unwrap().lines().count();
    for line in 1..=lines {
        cut_at(&run, line, &into);
        let record = cut_off::record(&into).unwrap_or_else(|error| panic!("cut at {line}: {error}"));
        let journal = folder::journal(&into).unwrap();
        assert_eq!(record.verdict, Verdict::CouldNotRun, "cut at {line}");
        let phase =
            journal.begun.last().map_or_else(|| "before its first phase".to_owned(), |it| format!("in phase {}", it.0));
        assert!(record.reasons[0].contains(&phase), "cut at {line}: {:?}", record.reasons);
        let good = folder::history(&into).unwrap().0.iter().filter(|sent| sent.is_ok()).count();
        assert!(record.reasons[0].contains(&format!("{good} were acknowledged")), "cut at {line}");
        assert_eq!(record.load.is_some(), journal.facts.load_began_us.is_some(), "cut at {line}");
        assert_eq!(journal.walked.torn, line < lines, "cut at {line}");
        let audit = audited(&into);
        assert!(audit.exit_status() == 1 && audit.findings.iter().any(|it| it.what == "complete"), "cut at {line}");
    }
    remove(&run);
}

/// Runs a plan on the model and keeps its evidence; the drill is told to end at some call to the world. Gives its record and
/// how many calls there were before anything was removed.
fn kept(plan: Plan, folder: &Path, cancelled_at: Option<usize>) -> (Record, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a folder of evidence");
    runtime.block_on(async {
        let clock = Clock::start();
        let world = Arc::new(SimulatedWorld::new(&plan, plan.seed, clock));
        let setting = Setting { folder: Some(folder.to_owned()), ..Setting::keeping_nothing(clock) };
        let cancel = setting.cancel.clone();
        if let Some(call) = cancelled_at {
            world.at_call(call, move || cancel.cancel());
        }
        let record = drill::run(plan, world.clone(), setting).await;
        let calls = world.calls().iter().take_while(|call| !call.starts_with("remove ")).count();
        (record, calls)
    })
}

#[test]
fn a_drill_that_is_cancelled_at_any_step_leaves_evidence_that_holds() {
    let out = room("cancelled");
    // Of the longer one, every third step.
    for (name, every) in [(ASYNCHRONOUS, 1), (WITH_BACKUPS, 3)] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.yaml"));
        let plan = plan::build(scenario::read(&file).unwrap(), 3).unwrap();
        let (_, calls) = kept(plan.clone(), &out.join("whole"), None);
        for call in (0..calls).step_by(every) {
            let folder = out.join("cancelled");
            let (record, _) = kept(plan.clone(), &folder, Some(call));
            assert_eq!(record.verdict, Verdict::CouldNotRun, "{name}, cancelled at call {call}");
            let audit = audited(&folder);
            assert!(audit.holds(), "{name}, cancelled at call {call}:\n{audit}");
            let stored = json::read(&manifest::read_sealed(&folder, "result.json").unwrap()).unwrap();
            assert_eq!(stored, record, "{name}, cancelled at call {call}");
            fs::remove_dir_all(folder).unwrap();
        }
        fs::remove_dir_all(out.join("whole")).unwrap();
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_process_that_was_killed_leaves_runs_that_are_told_as_cut_off() {
    let out = room("killed");
    // A run of the model takes some milliseconds, so the kill is tried until it meets one half-way.
    let is_half_way = |run: &PathBuf| {
        let journal = fs::read_to_string(run.join("events.jsonl")).unwrap_or_default();
        !manifest::is_sealed(run) && journal.lines().count() > 5
    };
    let cut = (0..20).find_map(|_| {
        let mut child = command(ASYNCHRONOUS, &out)
            .args(["--repeat", "1000"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        while !runs(&out).iter().any(is_half_way) && child.try_wait().expect("its state").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("its end");
        runs(&out).into_iter().find(is_half_way)
    });
    let cut = cut.expect("a run that was killed half-way");
    let (_, report) = told("report", &cut);
    assert!(report.contains("the run was cut off"), "{report}");
    let (status, said) = verify(&cut);
    assert!(status == Some(1) && said.contains("complete   the run was cut off"), "{said}");
    assert!(told("history", &out).1.contains("COULD NOT RUN"), "the history tells of it");
    let name = cut.file_name().unwrap().to_str().unwrap();
    let (entries, walked) = index::read(&out).unwrap();
    assert_eq!(walked.complaint(), None);
    let began = |entry: &index::Entry| matches!(entry, index::Entry::Began { run_id, .. } if run_id == name);
    let ended = |entry: &index::Entry| matches!(entry, index::Entry::Ended { run_id, .. } if run_id == name);
    assert!(entries.iter().any(began) && !entries.iter().any(ended), "begun, and never ended");
    fs::remove_dir_all(out).expect("its removal");
}

#[test]
fn the_index_has_an_entry_at_the_start_and_at_the_end_of_every_run() {
    let out = room("index");
    let done = command(ASYNCHRONOUS, &out).args(["--repeat", "6", "--jobs", "3"]).output().expect("the program runs");
    assert!(done.status.success());
    let (entries, walked) = index::read(&out).unwrap();
    assert_eq!((entries.len(), walked.complaint()), (12, None));
    for run in runs(&out) {
        let sums = fs::read(run.join(manifest::FILE)).unwrap();
        let is_named = |entry: &index::Entry| matches!(entry, index::Entry::Ended { manifest, .. } if *manifest == chain::hash(&sums));
        assert!(entries.iter().any(is_named), "{} is named with its manifest", run.display());
        assert_eq!(audited(&run).exit_status(), 0);
    }
    let names: BTreeSet<PathBuf> = runs(&out).into_iter().collect();
    assert_eq!(names.len(), 6);
    fs::remove_dir_all(out).expect("its removal");
}
