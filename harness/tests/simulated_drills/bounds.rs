//! The truth lies within the reported bounds, and no pass is wrong, over thousands of variations.

use blackstart::scenario::Declared;
use blackstart_reports::record::{Interval, Record, Verdict};

use super::{
    stage::{FAILING, PASSING, Ran, demand_none, each, lost_tokens, malformed, read, run},
    variations::vary,
};

/// How many variations are drilled.
const SEEDS: usize = 2_400;

/// Clocks tell whole microseconds, so an end of an interval may be off by one.
const MICROSECOND: f64 = 1e-6;

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// The truth about one drill, in the terms of the definitions.
struct Measures {
    lost: u64,
    lost_seconds: f64,
    recovery_seconds: Option<f64>,
}

impl Measures {
    /// What an omniscient observer would report.
    fn of(ran: &Ran) -> Option<Self> {
        let fault_us = ran.truth.fault_instant_us?;
        Some(Self {
            lost: ran.truth.lost.len() as u64,
            lost_seconds: lost_seconds(ran, fault_us),
            recovery_seconds: ran.truth.service_back_us.map(|back_us| seconds(back_us - fault_us)),
        })
    }
}

/// From the commit of the earliest-acknowledged lost request to the fault; what was committed after it takes no time.
fn lost_seconds(ran: &Ran, fault_us: u64) -> f64 {
    let earliest = ran.record.rpo.as_ref().and_then(|rpo| rpo.lost.first());
    let commit = earliest.and_then(|lost| ran.truth.commits.iter().find(|commit| commit.token == lost.token));
    commit.map_or(0.0, |commit| seconds(fault_us.saturating_sub(commit.instant_us)))
}

fn is_within(truth: f64, bounds: Interval<f64>) -> bool {
    bounds.lower <= truth + MICROSECOND && truth <= bounds.upper + MICROSECOND
}

fn wrong_with(ran: &Ran) -> Vec<String> {
    let mut wrong = malformed(&ran.record);
    wrong.extend(ran.leftovers.iter().map(|left| format!("{left} is left")));
    if ran.record.verdict == Verdict::CouldNotRun {
        return wrong;
    }
    let Some(truth) = Measures::of(ran) else { return wrong };
    wrong.extend(recovery_point(ran, &truth));
    wrong.extend(recovery_time(&ran.record, &truth));
    if ran.record.verdict == Verdict::Passed {
        wrong.extend(wrong_pass(&ran.record, &truth));
    }
    wrong
}

fn recovery_point(ran: &Ran, truth: &Measures) -> Vec<String> {
    let Some(rpo) = &ran.record.rpo else { return Vec::new() };
    let mut wrong = Vec::new();
    if !(rpo.lost_writes.lower..=rpo.lost_writes.upper).contains(&truth.lost) {
        wrong.push(format!("{} lost, measured {:?}", truth.lost, rpo.lost_writes));
    }
    let (listed, truly) = (lost_tokens(&ran.record), ran.truth.lost.iter().cloned().collect());
    if listed != truly {
        wrong.push(format!("{truly:?} lost, listed {listed:?}"));
    }
    if !is_within(truth.lost_seconds, rpo.seconds) {
        wrong.push(format!("{} s lost, measured {:?}", truth.lost_seconds, rpo.seconds));
    }
    wrong
}

fn recovery_time(record: &Record, truth: &Measures) -> Vec<String> {
    match (record.rto.as_ref().and_then(|rto| rto.service), truth.recovery_seconds) {
        (Some(measured), Some(truly)) if !is_within(truly, measured) => {
            vec![format!("service back after {truly} s, measured {measured:?}")]
        }
        (Some(measured), None) => vec![format!("service never came back, measured {measured:?}")],
        _ => Vec::new(),
    }
}

/// Targets that a drill passed without meeting them.
fn wrong_pass(record: &Record, truth: &Measures) -> Vec<String> {
    let mut wrong = Vec::new();
    let rpo = record.rpo.as_ref().map(|rpo| rpo.target);
    if rpo.and_then(|target| target.lost_writes).is_some_and(|most| truth.lost > most) {
        wrong.push(format!("passed with {} lost", truth.lost));
    }
    if rpo.and_then(|target| target.seconds).is_some_and(|most| truth.lost_seconds > most + MICROSECOND) {
        wrong.push(format!("passed with {} s lost", truth.lost_seconds));
    }
    let within = record.rto.as_ref().and_then(|rto| rto.target).unwrap_or(f64::INFINITY);
    if truth.recovery_seconds.is_none_or(|truly| truly > within + MICROSECOND) {
        wrong.push(format!("passed with service back after {:?} s", truth.recovery_seconds));
    }
    wrong
}

#[test]
fn the_truth_lies_within_the_bounds_and_no_pass_is_wrong() {
    let bases: Vec<Declared> = PASSING.iter().chain(&FAILING).map(|name| read(name)).collect();
    let ends = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let found = each(0..SEEDS, |seed| {
        let base = &bases[seed % bases.len()];
        let ran = run(vary(base, seed as u64));
        let end = format!("{:?}", ran.record.verdict);
        *ends.lock().unwrap().entry(end).or_default() += 1;
        let id = &ran.record.scenario.id;
        wrong_with(&ran).into_iter().map(|wrong| format!("seed {seed} ({id}): {wrong}")).collect()
    });
    let ends = ends.into_inner().unwrap();
    println!("{ends:?}");
    demand_none(&found);
    // The variations must exercise both sides of the verdict, and mostly run.
    let count = |end: &str| ends.get(end).copied().unwrap_or_default();
    assert!(count("Passed") > SEEDS / 10 && count("Failed") > SEEDS / 10, "{ends:?}");
    assert!(count("CouldNotRun") < SEEDS / 20, "{ends:?}");
}
