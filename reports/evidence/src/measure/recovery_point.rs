//! What was lost: the history of the clients joined with what survived.

use blackstart_reports::record::{Interval, LostWrite};

use super::{Observed, seconds};
use crate::history::{Outcome, Sender, Sent};

/// How the requests of a history and the tokens of the recovered writer fit together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loss {
    /// How many requests there are.
    pub requests: u64,
    /// Acknowledged and missing, as positions in the history, in the order of acknowledgement.
    pub lost: Vec<usize>,
    /// Without an answer and missing.
    pub indeterminate_missing: u64,
    /// Without an answer and present.
    pub recovered: u64,
    /// Refused and present: then our own classification is wrong.
    pub phantom: u64,
    /// Present and never sent.
    pub unexpected: u64,
    /// Present more than once.
    pub duplicated: u64,
    /// Lost although a write that was sent later survived.
    pub non_prefix_loss: u64,
}

/// Joins a history with the tokens that survived. `fault_us` is the earliest moment of the fault.
pub fn loss(history: &[Sent], survivors: &[String], fault_us: Option<u64>) -> Loss {
    let mut present: Vec<&str> = survivors.iter().map(String::as_str).collect();
    present.sort_unstable();
    let mut loss = Loss { requests: history.len() as u64, ..Loss::default() };
    loss.duplicated = present.chunk_by(|one, other| one == other).filter(|same| same.len() > 1).count() as u64;
    present.dedup();
    let is_present = joined(history, &present);
    loss.unexpected = (present.len() - is_present.iter().filter(|is_present| **is_present).count()) as u64;
    for (index, sent) in history.iter().enumerate() {
        match (sent.outcome, is_present[index]) {
            (Outcome::Refused, true) => loss.phantom += 1,
            _ if is_instrument(sent) => {}
            (Outcome::Ok, false) => loss.lost.push(index),
            (Outcome::Indeterminate, false) => loss.indeterminate_missing += 1,
            (Outcome::Indeterminate, true) => loss.recovered += 1,
            (Outcome::Ok, true) | (Outcome::Refused, false) => {}
        }
    }
    loss.lost.sort_by_key(|index| history[*index].returned_us);
    loss.non_prefix_loss = holes(history, &loss.lost, fault_us);
    loss
}

/// Which requests are among the tokens, which are sorted. Both are walked in the order of tokens: a table of a million of them
/// would take several times the memory of two sorted lists.
fn joined(history: &[Sent], tokens: &[&str]) -> Vec<bool> {
    let mut by_token: Vec<u32> = (0..history.len() as u32).collect();
    by_token.sort_by(|one, other| history[*one as usize].token.cmp(&history[*other as usize].token));
    let mut is_present = vec![false; history.len()];
    let mut tokens = tokens.iter().copied().peekable();
    for index in by_token {
        let own = &*history[index as usize].token;
        while tokens.next_if(|token| *token < own).is_some() {}
        // Taken with it: of two requests with one token, only the first has it.
        is_present[index as usize] = tokens.next_if_eq(&own).is_some();
    }
    is_present
}

/// The prober in a tight loop is an instrument and no client: as often as it writes, it would drown what was lost.
fn is_instrument(sent: &Sent) -> bool {
    sent.sender == Sender::TightLoop
}

/// Lost writes that are older than a surviving one. Older by what clients saw: acknowledged before the other was sent.
/// Only survivors acknowledged before the fault count; what was written after the recovery proves no hole.
fn holes(history: &[Sent], lost: &[usize], fault_us: Option<u64>) -> u64 {
    let is_lost: std::collections::HashSet<usize> = lost.iter().copied().collect();
    let before_fault = |sent: &Sent| fault_us.is_none_or(|fault_us| sent.returned_us <= fault_us);
    let survived = history.iter().enumerate().filter(|(index, sent)| {
        sent.outcome == Outcome::Ok && !is_instrument(sent) && before_fault(sent) && !is_lost.contains(index)
    });
    let Some(last_sent_us) = survived.map(|(_, sent)| sent.sent_us).max() else { return 0 };
    lost.iter().filter(|index| history[**index].returned_us < last_sent_us).count() as u64
}

/// The measured recovery point.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryPoint {
    /// Whether anything was acknowledged shortly before the fault.
    pub exercised: bool,
    /// How history and survivors fit together.
    pub loss: Loss,
    /// How many acknowledged writes were lost.
    pub lost_writes: Interval<u64>,
    /// How many seconds of acknowledged work were lost.
    pub seconds: Interval<f64>,
    /// How finely that can be told.
    pub resolution_seconds: f64,
    /// How many of the lost writes the failed node still holds.
    pub stranded: Option<u64>,
    /// The lost writes.
    pub lost: Vec<LostWrite>,
}

/// Measures the recovery point.
///
/// The count is `[lost, lost + unanswered and missing]`. The time counts from the earliest-acknowledged lost request
/// `k`: the fault struck within `[f0, f1]` and `k` was committed between its sending and its return, so the time is
/// within `[f0 - return(k), f1 - send(k)]`, and never below zero: a write that was acknowledged only after the fault
/// (by a primary that was cut off, say) was no work of the time before it, and still counts as lost. Of several faults, any
/// that struck after `k` was sent may have taken it: from the first to the last of them.
pub fn recovery_point(observed: &Observed<'_>) -> RecoveryPoint {
    let history = observed.history;
    let loss = loss(history, observed.survivors, observed.fault.map(|fault| fault.lower));
    let count = loss.lost.len() as u64;
    // Without a fault, whatever is missing was lost by the end of the load at the latest.
    let fault = observed.fault.unwrap_or(Interval::exactly(observed.load_ended_us));
    let seconds = match loss.lost.first().map(|index| &history[*index]) {
        None => Interval::exactly(0.0),
        Some(k) => {
            let faults = || could_have_taken(observed.faults, k);
            let (first, last) = faults().next().zip(faults().last()).unwrap_or((fault, fault));
            Interval::new(
                seconds(first.lower.saturating_sub(k.returned_us)),
                seconds(last.upper.saturating_sub(k.sent_us)),
            )
        }
    };
    let lost = describe_lost(observed, &loss);
    RecoveryPoint {
        exercised: is_exercised(observed),
        lost_writes: Interval::new(count, count + loss.indeterminate_missing),
        seconds,
        resolution_seconds: resolution(observed),
        stranded: observed.stranded.map(|_| lost.iter().filter(|write| write.stranded == Some(true)).count() as u64),
        loss,
        lost,
    }
}

/// The faults that struck after a write was sent.
fn could_have_taken(faults: &[Interval<u64>], lost: &Sent) -> impl Iterator<Item = Interval<u64>> {
    let sent_us = lost.sent_us;
    faults.iter().copied().filter(move |fault| fault.upper >= sent_us)
}

fn describe_lost(observed: &Observed<'_>, loss: &Loss) -> Vec<LostWrite> {
    let readable: Option<std::collections::HashSet<&str>> =
        observed.stranded.map(|tokens| tokens.iter().map(String::as_str).collect());
    let describe = |index: &usize| {
        let sent = &observed.history[*index];
        LostWrite {
            token: sent.token.to_string(),
            kind: sent.kind.to_string(),
            sent_ms: sent.sent_us as f64 / 1e3,
            acknowledged_ms: sent.returned_us as f64 / 1e3,
            stranded: readable.as_ref().map(|tokens| tokens.contains(&*sent.token)),
        }
    };
    loss.lost.iter().map(describe).collect()
}

/// Something must have been acknowledged within a second, or five intervals of a slow load, before the fault.
fn is_exercised(observed: &Observed<'_>) -> bool {
    let Some(fault) = observed.fault else {
        return observed.history.iter().any(Sent::is_ok);
    };
    let shortly_us = (5 * observed.load_interval_us).max(1_000_000);
    let shortly = fault.lower.saturating_sub(shortly_us)..=fault.lower;
    observed.history.iter().any(|sent| sent.is_ok() && shortly.contains(&sent.returned_us))
}

/// The mean time between two acknowledgements before the fault: a loss shorter than this may hold no write at all.
fn resolution(observed: &Observed<'_>) -> f64 {
    let until_us = observed.fault.map_or(observed.load_ended_us, |fault| fault.lower);
    let is_counted = |sent: &&Sent| !is_instrument(sent) && sent.is_ok() && sent.returned_us <= until_us;
    let acknowledged = observed.history.iter().filter(is_counted).count();
    let stretch = seconds(until_us.saturating_sub(observed.load_started_us));
    if acknowledged == 0 { stretch } else { stretch / acknowledged as f64 }
}
