//! What a restored copy of a backup held, kept so that whether anything is missing in it can be computed again.

use blackstart_reports::record::Interval;
use serde::{Deserialize, Serialize};

use crate::{
    history::{Outcome, Sender, Sent},
    measure,
};

/// The folder of a run in which they are kept, a file for each backup.
pub const FOLDER: &str = "copies";

/// What a copy was asked. Times are microseconds on the run's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// When its backup began.
    pub began_us: u64,
    /// When it was asked.
    pub asked_us: u64,
    /// How many requests the history held by then.
    pub requests: usize,
    /// The tokens that it held.
    pub survivors: Vec<String>,
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Writes that were acknowledged before it began, and are not in it.
    pub missing: u64,
    /// Up to when every acknowledged write is in it, in milliseconds; nothing where none was acknowledged at all.
    pub until_ms: Option<Interval<f64>>,
}

/// The first write that is missing was made somewhere between its sending and its acknowledgement: up to then a backup
/// holds everything. Where none is missing, up to the moment when its copy was asked. Later requests are none of its.
pub fn held(history: &[Sent], copy: &self::Copy) -> Held {
    let history = &history[..copy.requests.min(history.len())];
    let loss = measure::loss(history, &copy.survivors, None);
    let lost = loss.lost.iter().filter_map(|index| history.get(*index));
    let missing = lost.filter(|sent| sent.returned_us <= copy.began_us).count() as u64;
    let first = loss.lost.first().and_then(|index| history.get(*index));
    let is_any_there = history.iter().any(|sent| sent.outcome == Outcome::Ok && sent.sender != Sender::TightLoop);
    let (lower, upper) = first.map_or((copy.asked_us, copy.asked_us), |sent| (sent.sent_us, sent.returned_us));
    let until_ms = is_any_there.then(|| Interval::new(lower as f64 / 1e3, upper as f64 / 1e3));
    Held { missing, until_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(token: &str, at_us: u64) -> Sent {
        Sent {
            token: token.into(),
            sender: Sender::Load,
            kind: "place".into(),
            intended_us: at_us,
            sent_us: at_us,
            returned_us: at_us + 10_000,
            outcome: Outcome::Ok,
            reply: "".into(),
        }
    }

    fn copy(survivors: &[&str]) -> super::Copy {
        let survivors = survivors.iter().map(|token| (*token).to_owned()).collect();
        super::Copy { began_us: 65_000, asked_us: 900_000, requests: 3, survivors }
    }

    #[test]
    fn a_backup_holds_until_the_first_write_that_it_lacks() {
        let history = [sent("a", 0), sent("b", 50_000), sent("c", 100_000)];
        let until = |survivors: &[&str]| held(&history, &copy(survivors)).until_ms;
        assert_eq!(until(&["a", "b"]), Some(Interval::new(100.0, 110.0)));
        assert_eq!(until(&["a", "b", "c"]), Some(Interval::exactly(900.0)));
        assert_eq!(held(&[], &copy(&[])).until_ms, None);
    }

    #[test]
    fn what_was_acknowledged_before_a_backup_began_must_be_in_it() {
        let history = [sent("a", 0), sent("b", 50_000), sent("c", 100_000)];
        let missing = |survivors: &[&str]| held(&history, &copy(survivors)).missing;
        assert_eq!(missing(&["a", "b"]), 0, "c came later");
        assert_eq!(missing(&["a"]), 1);
        assert_eq!(missing(&[]), 2, "an empty copy passes many a check");
    }
}
