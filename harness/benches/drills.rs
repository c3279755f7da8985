//! What repeated drills cost and how well they measure: medians over the records of a folder, against the budgets.
//!
//! `cargo bench --bench drills -- FOLDER...`, where each FOLDER holds the folders of runs of one scenario, made with
//! `blackstart run ... --tight-loop --repeat N --out FOLDER`. Nothing here fails: a shared machine proves no limit.

use std::{collections::BTreeMap, fs, path::Path};

use blackstart_reports::{
    record::{Interval, Record, Verdict},
    render::json,
};

fn main() {
    // `cargo bench` adds `--bench` to what it hands on.
    let folders: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if folders.is_empty() {
        println!("drills: name the folders that hold the runs; `ci/bench` makes them first");
    }
    for folder in folders {
        let records = read(Path::new(&folder));
        let Some(first) = records.first() else {
            println!("drills: there is no record under {folder}");
            continue;
        };
        let bad = records.iter().filter(|record| record.verdict != Verdict::Passed).count();
        println!("{} runs of {}, {bad} of which did not pass", records.len(), first.scenario.id);
        let tested = first.backups.iter().filter(|backup| backup.restore_test.is_some()).count();
        phases(&records, tested);
        if tested == 0 {
            measured(&records);
        }
    }
}

fn read(folder: &Path) -> Vec<Record> {
    let runs = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path().join("result.json"));
    runs.filter_map(|file| json::read(&fs::read_to_string(file).ok()?).ok()).collect()
}

/// How long each phase took, and its share of the whole. The budgets are those of a zone drill, and of four restores.
fn phases(records: &[Record], tested: usize) {
    let mut by_name: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for record in records {
        for (place, phase) in record.phases.iter().enumerate() {
            by_name.entry((place, &phase.name)).or_default().push(phase.seconds);
        }
    }
    let wholes: Vec<f64> = records.iter().map(|record| record.phases.iter().map(|phase| phase.seconds).sum()).collect();
    let whole = median(&wholes);
    println!("  {:<22} {:>9}  {:>6}", "phase", "median", "share");
    for ((_, name), seconds) in &by_name {
        println!("  {name:<22} {:>7.2} s  {:>4.0} %", median(seconds), median(seconds) / whole * 100.0);
    }
    if tested > 0 {
        println!("  {:<22} {whole:>7.2} s", "the whole drill");
        let testing: Vec<f64> =
            by_name.iter().filter(|((_, name), _)| *name == "restore-test").flat_map(|it| it.1.clone()).collect();
        let (took, budget) = (median(&testing), 60.0 * tested as f64 / 4.0);
        println!(
            "  {tested} backups restored and tested in {took:.1} s; budget 60 s for four: {:.0} %",
            took / budget * 100.0
        );
        return;
    }
    println!("  {:<22} {whole:>7.2} s          budget 12 s: {:.0} %", "the whole drill", whole / 12.0 * 100.0);
    let beside: Vec<f64> = records.iter().map(beside_checks).collect();
    println!(
        "  {:<22} {:>7.2} s          verification, less the slowest check that asks and the slowest that brings work",
        "  of it ours",
        median(&beside)
    );
}

/// What the verification took beyond the slowest checks: those that ask run side by side, and then those that bring work.
fn beside_checks(record: &Record) -> f64 {
    let verify: f64 = record.phases.iter().filter(|phase| phase.name == "verify").map(|phase| phase.seconds).sum();
    let slowest = |brings_work: bool| {
        let levels = record.levels.iter().filter(|level| (level.level >= 5) == brings_work);
        levels.flat_map(|level| &level.checks).map(|check| check.duration_ms).max().unwrap_or_default() as f64 / 1e3
    };
    (verify - slowest(false) - slowest(true)).max(0.0)
}

/// How wide the bounds of the recovery time are, and how far their middle is from what the tight loop saw.
fn measured(records: &[Record]) {
    let rto = || records.iter().filter_map(|record| record.rto.as_ref());
    let of = |name: &str, all: &[f64], budget: &str| match all {
        [] => println!("  {name:<34} not measured"),
        all => println!("  {name:<34} {:>6.0} ms  ({:.0} … {:.0} ms)  {budget}", median(all), least(all), most(all)),
    };
    let service: Vec<Interval<f64>> = rto().filter_map(|rto| rto.service).collect();
    let widths: Vec<f64> = service.iter().map(|bounds| (bounds.upper - bounds.lower) * 1e3).collect();
    of("RTO, fault to service", &service.iter().map(|bounds| middle(*bounds) * 1e3).collect::<Vec<_>>(), "");
    of("width of its bounds", &widths, "budget 250 ms");
    let pairs: Vec<(Interval<f64>, Interval<f64>)> =
        rto().filter_map(|rto| rto.service.zip(rto.tight_loop_seconds)).collect();
    let apart: Vec<f64> = pairs.iter().map(|(probe, tight)| (middle(*probe) - middle(*tight)) * 1e3).collect();
    of("its middle less the tight loop's", &apart, "budget ±50 ms");
    let disjoint = pairs.iter().filter(|(one, other)| one.lower > other.upper || other.lower > one.upper).count();
    println!("  bounds that do not even overlap those of the tight loop: {disjoint} of {}", pairs.len());
    let stalls: Vec<f64> = records.iter().map(|record| record.harness.longest_stall_ms).collect();
    of("longest stall of the harness", &stalls, "");
}

fn middle(bounds: Interval<f64>) -> f64 {
    f64::midpoint(bounds.lower, bounds.upper)
}

fn sorted(all: &[f64]) -> Vec<f64> {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    all
}

fn median(all: &[f64]) -> f64 {
    match sorted(all)[..] {
        [] => f64::NAN,
        ref all => f64::midpoint(all[(all.len() - 1) / 2], all[all.len() / 2]),
    }
}

fn least(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
