//! The history of every request: what was intended, sent, and answered, on the run's one clock.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc, time::Duration};

use blackstart_reports::files::sound_moment;
use serde::{Deserialize, Serialize};

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// A client of the load.
    Load,
    /// The probe that measures the outage.
    Probe,
    /// The detection of failures.
    Detector,
    /// Before the load, until the service answers.
    WarmUp,
    Check,
    /// An independent prober that sends far more often than the probe, to hold the measuring against.
    TightLoop,
}

/// What a client knows of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Acknowledged: the work is promised.
    Ok,
    /// Definitely not done.
    Refused,
    /// Sent, and nothing definite is known.
    Indeterminate,
}

/// One request. Times are microseconds on the run's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The token; never used twice.
    pub token: Box<str>,
    /// Who sent it.
    pub sender: Sender,
    /// The request, by its name.
    pub kind: Arc<str>,
    /// When it was to be sent.
    #[serde(deserialize_with = "sound_moment")]
    pub intended_us: u64,
    /// When it was sent.
    #[serde(deserialize_with = "sound_moment")]
    pub sent_us: u64,
    /// When its answer came, or its deadline passed.
    #[serde(deserialize_with = "sound_moment")]
    pub returned_us: u64,
    /// What the client knows.
    pub outcome: Outcome,
    /// What came back, in short: the status, or why there was none.
    pub reply: Arc<str>,
}

/// A request as its line tells it. Its texts are borrowed: a million of them would be made only to be dropped.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    sender: Sender,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(deserialize_with = "sound_moment")]
    intended_us: u64,
    #[serde(deserialize_with = "sound_moment")]
    sent_us: u64,
    #[serde(deserialize_with = "sound_moment")]
    returned_us: u64,
    outcome: Outcome,
    #[serde(borrow)]
    reply: Cow<'a, str>,
}

impl Sent {
    /// Reads a line of a history, whose words are shared with those of other lines.
    ///
    /// # Errors
    /// Where it is no request.
    pub fn read(line: &[u8], words: &mut Words) -> serde_json::Result<Self> {
        let Line { token, sender, kind, intended_us, sent_us, returned_us, outcome, reply } =
            serde_json::from_slice(line)?;
        let (kind, reply) = (words.share(&kind), words.share(&reply));
        Ok(Self { token: token.into(), sender, kind, intended_us, sent_us, returned_us, outcome, reply })
    }

    /// Whether the work was promised.
    pub fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    /// How long the client waited, from the intended time.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.returned_us.saturating_sub(self.intended_us))
    }
}

/// The few words that stand in most requests, each of which is kept once: a history may be of a million.
#[derive(Debug, Default)]
pub struct Words(BTreeSet<Arc<str>>);

impl Words {
    /// The one copy of a word.
    pub fn share(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = word.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// The history of a run, in the order of return.
pub type History = Vec<Sent>;
