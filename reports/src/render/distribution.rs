//! What thousands of simulated runs of one scenario say together: how RPO and RTO are distributed.
//!
//! A single run answers whether recovery works; this answers how often it would take how long, under the assumptions of
//! the model. It is never evidence, and every rendering says so. Quantiles are order statistics by nearest rank, taken
//! of lower ends, middles and upper ends apart, so that the bounds of each stay sound.

use serde::Serialize;

use super::summary::recovery;
use super::terminal::Page;
use super::view::{Cell, Sheet};
use super::words::{self, SIMULATED_MARK, Tone};
use super::{Style, text};
use crate::record::{Interval, Record, Verdict};

/// The quantiles that are told, with their names.
const QUANTILES: [(f64, &str); 6] =
    [(0.0, "min"), (0.05, "p5"), (0.5, "median"), (0.95, "p95"), (0.99, "p99"), (1.0, "max")];

/// How many of the worst runs are named.
const WORST: usize = 5;

/// What is kept of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// Its seed, by which it can be run again.
    pub seed: u64,
    pub verdict: Verdict,
    /// Acknowledged writes lost; absent where it was not measured.
    pub lost_writes: Option<Interval<f64>>,
    /// Seconds of acknowledged work lost.
    pub lost_seconds: Option<Interval<f64>>,
    /// The recovery time that the target speaks of; infinite, which JSON writes as `null`, if service never came back.
    pub recovery_seconds: Option<Interval<f64>>,
    /// The first reason of its verdict.
    pub reason: String,
}

impl Sample {
    /// What is kept of a record.
    pub fn of(record: &Record) -> Self {
        let rpo = record.rpo.as_ref().filter(|rpo| rpo.exercised && record.verdict != Verdict::CouldNotRun);
        let count =
            |rpo: &crate::record::Rpo| Interval::new(rpo.lost_writes.lower as f64, rpo.lost_writes.upper as f64);
        Self {
            seed: record.seed,
            verdict: record.verdict,
            lost_writes: rpo.map(count),
            lost_seconds: rpo.map(|rpo| rpo.seconds),
            recovery_seconds: recovery(record),
            reason: record.reasons.first().cloned().unwrap_or_default(),
        }
    }
}

/// How long it took to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pace {
    /// Time that passed in the model, over all runs.
    pub simulated_seconds: f64,
    /// Time that passed outside.
    pub wall_seconds: f64,
    /// How many runs went on side by side.
    pub cores: usize,
}

impl Pace {
    /// Simulated seconds in a second on one core.
    pub fn per_core(&self) -> f64 {
        self.simulated_seconds / (self.wall_seconds * self.cores as f64).max(1e-9)
    }
}

/// Many runs of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// Always the same words: that this is no evidence.
    pub mark: &'static str,
    pub scenario: String,
    /// The file by which a run can be repeated.
    pub file: String,
    /// How many runs there are.
    pub runs: usize,
    /// How many ended with each verdict.
    pub verdicts: Vec<(Verdict, usize)>,
    /// Acknowledged writes lost.
    pub lost_writes: Option<Spread>,
    /// Seconds of acknowledged work lost.
    pub lost_seconds: Option<Spread>,
    /// The recovery time.
    pub recovery_seconds: Option<Spread>,
    /// The runs to look at first: those that did not pass, then those that took longest, then those that lost most.
    pub worst: Vec<Sample>,
    /// How long it took.
    pub pace: Pace,
    /// What the model assumes.
    pub assumptions: Vec<String>,
    /// What was run and the model does not know: it took its success for granted.
    pub not_modelled: Vec<String>,
}

/// The quantiles of one measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// How many runs measured it.
    pub runs: usize,
    /// The quantiles in order.
    pub quantiles: Vec<Quantile>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quantile {
    /// Its name: `min`, `p5`, `median`, `p95`, `p99`, `max`.
    pub name: &'static str,
    /// Of the middles of the runs' intervals.
    pub middle: f64,
    /// Of their lower and of their upper ends.
    pub bounds: Interval<f64>,
}

/// Puts samples together.
pub fn distribution(
    scenario: &str,
    file: &str,
    samples: &[Sample],
    pace: Pace,
    assumptions: &[&str],
    not_modelled: Vec<String>,
) -> Distribution {
    let all = [Verdict::Passed, Verdict::Failed, Verdict::Inconclusive, Verdict::CouldNotRun];
    let count = |verdict: Verdict| (verdict, samples.iter().filter(|sample| sample.verdict == verdict).count());
    Distribution {
        mark: SIMULATED_MARK,
        scenario: text::clean(scenario),
        file: file.to_owned(),
        runs: samples.len(),
        verdicts: all.map(count).into_iter().filter(|(_, runs)| *runs > 0).collect(),
        lost_writes: spread(samples.iter().filter_map(|sample| sample.lost_writes)),
        lost_seconds: spread(samples.iter().filter_map(|sample| sample.lost_seconds)),
        recovery_seconds: spread(samples.iter().filter_map(|sample| sample.recovery_seconds)),
        worst: worst(samples),
        pace,
        assumptions: assumptions.iter().map(|text| (*text).to_owned()).collect(),
        not_modelled,
    }
}

fn spread(measured: impl Iterator<Item = Interval<f64>>) -> Option<Spread> {
    let measured: Vec<Interval<f64>> = measured.collect();
    let sorted = |end: fn(&Interval<f64>) -> f64| {
        let mut ends: Vec<f64> = measured.iter().map(end).collect();
        ends.sort_by(f64::total_cmp);
        ends
    };
    let (lower, middle, upper) = (sorted(|it| it.lower), sorted(middle), sorted(|it| it.upper));
    let last = measured.len().checked_sub(1)?;
    let quantile = |(share, name): (f64, &'static str)| {
        let rank = ((share * measured.len() as f64).ceil() as usize).saturating_sub(1).min(last);
        Quantile { name, middle: middle[rank], bounds: Interval::new(lower[rank], upper[rank]) }
    };
    Some(Spread { runs: measured.len(), quantiles: QUANTILES.map(quantile).to_vec() })
}

fn middle(bounds: &Interval<f64>) -> f64 {
    f64::midpoint(bounds.lower, bounds.upper)
}

/// The runs to look at first, worst first, without repetition.
fn worst(samples: &[Sample]) -> Vec<Sample> {
    let value = |bounds: Option<Interval<f64>>| bounds.as_ref().map_or(f64::NEG_INFINITY, middle);
    let has_not_passed = |sample: &Sample| f64::from(u8::from(sample.verdict != Verdict::Passed));
    let keys: [&dyn Fn(&Sample) -> f64; 3] =
        [&has_not_passed, &|sample| value(sample.recovery_seconds), &|sample| value(sample.lost_writes)];
    let mut found: Vec<Sample> = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let mut order: Vec<&Sample> = samples.iter().filter(|sample| key(sample) > 0.0).collect();
        order.sort_by(|one, other| key(other).total_cmp(&key(one)));
        let room = WORST * (index + 1);
        for sample in order.into_iter().take(WORST) {
            if found.len() < room && !found.contains(sample) {
                found.push(sample.clone());
            }
        }
    }
    found
}

/// The distribution as text for a terminal.
pub fn render(distribution: &Distribution, style: &Style) -> String {
    let mut page = Page::new(*style);
    let runs = text::plural(distribution.runs as u64, "run", "runs");
    page.push(&format!("{runs} of {} [{}]", distribution.scenario, distribution.mark));
    page.lines(&[shares(distribution)]);
    page.sheet(&sheet(distribution));
    page.sheet(&worst_sheet(distribution));
    page.blank();
    page.lines(&[
        "Each quantile is that of the middles of the runs' intervals; the line below it, of their two ends.".to_owned(),
        format!("Run one again: blackstart run {} --world simulated --seed N", distribution.file),
        pace(&distribution.pace),
    ]);
    page.bullets("What the model assumes", &distribution.assumptions, Tone::Plain);
    page.bullets("Run, and not modelled: taken to succeed", &distribution.not_modelled, Tone::Warn);
    page.text
}

/// The distribution for a machine. What never came back is `null`.
pub fn json(distribution: &Distribution) -> String {
    // Only what cannot be written fails, and nothing here is a map with keys other than text.
    serde_json::to_string_pretty(distribution).unwrap_or_default()
}

fn shares(distribution: &Distribution) -> String {
    let share = |(verdict, runs): &(Verdict, usize)| {
        let percent = *runs as f64 * 100.0 / distribution.runs.max(1) as f64;
        format!("{runs} {} ({percent:.1} %)", words::verdict(*verdict).0)
    };
    distribution.verdicts.iter().map(share).collect::<Vec<_>>().join(", ")
}

fn pace(pace: &Pace) -> String {
    format!(
        "Simulated {} in {}: {:.0} simulated seconds a second on each of {}.",
        text::seconds(pace.simulated_seconds),
        text::seconds(pace.wall_seconds),
        pace.per_core(),
        text::plural(pace.cores as u64, "core", "cores"),
    )
}

fn plain(text: String) -> Cell {
    Cell { text, tone: Tone::Plain }
}

fn quiet(text: String) -> Cell {
    Cell { text, tone: Tone::Quiet }
}

fn count(value: f64) -> String {
    text::fixed(value, usize::from(value.fract() != 0.0))
}

fn counts(bounds: Interval<f64>) -> String {
    let (lower, upper) = (count(bounds.lower), count(bounds.upper));
    if lower == upper { lower } else { format!("{lower} … {upper}") }
}

fn sheet(distribution: &Distribution) -> Sheet {
    type Row<'a> = (&'static str, &'a Option<Spread>, fn(f64) -> String, fn(Interval<f64>) -> String);
    let measures: [Row<'_>; 3] = [
        ("lost writes", &distribution.lost_writes, count, counts),
        ("lost time", &distribution.lost_seconds, text::seconds, text::span),
        ("RTO", &distribution.recovery_seconds, text::seconds, text::span),
    ];
    let mut rows = Vec::new();
    for (name, spread, one, two) in measures {
        let Some(spread) = spread else { continue };
        let mut middles = vec![plain(name.to_owned()), plain(spread.runs.to_string())];
        middles.extend(spread.quantiles.iter().map(|quantile| plain(one(quantile.middle))));
        let mut ends = vec![quiet("  bounds".to_owned()), quiet(String::new())];
        ends.extend(spread.quantiles.iter().map(|quantile| quiet(two(quantile.bounds))));
        rows.extend([middles, ends]);
    }
    Sheet {
        title: "Over all runs",
        header: &["measure", "runs", "min", "p5", "median", "p95", "p99", "max"],
        numeric: &[1],
        rows,
    }
}

fn worst_sheet(distribution: &Distribution) -> Sheet {
    let or_dash = |text: Option<String>| plain(text.unwrap_or_else(|| "-".to_owned()));
    let row = |sample: &Sample| {
        let (verdict, tone) = words::verdict(sample.verdict);
        vec![
            plain(sample.seed.to_string()),
            Cell { text: verdict.to_owned(), tone },
            or_dash(sample.recovery_seconds.map(text::span)),
            or_dash(sample.lost_writes.map(counts)),
            or_dash(sample.lost_seconds.map(text::span)),
            plain(text::clean(&sample.reason)),
        ]
    };
    Sheet {
        title: "Runs to look at first",
        header: &["seed", "verdict", "RTO", "lost writes", "lost time", "reason"],
        numeric: &[0],
        rows: distribution.worst.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn sampled(seed: u64, seconds: f64) -> Sample {
        let mut record = sample::simulated();
        record.seed = seed;
        let mut sample = Sample::of(&record);
        sample.recovery_seconds = Some(Interval::new(seconds, seconds + 0.05));
        sample
    }

    fn of(samples: &[Sample]) -> Distribution {
        let pace = Pace { simulated_seconds: 12_000.0, wall_seconds: 0.5, cores: 2 };
        let model = ["Disks lose nothing."];
        distribution("primary-killed", "primary-killed.yaml", samples, pace, &model, vec!["pg-node tune".to_owned()])
    }

    #[test]
    fn quantiles_are_order_statistics_by_nearest_rank() {
        let samples: Vec<Sample> = (1..=100_u32).map(|n| sampled(u64::from(n), f64::from(n))).collect();
        let spread = of(&samples).recovery_seconds.expect("measured");
        let lower: Vec<f64> = spread.quantiles.iter().map(|quantile| quantile.bounds.lower).collect();
        assert_eq!(lower, [1.0, 5.0, 50.0, 95.0, 99.0, 100.0]);
    }

    #[test]
    fn service_that_never_came_back_is_the_worst_and_is_null_in_json() {
        let mut never = sampled(7, 1.0);
        never.recovery_seconds = Some(Interval::exactly(f64::INFINITY));
        never.verdict = Verdict::Failed;
        let told = of(&[sampled(1, 1.0), never, sampled(2, 2.0)]);
        assert_eq!(told.worst[0].seed, 7);
        assert!(render(&told, &Style::default()).contains("never"));
        assert!(json(&told).contains("null"));
    }

    #[test]
    fn nothing_measured_is_no_row() {
        let told = of(&[Sample::of(&sample::could_not_run())]);
        assert_eq!((told.lost_writes, told.recovery_seconds), (None, None));
        assert!(of(&[]).worst.is_empty());
    }

    #[test]
    fn a_distribution_reads_well_and_is_marked() {
        let samples: Vec<Sample> = (1..=20_u32).map(|n| sampled(u64::from(n), f64::from(n) / 10.0)).collect();
        let told = of(&samples);
        assert!(json(&told).contains(SIMULATED_MARK));
        insta::assert_snapshot!("distribution", render(&told, &Style::default()));
    }
}
