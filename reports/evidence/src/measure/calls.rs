//! Requests reduced to what times are told from, and the stalls of the harness that blur them.

use blackstart_reports::record::Interval;

use crate::history::{Outcome, Sender, Sent};

/// A request, as far as times go. The order is that of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// When it was sent.
    pub sent_us: u64,
    /// When its answer came, or its deadline passed.
    pub returned_us: u64,
    /// Whether it was acknowledged.
    pub is_ok: bool,
    /// Whether it was definitely not done: an answer that came.
    pub is_refused: bool,
    /// Whether it belongs to the load, of which the service level speaks.
    pub is_load: bool,
}

/// The requests of some senders, in the order of sending.
pub fn calls(history: &[Sent], wanted: impl Fn(Sender) -> bool) -> Vec<Call> {
    let reduce = |sent: &Sent| Call {
        sent_us: sent.sent_us,
        returned_us: sent.returned_us,
        is_ok: sent.is_ok(),
        is_refused: sent.outcome == Outcome::Refused,
        is_load: sent.sender == Sender::Load,
    };
    let mut calls = Vec::with_capacity(history.len());
    calls.extend(history.iter().filter(|sent| wanted(sent.sender)).map(reduce));
    calls.sort_unstable();
    calls
}

/// The spans in which the harness did not get to run, in order and apart from each other.
#[derive(Debug, Clone, Copy)]
pub struct Stalls<'a>(pub &'a [Interval<u64>]);

impl Stalls<'_> {
    fn first_that_ends_after(self, us: u64) -> usize {
        self.0.partition_point(|stall| stall.upper < us)
    }

    /// The stall that holds a moment, both ends included.
    fn at(self, us: u64) -> Option<Interval<u64>> {
        self.0.get(self.first_that_ends_after(us)).copied().filter(|stall| stall.lower <= us)
    }

    /// The bounds of something whose recorded ends may have been blurred: an end within a stall moves to the end of the stall.
    pub fn widen(self, bounds: Interval<u64>) -> Interval<u64> {
        Interval::new(
            self.at(bounds.lower).map_or(bounds.lower, |stall| stall.lower),
            self.at(bounds.upper).map_or(bounds.upper, |stall| stall.upper),
        )
    }

    /// Whether a failure may be ours: what came back while we did not run was found only after the deadline had passed.
    pub fn may_have_failed(self, call: &Call) -> bool {
        !call.is_ok && !call.is_refused && self.at(call.returned_us).is_some()
    }

    /// How much of a stretch we did not run.
    pub fn within(self, from_us: u64, to_us: u64) -> u64 {
        let touching = self.0[self.first_that_ends_after(from_us)..].iter().take_while(|stall| stall.lower < to_us);
        touching.map(|stall| stall.upper.min(to_us).saturating_sub(stall.lower.max(from_us))).sum()
    }
}
