//! The spans in which clients were not served.

use blackstart_reports::record::{Interval, Outage};

use super::clients;
use crate::history::Sent;

/// Every outage, in order. Failures that lie closer together than service must be sustained belong to one.
pub fn outages(history: &[Sent], merge_us: u64) -> Vec<Outage> {
    let clients = clients(history);
    let failed: Vec<usize> = (0..clients.len()).filter(|index| !clients[*index].is_ok()).collect();
    let is_same = |one: &usize, next: &usize| clients[*next].sent_us - clients[*one].sent_us < merge_us;
    failed.chunk_by(is_same).map(|cluster| outage(&clients, cluster)).collect()
}

fn outage(clients: &[&Sent], cluster: &[usize]) -> Outage {
    let (first, last) = (cluster[0], cluster[cluster.len() - 1]);
    let good_before = clients[..first].iter().rev().find(|sent| sent.is_ok());
    let good_after = clients[last..].iter().filter(|sent| sent.is_ok()).map(|sent| sent.returned_us).min();
    let ms = |us: u64| us as f64 / 1e3;
    Outage {
        began_ms: Interval::new(
            ms(good_before.map_or(clients[first].sent_us, |sent| sent.sent_us)),
            ms(clients[first].returned_us),
        ),
        ended_ms: good_after.map(|returned_us| Interval::new(ms(clients[last].sent_us), ms(returned_us))),
        failed_requests: cluster.len() as u64,
    }
}
