//! What it costs to analyse a history of a million requests: processor time and memory, against the budget of 1 s and
//! 200 MB.
//!
//! `cargo bench --bench measure [-- REQUESTS]`. The history itself is made first and its memory is told apart.

mod shared;

use std::time::Duration;

use blackstart_evidence::{
    declared::ServiceLevel,
    history::{History, Outcome, Sender, Sent, Words},
    measure::{Deadlines, Observed, measure_load, outages, recovery_point, recovery_time},
};
use blackstart_reports::record::Interval;

const MS: u64 = 1000;
/// The requests come so fast, and this long before the end the system is down for as long.
const EVERY_US: u64 = 100;
const OUTAGE_US: u64 = 4_000 * MS;

fn main() {
    let requests = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000_000_u64);
    let before_kb = memory_kb("VmRSS");
    let (history, survivors, fault_us) = history(requests);
    let made_kb = memory_kb("VmRSS");
    let level = ServiceLevel::default();
    let observed = Observed {
        history: &history,
        fault: Some(Interval::new(fault_us, fault_us + 3 * MS)),
        recovery_started_us: Some(fault_us + 700 * MS),
        failback_us: None,
        undisturbed_us: 0,
        faults: &[],
        load_started_us: 0,
        load_stopped_us: requests * EVERY_US,
        load_ended_us: requests * EVERY_US,
        load_interval_us: 2 * EVERY_US,
        survivors: &survivors,
        stranded: None,
        level: &level,
        verified_us: None,
        stalls: &[],
        is_disturbed: false,
        deadlines: Deadlines::default(),
    };
    let (point, point_took) = timed(|| recovery_point(&observed));
    let (time, time_took) = timed(|| recovery_time(&observed));
    let (_, load_took) = timed(|| measure_load(&observed, time.restored.map(|restored| restored.at)));
    let (spans, outages_took) = timed(|| outages(&history, 2_000 * MS, requests * EVERY_US, &[]));
    let peak_kb = memory_kb("VmHWM");
    let whole = point_took + time_took + load_took + outages_took;
    println!("a history of {requests} requests, of which {} are lost; {} outages", point.loss.lost.len(), spans.len());
    println!("  recovery point  {point_took:>10.1?}\n  recovery time   {time_took:>10.1?}");
    println!("  load            {load_took:>10.1?}\n  outages         {outages_took:>10.1?}");
    println!("  all of it       {whole:>10.1?}   budget 1 s for a million: {:.0} %", share(whole, requests));
    println!(
        "  memory: history {} MB, analysis {} MB on top, peak {} MB (budget 200 MB for all of it)",
        made_kb.saturating_sub(before_kb) / 1024,
        peak_kb.saturating_sub(made_kb) / 1024,
        peak_kb / 1024
    );
}

/// The share of the budget, in percent, if the time grows as the requests do.
fn share(took: Duration, requests: u64) -> f64 {
    took.as_secs_f64() / (requests as f64 / 1e6) * 100.0
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = shared::processor_time();
    let done = work();
    (done, shared::processor_time().saturating_sub(started))
}

/// A drill as it might have been: a fault near the middle, refusals and hangs for a while, a few lost writes before it.
fn history(requests: u64) -> (History, Vec<String>, u64) {
    let fault_us = requests / 2 * EVERY_US;
    let mut survivors = Vec::with_capacity(requests as usize);
    let mut history = History::with_capacity(requests as usize);
    let mut words = Words::default();
    for number in 0..requests {
        let sent_us = number * EVERY_US;
        let is_down = (fault_us..fault_us + OUTAGE_US).contains(&sent_us);
        let outcome = match (is_down, number % 3) {
            (true, 0) => Outcome::Indeterminate,
            (true, _) => Outcome::Refused,
            (false, _) => Outcome::Ok,
        };
        let took_us = if outcome == Outcome::Indeterminate { 400 * MS } else { 3 * MS + number % 1000 };
        let token = format!("load-{number:06}");
        let is_lost = (fault_us.saturating_sub(50 * MS)..fault_us).contains(&(sent_us + took_us));
        if outcome == Outcome::Ok && !is_lost {
            survivors.push(token.clone());
        }
        history.push(Sent {
            token: token.into_boxed_str(),
            sender: if number % 2 == 0 { Sender::Load } else { Sender::Probe },
            kind: words.share("place"),
            intended_us: sent_us,
            sent_us,
            returned_us: sent_us + took_us,
            outcome,
            reply: words.share("200"),
        });
    }
    history.sort_by_key(|sent| sent.returned_us);
    (history, survivors, fault_us)
}

/// A line of `/proc/self/status`, in kB; zero where there is no such file.
fn memory_kb(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
