//! What was lost: the history of the clients joined with what survived.

use blackstart_reports::record::{Interval, LostWrite};

use super::{Observed, exercised::is_exercised, seconds};
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
pub fn loss(history: &[Sent], survivors: &[impl AsRef<str>], fault_us: Option<u64>) -> Loss {
    let mut present: Vec<&str> = survivors.iter().map(AsRef::as_ref).collect();
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

/// Whether a request that is acknowledged and missing is a loss.
pub(super) fn counts_as_loss(sent: &Sent) -> bool {
    !is_instrument(sent)
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
    /// Whether anything could be lost: healthy service before the fault; in a control, any acknowledged write.
    pub exercised: bool,
    /// Whether `seconds` is a measurement: not in a control that lost nothing.
    pub time_exercised: bool,
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
    pub lost: Vec<LostWrite>,
}

/// Measures the recovery point.
///
/// The count is `[lost, lost + unanswered and missing]`. The time is the span of acknowledged work that is gone. It begins
/// with the earliest-acknowledged lost request `k` and ends with the later of the fault and the last-acknowledged one `l`:
/// writes that were acknowledged after the fault and lost are loss like any other. The fault struck within `[f0, f1]`, and
/// each request was committed between its sending and its return, so the time is within
/// `[max(f0, send(l)) - return(k), max(f1, return(l)) - send(k)]`, and never below zero. Of several faults, any that struck
/// after `k` was sent may have taken it: from the first to the last of them. A control has no fault: `k` to `l` is all.
pub fn recovery_point(observed: &Observed<'_>) -> RecoveryPoint {
    let history = observed.history;
    let loss = loss(history, observed.survivors, observed.fault.map(|fault| fault.lower));
    let count = loss.lost.len() as u64;
    let ends = loss.lost.first().zip(loss.lost.last());
    let seconds = ends.map_or(Interval::exactly(0.0), |(k, l)| lost_span(observed, &history[*k], &history[*l]));
    let lost = describe_lost(observed, &loss);
    let is_control = observed.fault.is_none();
    RecoveryPoint {
        exercised: if is_control { history.iter().any(Sent::is_ok) } else { is_exercised(observed) },
        time_exercised: if is_control { count > 0 } else { is_exercised(observed) },
        lost_writes: Interval::new(count, count + loss.indeterminate_missing),
        seconds,
        resolution_seconds: resolution(observed),
        stranded: observed.stranded.map(|_| lost.iter().filter(|write| write.stranded == Some(true)).count() as u64),
        loss,
        lost,
    }
}

/// From the earliest-acknowledged lost request to the later of the fault and the last-acknowledged one.
fn lost_span(observed: &Observed<'_>, k: &Sent, l: &Sent) -> Interval<f64> {
    let faults = || could_have_taken(observed.faults, k);
    let (first, last) = match faults().next().zip(faults().last()) {
        Some(both) => both,
        None => observed.fault.map_or((Interval::exactly(0), Interval::exactly(0)), |fault| (fault, fault)),
    };
    Interval::new(
        seconds(first.lower.max(l.sent_us).saturating_sub(k.returned_us)),
        seconds(last.upper.max(l.returned_us).saturating_sub(k.sent_us)),
    )
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

/// The largest gap between acknowledgements near the fault, the fault itself being the last end of one: a loss that is shorter
/// may hold no write at all. In a control, the largest gap of the whole load.
fn resolution(observed: &Observed<'_>) -> f64 {
    let start_us = observed.load_started_us;
    let (from_us, until_us) = match observed.fault {
        Some(fault) => (fault.lower.saturating_sub(observed.shortly_us()).max(start_us), fault.upper),
        None => (start_us, observed.load_ended_us),
    };
    let is_near =
        |sent: &&Sent| counts_as_loss(sent) && sent.is_ok() && (from_us..=until_us).contains(&sent.returned_us);
    let mut ends: Vec<u64> = observed.history.iter().filter(is_near).map(|sent| sent.returned_us).collect();
    if ends.is_empty() {
        return seconds(until_us.saturating_sub(start_us));
    }
    ends.sort_unstable();
    ends.extend(observed.fault.map(|fault| fault.upper));
    seconds(ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(until_us.saturating_sub(start_us)))
}
