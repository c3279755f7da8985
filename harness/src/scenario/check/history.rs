//! The history of the clients and the rows that survived fit together.

pub use blackstart_evidence::checks::HistoryCheck;

use super::Declares;
use crate::scenario::{System, validate::Note};

impl Declares for HistoryCheck {
    fn notes(&self, _: &str, _: &System) -> Vec<Note> {
        Vec::new()
    }
}
