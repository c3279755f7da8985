//! How many good requests in a row show that an outage has not yet begun, or is over.
//!
//! Where every request failed, the next good one shows it. Where good requests came between failures, as with one of
//! several replicas away, a good request may be luck, and so may the next. The failures next to the end in question are a
//! sample of how many requests the outage hit; the share that it hit is taken from the lower end of a confidence interval,
//! and so many good requests are demanded that the outage would have let all of them pass once in a thousand times.

use super::calls::Call;

/// So many failures next to an end of an outage are looked at. Where so many came in a row and none but them, the outage hit every
/// request.
const NEXT_TO_THE_END: usize = 10;

/// The quantile of the normal distribution for the lower end of a one-sided interval of 99.5 %.
const QUANTILE: f64 = 2.576;

/// How often luck may last for as many requests as are demanded.
const LUCK: f64 = 0.001;

/// The end of an outage that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where it began.
    First,
    /// Where it ended.
    Last,
}

/// How many good requests in a row prove an end of an outage, of whose failures these are the positions.
pub fn needed(calls: &[Call], failed: &[usize], end: End) -> usize {
    if failed.len() >= NEXT_TO_THE_END && lucky(calls, failed) == 0 {
        return 1;
    }
    let few = failed.len().min(NEXT_TO_THE_END);
    let sample = match end {
        End::First => &failed[..few],
        End::Last => &failed[failed.len() - few..],
    };
    unlikely_luck(sample.len(), sample.len() + lucky(calls, sample))
}

/// The good requests that came between failures: sent after the first of them and answered before the last was sent. One that
/// hung beyond that shows nothing of the time in which it hung.
fn lucky(calls: &[Call], failed: &[usize]) -> usize {
    let (first, last) = (failed[0], failed[failed.len() - 1]);
    let until_us = calls[last].sent_us;
    calls[first..last].iter().filter(|call| call.is_ok && call.returned_us < until_us).count()
}

/// So many good requests in a row are unlikely, given that so many of all in a sample failed (Wilson's interval).
fn unlikely_luck(failed: usize, all: usize) -> usize {
    let (failed, all, z2) = (failed as f64, all as f64, QUANTILE * QUANTILE);
    let share = failed / all;
    let spread = QUANTILE * (share * (1.0 - share) / all + z2 / (4.0 * all * all)).sqrt();
    let least = (share + z2 / (2.0 * all) - spread) / (1.0 + z2 / all);
    (LUCK.ln() / (1.0 - least).ln()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_failures_and_more_luck_demand_more_good_requests() {
        assert_eq!([1, 3, 10].map(|failed| unlikely_luck(failed, failed)), [50, 19, 8]);
        assert_eq!([(2, 5), (10, 30), (10, 100)].map(|(failed, all)| unlikely_luck(failed, all)), [81, 40, 147]);
    }
}
