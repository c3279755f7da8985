//! What the clients saw: counts, and latency from the intended time of sending.

use std::ops::Range;

use blackstart_reports::record::{Interval, Latency, LatencyBucket, Load, LoadStage};
use hdrhistogram::Histogram;

use super::{Observed, is_client, seconds};
use crate::history::{Outcome, Sender, Sent};

/// Latencies are kept to three digits, up to ten minutes.
const LONGEST_US: u64 = 600_000_000;

/// How long clients wait for an answer; zero where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// Those of the load.
    pub load_us: u64,
    pub probe_us: u64,
}

impl Deadlines {
    /// How long a client waited, from the intended time. One that was told nothing definite waited until its deadline at least.
    fn latency_us(self, sent: &Sent) -> u64 {
        let waited_us = sent.returned_us.saturating_sub(sent.intended_us);
        match (sent.outcome, sent.sender) {
            (Outcome::Ok | Outcome::Refused, _) => waited_us,
            (Outcome::Indeterminate, Sender::Probe) => waited_us.max(self.probe_us),
            (Outcome::Indeterminate, _) => waited_us.max(self.load_us),
        }
    }
}

/// The load of a run, whole and in three stretches: before the fault, until service was sustained again, and after; and
/// from a planned failback on, where there was one.
pub fn measure_load(observed: &Observed<'_>, restored: Option<Interval<u64>>) -> Load {
    let all: Vec<&Sent> = observed.history.iter().filter(|sent| is_client(sent.sender)).collect();
    let stretches = match observed.fault {
        None => vec![("before", observed.load_started_us, observed.load_ended_us)],
        Some(fault) => {
            let back_us = restored.map_or(observed.load_ended_us, |since| since.upper.max(fault.lower));
            let after_us = observed.failback_us.unwrap_or(observed.load_ended_us).max(back_us);
            let mut stretches = vec![
                ("before", observed.load_started_us, fault.lower),
                ("during", fault.lower, back_us),
                ("after", back_us, after_us),
            ];
            stretches.extend(observed.failback_us.map(|_| ("failback", after_us, observed.load_ended_us)));
            stretches
        }
    };
    let deadlines = observed.deadlines;
    let stages =
        stretches.into_iter().map(|(name, from_us, to_us)| stage(&all, name, from_us..to_us, deadlines)).collect();
    let counts = Counts::of(all.iter().copied(), deadlines);
    Load {
        acknowledged: counts.acknowledged,
        refused: counts.refused,
        indeterminate: counts.indeterminate,
        latency_ms: counts.latency,
        stages,
    }
}

/// The load of any other stretch: while a backup was taken, say.
pub fn stage_between(history: &[Sent], name: &str, stretch: Range<u64>, deadlines: Deadlines) -> LoadStage {
    let all: Vec<&Sent> = history.iter().filter(|sent| is_client(sent.sender)).collect();
    stage(&all, name, stretch, deadlines)
}

fn stage(all: &[&Sent], name: &str, stretch: Range<u64>, deadlines: Deadlines) -> LoadStage {
    let inside = all.iter().copied().filter(|sent| stretch.contains(&sent.intended_us));
    let counts = Counts::of(inside, deadlines);
    LoadStage {
        stage: name.to_owned(),
        seconds: seconds(stretch.end.saturating_sub(stretch.start)),
        acknowledged: counts.acknowledged,
        refused: counts.refused,
        indeterminate: counts.indeterminate,
        latency_ms: counts.latency,
        latency_histogram: counts.buckets,
    }
}

struct Counts {
    acknowledged: u64,
    refused: u64,
    indeterminate: u64,
    latency: Option<Latency>,
    buckets: Vec<LatencyBucket>,
}

impl Counts {
    fn of<'a>(requests: impl Iterator<Item = &'a Sent>, deadlines: Deadlines) -> Self {
        let mut counts = Self { acknowledged: 0, refused: 0, indeterminate: 0, latency: None, buckets: Vec::new() };
        // The bounds are constants that the histogram accepts; without one there is simply no latency to tell.
        let mut histogram = Histogram::<u64>::new_with_max(LONGEST_US, 3).ok();
        for sent in requests {
            match sent.outcome {
                Outcome::Ok => counts.acknowledged += 1,
                Outcome::Refused => counts.refused += 1,
                Outcome::Indeterminate => counts.indeterminate += 1,
            }
            // From the intended time, so what an open-loop client waited for is in it already: the histogram's own
            // correction for coordinated omission would count it twice.
            if let Some(histogram) = histogram.as_mut().filter(|_| sent.outcome != Outcome::Refused) {
                histogram.saturating_record(deadlines.latency_us(sent));
            }
        }
        counts.buckets = histogram.as_ref().map_or_else(Vec::new, buckets);
        counts.latency = histogram.filter(|histogram| !histogram.is_empty()).map(|histogram| Latency {
            p50: histogram.value_at_quantile(0.5) as f64 / 1e3,
            p99: histogram.value_at_quantile(0.99) as f64 / 1e3,
            max: histogram.max() as f64 / 1e3,
        });
        counts
    }
}

/// From one millisecond on, each bucket reaches twice as far as the one before.
fn buckets(histogram: &Histogram<u64>) -> Vec<LatencyBucket> {
    let doubling = histogram.iter_log(1000, 2.0);
    let bucket = |step: hdrhistogram::iterators::IterationValue<u64>| LatencyBucket {
        at_most_ms: step.value_iterated_to() as f64 / 1e3,
        count: step.count_since_last_iteration(),
    };
    doubling.map(bucket).collect()
}
