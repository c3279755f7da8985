//! The spans in which clients were not served.

use blackstart_reports::record::{Interval, Outage};

use super::{
    calls::{Call, Stalls, calls},
    is_client,
    sample::{End, needed},
};
use crate::history::Sent;

/// Every outage, in order. Failures that lie closer together than service must be sustained belong to one.
pub fn outages(history: &[Sent], merge_us: u64, load_ended_us: u64, stalls: &[Interval<u64>]) -> Vec<Outage> {
    let calls = calls(history, is_client);
    let failed = failures(&calls);
    let outages = clusters(&calls, &failed, merge_us);
    let next = |index: usize| outages.get(index + 1).map_or(calls.len(), |cluster| cluster[0]);
    let tell =
        |(index, cluster): (usize, &&[usize])| outage(&calls[..next(index)], cluster, load_ended_us, Stalls(stalls));
    outages.iter().enumerate().map(tell).collect()
}

/// The positions of the requests that failed.
pub(super) fn failures(calls: &[Call]) -> Vec<usize> {
    (0..calls.len()).filter(|index| !calls[*index].is_ok).collect()
}

/// Failures in clusters of those that lie closer together than so much, or have no good request between them.
pub(super) fn clusters<'a>(calls: &[Call], failed: &'a [usize], merge_us: u64) -> Vec<&'a [usize]> {
    let is_one = |one: &usize, next: &usize| *next == one + 1 || calls[*next].sent_us - calls[*one].sent_us < merge_us;
    failed.chunk_by(is_one).collect()
}

fn outage(calls: &[Call], cluster: &[usize], load_ended_us: u64, stalls: Stalls<'_>) -> Outage {
    let ms = |bounds: Interval<u64>| Interval::new(bounds.lower as f64 / 1e3, bounds.upper as f64 / 1e3);
    let ended = ended(calls, cluster, load_ended_us);
    Outage {
        began_ms: ms(stalls.widen(began(calls, cluster))),
        ended_ms: ended.map(|end| ms(stalls.widen(end.at))),
        failed_requests: cluster.len() as u64,
        upper_is_sample: ended.is_some_and(|end| !end.is_bound),
    }
}

/// From the last good request before to the first failure that was noticed.
fn began(calls: &[Call], cluster: &[usize]) -> Interval<u64> {
    let before = calls[..cluster[0]].iter().rev().filter(|call| call.is_ok);
    let good = before.map(|call| call.sent_us).nth(needed(calls, cluster, End::First) - 1);
    let noticed = cluster.iter().map(|index| calls[*index].returned_us).min();
    Interval::new(good.unwrap_or(calls[0].sent_us), noticed.unwrap_or(calls[cluster[0]].returned_us))
}

/// The end of an outage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// From the last failure to the good request that shows that it is over.
    pub at: Interval<u64>,
    /// Whether enough good requests followed; if not, the upper end is that of the load.
    pub is_bound: bool,
}

/// When an outage ended; none where no good request followed. The requests end where the next outage begins.
pub(super) fn ended(calls: &[Call], cluster: &[usize], load_ended_us: u64) -> Option<Ended> {
    let last = cluster[cluster.len() - 1];
    let needed = needed(calls, cluster, End::Last);
    let good = |call: &&Call| call.is_ok;
    let mut returned: Vec<u64> = calls[last..].iter().filter(good).map(|call| call.returned_us).collect();
    if returned.is_empty() {
        return None;
    }
    let shown = (needed <= returned.len()).then(|| *returned.select_nth_unstable(needed - 1).1);
    // A sample of probes shows nothing of the load.
    let upper =
        if needed == 1 { shown } else { shown.zip(load_is_good(calls, cluster)).map(|(one, other)| one.max(other)) };
    let lower = calls[last].sent_us;
    Some(Ended { at: Interval::new(lower, upper.unwrap_or(load_ended_us).max(lower)), is_bound: upper.is_some() })
}

/// When a request of the load was good again; zero where none had failed.
fn load_is_good(calls: &[Call], cluster: &[usize]) -> Option<u64> {
    let Some(last) = cluster.iter().rev().find(|index| calls[**index].is_load) else { return Some(0) };
    calls[*last..].iter().filter(|call| call.is_ok && call.is_load).map(|call| call.returned_us).min()
}
