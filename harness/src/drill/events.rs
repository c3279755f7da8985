//! Where the parts of a drill say what happens: to the journal, to the record's timeline, and to whoever listens.

use std::sync::{Arc, Mutex, PoisonError};

pub use blackstart_evidence::event::{Event, Stamped, validity};
use blackstart_evidence::{
    fact::Fact,
    journal::{Journal, Requests},
};
use blackstart_reports::record::TimelineEntry;

use crate::clock::Clock;

/// Who listens to a drill.
pub type Listener = Arc<dyn Fn(&Stamped) + Send + Sync>;

/// Where the parts of a drill say what happens.
#[derive(Clone)]
pub struct Events {
    clock: Clock,
    journal: Journal,
    listener: Listener,
    timeline: Arc<Mutex<Vec<TimelineEntry>>>,
    trouble: Arc<Mutex<Option<String>>>,
    requests: Option<Requests>,
}

impl Events {
    /// Events of a run.
    pub fn new(clock: Clock, journal: Journal, listener: Listener) -> Self {
        Self { clock, journal, listener, timeline: Arc::default(), trouble: Arc::default(), requests: None }
    }

    /// The same, of a run whose requests are kept.
    #[must_use]
    pub fn keeping(self, requests: Option<Requests>) -> Self {
        Self { requests, ..self }
    }

    /// Where clients tell of their requests, where those are kept.
    pub fn requests(&self) -> Option<Requests> {
        self.requests.clone()
    }

    /// States what the record will tell.
    pub fn state(&self, fact: Fact) {
        self.say(Event::Fact(Box::new(fact)));
    }

    /// Says that something happened.
    pub fn say(&self, event: Event) {
        let stamped = Stamped { at_us: self.clock.now_us(), event };
        if let Err(error) = self.journal.append(&stamped) {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.get_or_insert_with(|| format!("the journal could not be written: {error}"));
        }
        if let Some((kind, text)) = stamped.event.for_timeline() {
            let entry = TimelineEntry { at_ms: stamped.at_us as f64 / 1e3, kind: kind.to_owned(), text };
            self.timeline.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        }
        (self.listener)(&stamped);
    }

    /// The timeline so far.
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What went wrong while events were stored, if anything did.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
