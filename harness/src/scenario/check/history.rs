//! The history of the clients and the rows that survived fit together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Declares;
use crate::scenario::{System, validate::Note};

/// The history of the clients and the rows that survived fit together: no refused write is present, none was never
/// sent, none is there twice. What was lost is for the RPO to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryCheck {
    /// Whether holes (a lost write older than a surviving one) are a finding.
    pub prefix_only: bool,
}

impl Declares for HistoryCheck {
    fn notes(&self, _: &str, _: &System) -> Vec<Note> {
        Vec::new()
    }
}
