//! The history of the clients and the rows that survived fit together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evaluate, Evaluation};

/// The history of the clients and the rows that survived fit together: no refused write is present, none was never
/// sent, none is there twice. What was lost is for the RPO to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryCheck {
    /// Whether holes (a lost write older than a surviving one) are a finding.
    pub prefix_only: bool,
}

/// What history and survivors come to beside each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryAnswer {
    /// How many rows survived.
    pub rows: u64,
    /// How many requests there were.
    pub requests: u64,
    /// Rows of refused writes.
    pub phantom: u64,
    /// Rows that nobody sent.
    pub unexpected: u64,
    /// Rows that are there more than once.
    pub duplicated: u64,
    /// Lost writes that are older than a surviving one.
    pub holes: u64,
    /// SHA-256 of the tokens that survived, in their order, each followed by a newline.
    pub survivors: String,
}

impl Evaluate for HistoryCheck {
    type Answer = HistoryAnswer;

    fn evaluate(&self, answer: &HistoryAnswer) -> Evaluation {
        let HistoryAnswer { rows, requests, phantom, unexpected, duplicated, holes, .. } = answer;
        let counted = if self.prefix_only { *holes } else { 0 };
        let detail = format!(
            "{rows} rows against {requests} requests: {phantom} phantom, {unexpected} never sent, {duplicated} twice, {holes} holes"
        );
        Evaluation { deviations: phantom + unexpected + duplicated + counted, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_count_where_only_a_prefix_may_survive() {
        let answer = HistoryAnswer { phantom: 1, unexpected: 2, duplicated: 3, holes: 4, ..HistoryAnswer::default() };
        assert_eq!(HistoryCheck { prefix_only: true }.evaluate(&answer).deviations, 10);
        assert_eq!(HistoryCheck { prefix_only: false }.evaluate(&answer).deviations, 6);
        assert_eq!(HistoryCheck { prefix_only: true }.evaluate(&HistoryAnswer::default()).deviations, 0);
    }
}
