//! What several runs of one scenario say together: minimum, median, maximum, and how well the median is known.
//!
//! Every run is itself an interval. Order statistics are taken of the lower and of the upper ends apart: since the
//! k-th smallest of the true values lies between the k-th smallest lower end and the k-th smallest upper end, each
//! result is again a sound interval. The confidence interval of the median is the distribution-free one between two
//! order statistics (the sign test turned round): with `n` runs, the true median lies between the `k`-th smallest and
//! the `k`-th greatest with probability `1 - 2 P(Binomial(n, 1/2) < k)`, whatever the distribution.

use std::collections::BTreeSet;

use super::summary::recovery;
use super::terminal::Page;
use super::view::{Cell, Sheet};
use super::words::{self, SIMULATED_MARK, Tone};
use super::{Style, text};
use crate::record::{Interval, Record, Verdict, World};

/// The least confidence at which an interval of the median is given.
pub const CONFIDENCE: f64 = 0.95;

/// The fewest runs from which such an interval can be given.
pub const FEWEST_RUNS: usize = 6;

/// An interval that holds the median of the distribution from which the runs were drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianBounds {
    /// From the lower end of the lower order statistic to the upper end of the upper one.
    pub bounds: Interval<f64>,
    /// Which order statistics these are, counted from 1: the `ranks.0`-th and the `ranks.1`-th smallest.
    pub ranks: (usize, usize),
    /// The probability with which such an interval holds the median: at least [`CONFIDENCE`].
    pub coverage: f64,
}

/// One measurement over several runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// How many runs measured it.
    pub runs: usize,
    /// How many runs did not, and are not in the numbers.
    pub left_out: usize,
    /// The smallest.
    pub minimum: Interval<f64>,
    /// The middle one; for an even number of runs, the mean of the middle two.
    pub median: Interval<f64>,
    /// The greatest; infinite where service never came back in some run.
    pub maximum: Interval<f64>,
    /// How well the median is known; absent where the runs are too few to say.
    pub confidence: Option<MedianBounds>,
}

/// What several runs of one scenario say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Repetition {
    /// The scenario's identifier.
    pub scenario: String,
    /// How many runs there are.
    pub runs: usize,
    /// How many ended with each verdict.
    pub verdicts: Vec<(Verdict, usize)>,
    /// Whether any of them was simulated.
    pub simulated: bool,
    /// Whether all are of one scenario, in one world. If not, the numbers mix what does not belong together.
    pub alike: bool,
    /// Acknowledged writes lost.
    pub lost_writes: Option<Spread>,
    /// Seconds of acknowledged work lost.
    pub lost_seconds: Option<Spread>,
    /// The recovery time between the end points that the target speaks of, in seconds.
    pub recovery_seconds: Option<Spread>,
}

/// Puts several runs together. Runs that did not measure a quantity are counted, and left out of its numbers; a run
/// in which service never came back counts as an infinite recovery time, as leaving it out would flatter the rest.
pub fn repeat(records: &[Record]) -> Repetition {
    let exercised = || records.iter().map(|record| record.rpo.as_ref().filter(|rpo| rpo.exercised));
    let writes = |rpo: &crate::record::Rpo| Interval::new(rpo.lost_writes.lower as f64, rpo.lost_writes.upper as f64);
    let kinds: BTreeSet<_> = records.iter().map(|r| (&r.scenario.digest, r.world == World::Simulated)).collect();
    Repetition {
        scenario: records.first().map(|record| text::clean(&record.scenario.id)).unwrap_or_default(),
        runs: records.len(),
        verdicts: verdicts(records),
        simulated: records.iter().any(|record| record.world == World::Simulated),
        alike: kinds.len() <= 1,
        lost_writes: spread(exercised().map(|rpo| rpo.map(writes))),
        lost_seconds: spread(exercised().map(|rpo| rpo.map(|rpo| rpo.seconds))),
        recovery_seconds: spread(records.iter().map(recovery)),
    }
}

fn verdicts(records: &[Record]) -> Vec<(Verdict, usize)> {
    let all = [Verdict::Passed, Verdict::Failed, Verdict::Inconclusive, Verdict::CouldNotRun];
    let count = |verdict: Verdict| (verdict, records.iter().filter(|record| record.verdict == verdict).count());
    all.map(count).into_iter().filter(|(_, runs)| *runs > 0).collect()
}

/// The order statistics of what was measured; nothing where no run measured it.
fn spread(measured: impl Iterator<Item = Option<Interval<f64>>>) -> Option<Spread> {
    let all: Vec<_> = measured.collect();
    let usable = |bounds: &Interval<f64>| !bounds.lower.is_nan() && !bounds.upper.is_nan();
    let kept: Vec<Interval<f64>> = all.iter().copied().flatten().filter(usable).collect();
    let ends = Ends::new(&kept);
    let n = kept.len();
    Some(Spread {
        runs: n,
        left_out: all.len() - n,
        minimum: ends.ranked(1)?,
        median: ends.median()?,
        maximum: ends.ranked(n)?,
        confidence: median_ranks(n).and_then(|(ranks, coverage)| {
            let bounds = Interval::new(ends.ranked(ranks.0)?.lower, ends.ranked(ranks.1)?.upper);
            Some(MedianBounds { bounds, ranks, coverage })
        }),
    })
}

/// The lower and the upper ends, each in order.
struct Ends {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Ends {
    fn new(bounds: &[Interval<f64>]) -> Self {
        let sorted = |end: fn(&Interval<f64>) -> f64| {
            let mut ends: Vec<f64> = bounds.iter().map(end).collect();
            ends.sort_by(f64::total_cmp);
            ends
        };
        Self { lower: sorted(|bounds| bounds.lower), upper: sorted(|bounds| bounds.upper) }
    }

    /// The order statistic of this rank, counted from 1.
    fn ranked(&self, rank: usize) -> Option<Interval<f64>> {
        let index = rank.checked_sub(1)?;
        Some(Interval::new(*self.lower.get(index)?, *self.upper.get(index)?))
    }

    fn median(&self) -> Option<Interval<f64>> {
        let n = self.lower.len();
        let (low, high) = (self.ranked(n.div_ceil(2))?, self.ranked(n / 2 + 1)?);
        Some(Interval::new(f64::midpoint(low.lower, high.lower), f64::midpoint(low.upper, high.upper)))
    }
}

/// The narrowest pair of ranks that holds the median with at least [`CONFIDENCE`], and with what probability it does.
fn median_ranks(n: usize) -> Option<((usize, usize), f64)> {
    let mut log_mass = -(n as f64) * std::f64::consts::LN_2;
    let mut below = 0.0;
    let mut best = None;
    for k in 1..=n / 2 {
        below += log_mass.exp();
        let coverage = 1.0 - 2.0 * below;
        if coverage < CONFIDENCE {
            break;
        }
        best = Some(((k, n + 1 - k), coverage));
        log_mass += ((n - k + 1) as f64 / k as f64).ln();
    }
    best
}

/// The repetition as text for a terminal.
pub fn render(repetition: &Repetition, style: &Style) -> String {
    let mut page = Page::new(*style);
    let mark = if repetition.simulated { format!(" [{SIMULATED_MARK}]") } else { String::new() };
    page.push(&format!("{} of {}{mark}", text::plural(repetition.runs as u64, "run", "runs"), repetition.scenario));
    let verdicts = repetition.verdicts.iter().map(|(verdict, runs)| format!("{runs} {}", words::verdict(*verdict).0));
    page.lines(&[verdicts.collect::<Vec<_>>().join(", ")]);
    page.sheet(&sheet(repetition));
    page.blank();
    page.lines(&remarks(repetition));
    page.text
}

/// A measurement under its name, and how to print a value of it.
type Measured<'a> = (&'static str, &'a Spread, Print);
type Print = fn(Interval<f64>) -> String;

/// Everything that some run measured.
fn measured(repetition: &Repetition) -> Vec<Measured<'_>> {
    let all: [(_, _, Print); 3] = [
        ("lost writes", &repetition.lost_writes, writes),
        ("lost time", &repetition.lost_seconds, text::span),
        ("RTO", &repetition.recovery_seconds, text::span),
    ];
    all.into_iter().filter_map(|(name, spread, print)| spread.as_ref().map(|spread| (name, spread, print))).collect()
}

/// Lost writes as counts; a median may lie halfway between two.
fn writes(bounds: Interval<f64>) -> String {
    let end = |value: f64| text::fixed(value, usize::from(value.fract() != 0.0));
    let (lower, upper) = (end(bounds.lower), end(bounds.upper));
    if lower == upper { lower } else { format!("{lower} … {upper}") }
}

fn sheet(repetition: &Repetition) -> Sheet {
    let plain = |text: String| Cell { text, tone: Tone::Plain };
    let row = |(name, spread, print): Measured<'_>| {
        let known = match &spread.confidence {
            Some(known) => print(known.bounds),
            None => format!("{} too few to say", text::plural(spread.runs as u64, "run is", "runs are")),
        };
        let of = [spread.minimum, spread.median, spread.maximum].map(|bounds| plain(print(bounds)));
        let mut row = vec![plain(name.to_owned()), plain(spread.runs.to_string())];
        row.extend(of);
        row.push(plain(known));
        row
    };
    Sheet {
        title: "Over all runs",
        header: &["measure", "runs", "minimum", "median", "maximum", "95 % interval of the median"],
        numeric: &[1],
        rows: measured(repetition).into_iter().map(row).collect(),
    }
}

/// What the numbers rest on, in sentences.
fn remarks(repetition: &Repetition) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut said = BTreeSet::new();
    for (name, spread, _) in measured(repetition) {
        let said_before = !said.insert(spread.runs);
        match &spread.confidence {
            Some(_) if said_before => {}
            Some(known) => remarks.push(format!(
                "{} runs: the median lies between the {} and the {} smallest with {:.1} % confidence (order statistics; no assumption about the distribution).",
                spread.runs, ordinal(known.ranks.0), ordinal(known.ranks.1), (known.coverage * 1000.0).floor() / 10.0
            )),
            None if said_before => {}
            None => remarks.push(format!(
                "{} too few for a {:.0} % interval of the median, which takes at least {FEWEST_RUNS}.",
                text::plural(spread.runs as u64, "run is", "runs are"), CONFIDENCE * 100.0
            )),
        }
        if spread.left_out > 0 {
            let left_out = text::plural(
                spread.left_out as u64,
                "run did not measure it and is",
                "runs did not measure it and are",
            );
            remarks.push(format!("{name}: {left_out} left out."));
        }
        if spread.maximum.upper.is_infinite() {
            remarks.push(format!("{name}: a run that ended without it counts as `never`."));
        }
    }
    if !repetition.alike {
        remarks.push(
            "These runs are not of one scenario in one world: the numbers mix what does not belong together."
                .to_owned(),
        );
    }
    remarks
}

/// A rank in words: 1st, 2nd, 3rd, 4th, 11th.
fn ordinal(rank: usize) -> String {
    let ending = match (rank % 10, rank % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{rank}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn run(lower: f64, upper: f64) -> Record {
        let mut record = sample::sample_record();
        if let Some(rto) = &mut record.rto {
            rto.service = Some(Interval::new(lower, upper));
        }
        record
    }

    fn recovery_of(records: &[Record]) -> Spread {
        repeat(records).recovery_seconds.expect("measured")
    }

    #[test]
    fn the_ranks_are_those_of_the_tables() {
        assert_eq!(median_ranks(5), None);
        let known = |n: usize| median_ranks(n).map(|(ranks, coverage)| (ranks, (coverage * 1e4).round() / 1e4));
        assert_eq!(known(FEWEST_RUNS), Some(((1, 6), 0.9688)));
        assert_eq!(known(10), Some(((2, 9), 0.9785)));
        assert_eq!(known(20), Some(((6, 15), 0.9586)));
        assert_eq!(known(100), Some(((40, 61), 0.9648)));
    }

    #[test]
    fn coverage_holds_and_the_ranks_are_symmetric_for_every_number_of_runs() {
        for n in FEWEST_RUNS..3_000 {
            let ((low, high), coverage) = median_ranks(n).expect("enough runs");
            assert!((CONFIDENCE..1.0).contains(&coverage) && low + high == n + 1 && low < high, "{n}");
        }
    }

    #[test]
    fn order_statistics_of_the_ends_hold_the_truth() {
        let truths: Vec<f64> = (0..25_u32).map(|n| f64::from(n * 7 % 25)).collect();
        let records: Vec<Record> =
            truths.iter().zip(0_u32..).map(|(t, n)| run(t - f64::from(n % 3), t + f64::from(n % 5))).collect();
        let spread = recovery_of(&records);
        let holds = |bounds: Interval<f64>, truth: f64| bounds.lower <= truth && truth <= bounds.upper;
        assert!(holds(spread.minimum, 0.0) && holds(spread.median, 12.0) && holds(spread.maximum, 24.0));
    }

    #[test]
    fn service_that_never_returned_is_not_left_out() {
        let spread =
            recovery_of(&[run(1.0, 2.0), sample::never_recovered(), sample::control(), sample::could_not_run()]);
        assert_eq!((spread.runs, spread.left_out), (2, 2));
        assert!(spread.maximum.lower.is_infinite() && spread.minimum == Interval::new(1.0, 2.0));
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        let spread = recovery_of(&[run(1.0, 1.0), run(4.0, 6.0), run(2.0, 2.0), run(9.0, 9.0)]);
        assert_eq!(spread.median, Interval::new(3.0, 4.0));
    }

    #[test]
    fn too_few_runs_are_said_to_be_too_few() {
        let text = render(&repeat(&[sample::sample_record()]), &Style::default());
        assert!(text.contains("1 run is too few for a 95 % interval of the median, which takes at least 6."), "{text}");
        assert_eq!(repeat(&[]).recovery_seconds, None);
    }

    #[test]
    fn simulated_runs_are_marked_and_mixtures_are_named() {
        let text = render(&repeat(&[sample::sample_record(), sample::simulated()]), &Style::default());
        assert!(text.contains(SIMULATED_MARK) && text.contains("not of one scenario in one world"), "{text}");
    }

    #[test]
    fn several_runs_read_well() {
        let records: Vec<Record> =
            (0..8_u32).map(|n| run(1.1 + 0.07 * f64::from(n), 1.16 + 0.07 * f64::from(n))).collect();
        insta::assert_snapshot!("repeat_eight", render(&repeat(&records), &Style::default()));
        let few = [sample::sample_record(), sample::failed_async(), sample::could_not_run()];
        insta::assert_snapshot!("repeat_few", render(&repeat(&few), &Style::default()));
    }
}
