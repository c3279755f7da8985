//! The figures, held against a second implementation: `reference/reference.py`, written from docs/figures.md alone.
//!
//! A thousand generated histories, and every run folder of the repository that keeps what its figures were computed from.
//! Where there is no Python the test says so and passes, except in CI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use blackstart_evidence::{
    declared::{FailbackTarget, RpoTarget, RtoEndpoint, RtoTarget, ServiceLevel, Targets},
    history::{Outcome, Sender, Sent},
    observations::{Measured, Observations},
    units::{Share, Span},
};
use blackstart_reports::record::{Interval, Latency};
use serde_json::{Value, json};

const HISTORIES: u64 = 1000;
const MS: u64 = 1000;

/// Numbers that look random and follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn sometimes<T>(&mut self, percent: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let does = self.chance(percent);
        does.then(|| make(self))
    }
}

/// Stretches in which a share of the requests fails, in percent.
type Outages = Vec<(std::ops::Range<u64>, u64)>;

fn outages(dice: &mut Dice, fault_ms: u64) -> Outages {
    let mut at_ms = fault_ms;
    let mut outage = |dice: &mut Dice| {
        let from_ms = at_ms + dice.between(0, 300);
        at_ms = from_ms + dice.between(20, 2000);
        let share = if dice.chance(50) { 100 } else { dice.between(5, 100) };
        let stretch = from_ms..at_ms;
        at_ms += dice.between(10, 2000);
        (stretch, share)
    };
    (0..dice.between(0, 4)).map(|_| outage(dice)).collect()
}

/// The requests of one sender.
fn stream(dice: &mut Dice, sender: Sender, period_ms: u64, until_ms: u64, outages: &Outages) -> Vec<Sent> {
    let mut requests = Vec::new();
    let stray = if dice.chance(20) { dice.between(1, 5) } else { 0 };
    for (index, at_ms) in (0..until_ms).step_by(period_ms as usize).enumerate() {
        let away = outages.iter().find(|(stretch, _)| stretch.contains(&at_ms)).map_or(stray, |(_, share)| *share);
        let (outcome, took_us) = match (dice.chance(away), dice.next() % 3) {
            (false, _) => (Outcome::Ok, dice.between(500, 30_000)),
            // It hangs across the outage and is served in the end.
            (true, 0) if dice.chance(10) => (Outcome::Ok, dice.between(100_000, 900_000)),
            (true, 0) => (Outcome::Indeterminate, dice.between(300_000, 420_000)),
            (true, _) => (Outcome::Refused, dice.between(200, 3000)),
        };
        let sent_us = at_ms * MS + dice.between(0, 900);
        requests.push(Sent {
            token: format!("{sender:?}-{index}").into(),
            sender,
            kind: "place".into(),
            intended_us: at_ms * MS,
            sent_us,
            returned_us: sent_us + took_us,
            outcome,
            reply: "".into(),
        });
    }
    requests
}

/// What a recovery kept: everything but what was written in some stretch, and a little that nobody expects.
fn survivors(dice: &mut Dice, history: &[Sent], fault_us: u64) -> Vec<String> {
    let lost = dice.sometimes(60, |dice| {
        let from_us = (fault_us + dice.between(0, 1_500_000)).saturating_sub(1_000_000);
        from_us..from_us + dice.between(1000, 2_000_000)
    });
    let oddities = dice.chance(10);
    let is_there = |dice: &mut Dice, sent: &Sent| match sent.outcome {
        Outcome::Ok => lost.as_ref().is_none_or(|lost| !lost.contains(&sent.sent_us)) && !(oddities && dice.chance(1)),
        Outcome::Indeterminate => dice.chance(40),
        Outcome::Refused => oddities && dice.chance(1),
    };
    let mut kept: Vec<String> =
        history.iter().filter(|sent| is_there(dice, sent)).map(|sent| sent.token.to_string()).collect();
    if oddities {
        kept.push("stranger".to_owned());
        kept.extend(kept.first().cloned());
    }
    kept
}

fn targets(dice: &mut Dice) -> Targets {
    let span = |dice: &mut Dice, to_ms: u64| Span::from_ms(dice.between(50, to_ms));
    let endpoints = [RtoEndpoint::Service, RtoEndpoint::Recovery, RtoEndpoint::Verified];
    let rpo = dice.sometimes(80, |dice| RpoTarget {
        lost_writes: dice.sometimes(60, |dice| dice.between(0, 60)),
        time: dice.sometimes(70, |dice| span(dice, 3000)),
    });
    let rto = dice
        .sometimes(85, |dice| RtoTarget { within: span(dice, 6000), endpoint: endpoints[dice.between(0, 3) as usize] });
    let failback = dice.sometimes(50, |dice| FailbackTarget { within: span(dice, 4000) });
    Targets { rpo, rto, failback }
}

fn stalls(dice: &mut Dice, until_us: u64) -> Vec<Interval<u64>> {
    let mut at_us = 0;
    let mut stalls = Vec::new();
    for _ in 0..dice.between(0, 6).saturating_sub(2) {
        let from_us = at_us + dice.between(1000, until_us / 3);
        at_us = from_us + if dice.chance(70) { dice.between(10_000, 60_000) } else { dice.between(60_000, 3_000_000) };
        stalls.push(Interval::new(from_us, at_us));
    }
    stalls
}

fn generate(seed: u64) -> (Observations, Vec<Sent>) {
    let mut dice = Dice(seed);
    let dice = &mut dice;
    let fault_ms = dice.between(1500, 3500);
    let until_ms = fault_ms + dice.between(4000, 14_000);
    let outages = outages(dice, fault_ms);
    let period_ms = dice.between(15, 250);
    let mut history = stream(dice, Sender::Load, period_ms, until_ms, &outages);
    history.extend(dice.sometimes(80, |dice| stream(dice, Sender::Probe, 50, until_ms, &outages)).unwrap_or_default());
    history
        .extend(dice.sometimes(30, |dice| stream(dice, Sender::Detector, 200, until_ms, &outages)).unwrap_or_default());
    history
        .extend(dice.sometimes(20, |dice| stream(dice, Sender::TightLoop, 20, until_ms, &outages)).unwrap_or_default());
    history.sort_by_key(|sent| sent.returned_us);
    let stalls_us = stalls(dice, until_ms * MS);
    if dice.chance(50) {
        history.retain(|sent| !stalls_us.iter().any(|stall| stall.lower < sent.sent_us && sent.sent_us < stall.upper));
    }
    let began_us = fault_ms * MS - dice.between(0, 40_000);
    let fault = Interval::new(began_us, fault_ms * MS + dice.between(0, 40_000));
    let fault_us = dice.sometimes(85, |_| fault);
    let later = Interval::exactly(fault.upper + dice.between(0, 3_000_000));
    let faults_us = match (fault_us, dice.chance(20)) {
        (None, _) => Vec::new(),
        (Some(_), true) => vec![fault, later],
        (Some(_), false) => vec![fault],
    };
    let survivors_of = survivors(dice, &history, fault.lower);
    let stranded = dice
        .sometimes(50, |dice| history.iter().filter(|_| dice.chance(70)).map(|sent| sent.token.to_string()).collect());
    let observations = Observations {
        fault_us,
        faults_us,
        recovery_started_us: dice.sometimes(70, |dice| fault.upper + dice.between(0, 1_000_000)),
        failback_us: dice.sometimes(20, |dice| dice.between(fault_ms + 1500, until_ms) * MS),
        load_started_us: 0,
        undisturbed_us: if dice.chance(30) { dice.between(0, 1_000_000) } else { 0 },
        load_stopped_us: dice.sometimes(90, |dice| until_ms * MS + dice.between(0, 300_000)),
        load_ended_us: history.iter().map(|sent| sent.returned_us).max().unwrap().max(until_ms * MS + 300_000),
        load_interval_us: period_ms * MS,
        load_deadline_us: 1_000_000,
        probe_deadline_us: 400_000,
        longest_stall_us: 0,
        stalls_us,
        is_disturbed: dice.chance(2),
        verified_us: dice.sometimes(60, |dice| until_ms * MS + dice.between(1000, 900_000)),
        survivors: dice.sometimes(95, |_| survivors_of),
        stranded,
        service_level: ServiceLevel {
            throughput: Share::from_fraction([0.5, 0.9, 0.95][dice.between(0, 3) as usize]),
            errors: Share::from_fraction([0.0, 0.01, 0.05][dice.between(0, 3) as usize]),
            sustained_for: Span::from_ms(dice.between(500, 2500)),
        },
        targets: targets(dice),
        excluded: Vec::new(),
    };
    (observations, history)
}

/// The figures of the program, in the form in which the other implementation tells them.
fn figures(measured: &Measured) -> Value {
    let pair = |bounds: Interval<f64>| json!([bounds.lower, bounds.upper]);
    let maybe = |bounds: Option<Interval<f64>>| bounds.map(pair);
    let rpo = measured.rpo.as_ref().map(|rpo| {
        json!({
            "exercised": rpo.exercised, "time_exercised": rpo.time_exercised,
            "lost": rpo.lost.iter().map(|write| &write.token).collect::<Vec<_>>(),
            "lost_writes": [rpo.lost_writes.lower, rpo.lost_writes.upper], "seconds": pair(rpo.seconds),
            "resolution_seconds": rpo.resolution_seconds, "stranded": rpo.stranded, "recovered": rpo.recovered,
            "phantom": rpo.phantom, "unexpected": rpo.unexpected, "duplicated": rpo.duplicated,
            "non_prefix_loss": rpo.non_prefix_loss, "verdict": rpo.verdict,
        })
    });
    let rto = &measured.rto;
    let outage = |outage: &blackstart_reports::record::Outage| {
        json!({
            "began_ms": pair(outage.began_ms), "ended_ms": maybe(outage.ended_ms),
            "failed_requests": outage.failed_requests, "upper_is_sample": outage.upper_is_sample,
        })
    };
    let load = &measured.load;
    json!({
        "rpo": rpo,
        "rto": {
            "exercised": rto.exercised, "service": maybe(rto.service), "recovery": maybe(rto.recovery),
            "verified": maybe(rto.verified), "tight_loop": maybe(rto.tight_loop_seconds), "failback": maybe(rto.failback),
            "upper_is_sample": rto.upper_is_sample, "outages": rto.outages.iter().map(outage).collect::<Vec<_>>(),
            "verdict": rto.verdict, "failback_verdict": rto.failback_verdict,
        },
        "load": {
            "acknowledged": load.acknowledged, "refused": load.refused, "indeterminate": load.indeterminate,
            "latency_ms": load.latency_ms.map(|Latency { p50, p99, max }| json!({ "p50": p50, "p99": p99, "max": max })),
        },
    })
}

/// Where two figures differ. Times are in whole microseconds; latencies come from a histogram of three digits.
fn differences(path: &str, one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(ours), Value::Object(theirs)) if ours.len() == theirs.len() => {
            let other = |key: &str| theirs.get(key).unwrap_or(&Value::Null);
            ours.iter().flat_map(|(key, value)| differences(&format!("{path}.{key}"), value, other(key))).collect()
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.flat_map(|(index, (one, other))| differences(&format!("{path}[{index}]"), one, other)).collect()
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            let allowed = if path.contains("latency_ms") { 0.002 * theirs.abs() + 0.002 } else { 1e-6 };
            if (ours - theirs).abs() <= allowed { Vec::new() } else { vec![format!("{path}: {ours}, and {theirs}")] }
        }
        _ if one == other => Vec::new(),
        _ => vec![format!("{path}: {one}, and {other}")],
    }
}

fn python(arguments: &[&Path]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/reference.py");
    let output = match Command::new("python3").arg("-B").arg(script).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "CI needs python3 to hold the figures against: {error}");
            println!("NOT HELD AGAINST ANYTHING: there is no python3 here ({error})");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_second_implementation_gives_the_same_figures_of_a_thousand_histories() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("histories.jsonl");
    let mut lines = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    let generated: Vec<_> = (0..HISTORIES).map(generate).collect();
    for (observations, history) in &generated {
        writeln!(lines, "{}", json!({ "observations": observations, "history": history })).unwrap();
    }
    lines.into_inner().unwrap();
    let Some(told) = python(&[&file]) else { return };
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), generated.len());
    let (mut found, mut verdicts) = (Vec::new(), std::collections::BTreeMap::<String, usize>::new());
    for (seed, ((observations, history), theirs)) in generated.iter().zip(&told).enumerate() {
        let ours = figures(&observations.measure(history));
        *verdicts.entry(ours["rto"]["verdict"].to_string()).or_default() += 1;
        found.extend(differences("", &ours, theirs).into_iter().map(|difference| format!("seed {seed}: {difference}")));
    }
    println!("{verdicts:?}");
    let shown: Vec<&str> = found.iter().take(20).map(String::as_str).collect();
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), shown.join("\n"));
    // Each verdict must come up, or the agreement says little.
    assert!(verdicts.len() == 5 && verdicts.values().all(|count| *count > 20), "{verdicts:?}");
}

/// The folders below a folder that keep what figures were computed from.
fn recorded(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() && name != "target" && name != ".git" {
            recorded(&entry.path(), found);
        } else if name == "observations.json" && folder.join("history.jsonl").is_file() {
            found.push(folder.to_owned());
        }
    }
}

#[test]
fn a_second_implementation_gives_the_same_figures_of_every_recorded_run() {
    let mut folders = Vec::new();
    recorded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &mut folders);
    assert!(!folders.is_empty(), "no run is recorded in the repository");
    for folder in folders {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let observations: Observations = serde_json::from_str(&read("observations.json")).unwrap();
        let history: Vec<Sent> =
            read("history.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let Some(theirs) = python(&[Path::new("--folder"), &folder]) else { return };
        let ours = figures(&observations.measure(&history));
        let found = differences("", &ours, &serde_json::from_str(&theirs).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", folder.display());
    }
}
