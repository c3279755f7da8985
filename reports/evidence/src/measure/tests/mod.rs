//! The measuring held against invented runs whose truth is known.

mod failback;
mod invented;
mod load;
mod outages;
mod recovery_point;
mod recovery_time;
mod stalls;

use super::*;
use crate::{
    history::Outcome,
    units::{Share, Span},
};

const MS: u64 = 1000;

fn sent(token: &str, sender: Sender, sent_ms: u64, returned_ms: u64, outcome: Outcome) -> Sent {
    Sent {
        token: token.into(),
        sender,
        kind: "place".into(),
        intended_us: sent_ms * MS,
        sent_us: sent_ms * MS,
        returned_us: returned_ms * MS,
        outcome,
        reply: "".into(),
    }
}

fn level(errors: f64) -> ServiceLevel {
    ServiceLevel {
        throughput: Share::from_fraction(0.9),
        errors: Share::from_fraction(errors),
        sustained_for: Span::from_ms(1000),
    }
}

/// A run with a request every 50 ms, up to `until_ms`, good except from `down_ms` to `up_ms`.
fn run(down_ms: u64, up_ms: u64, until_ms: u64) -> Vec<Sent> {
    let request = |at_ms: u64| {
        let is_down = (down_ms..up_ms).contains(&at_ms);
        let outcome = if is_down { Outcome::Refused } else { Outcome::Ok };
        sent(&format!("t{at_ms}"), Sender::Load, at_ms, at_ms + 5, outcome)
    };
    (0..until_ms).step_by(50).map(request).collect()
}

fn observed<'a>(history: &'a [Sent], survivors: &'a [String], level: &'a ServiceLevel) -> Observed<'a> {
    Observed {
        history,
        fault: Some(Interval::new(2000 * MS, 2010 * MS)),
        recovery_started_us: Some(2500 * MS),
        failback_us: None,
        undisturbed_us: 0,
        faults: &[],
        load_started_us: 0,
        load_stopped_us: history.iter().map(|sent| sent.sent_us + 1).max().unwrap_or_default(),
        load_ended_us: history.iter().map(|sent| sent.returned_us).max().unwrap_or_default(),
        load_interval_us: 50 * MS,
        survivors,
        stranded: None,
        level,
        verified_us: None,
        stalls: &[],
        is_disturbed: false,
        deadlines: Deadlines { load_us: 1000 * MS, probe_us: 400 * MS },
    }
}

fn good_tokens(history: &[Sent]) -> Vec<String> {
    history.iter().filter(|sent| sent.is_ok()).map(|sent| sent.token.to_string()).collect()
}
