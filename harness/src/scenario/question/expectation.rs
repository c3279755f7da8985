//! What the rows of an answer must be. How rows are validated stands in `harness/src/question/validate.rs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::validate::names::not_empty,
    Note, {kinds, one_of_kinds},
};

/// What every kind of expectation declares of itself.
pub trait Expects {
    /// It, in words that follow "gives".
    fn in_words(&self) -> String;

    /// What is wrong with it.
    fn notes(&self, _key: &str) -> Vec<Note> {
        Vec::new()
    }
}

kinds! {
    /// What the rows of an answer must be.
    ExpectedKind of Expects {
        /// Whether there are rows: `none`, where each row is a finding, or `some`.
        rows: RowsAre,
        /// The one value that the answer gives.
        value: Value,
        /// The least number that the one value may be.
        at_least: AtLeast,
        /// The greatest number that the one value may be.
        at_most: AtMost,
        /// Texts that must all stand somewhere in the answer.
        contains: Contains,
    }
}

one_of_kinds! {
    /// What the rows of an answer must be. Exactly one kind.
    "an expectation", Expected {}
    ExpectedKind {
        /// Whether there are rows: `none`, where each row is a finding, or `some`.
        rows: RowsAre,
        /// The one value that the answer gives.
        value: Value,
        /// The least number that the one value may be.
        at_least: AtLeast,
        /// The greatest number that the one value may be.
        at_most: AtMost,
        /// Texts that must all stand somewhere in the answer.
        contains: Contains,
    }
}

/// Whether an answer has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowsAre {
    /// It has none; each row is a finding.
    None,
    /// It has at least one.
    Some,
}

/// A value as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Value(pub String);

/// A number that is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AtLeast(pub i64);

/// A number that is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AtMost(pub i64);

/// Texts that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Contains(pub Vec<String>);

impl Expects for RowsAre {
    fn in_words(&self) -> String {
        let words = match self {
            Self::None => "no row",
            Self::Some => "a row",
        };
        words.to_owned()
    }
}

impl Expects for Value {
    fn in_words(&self) -> String {
        format!("`{}`", self.0)
    }
}

impl Expects for AtLeast {
    fn in_words(&self) -> String {
        format!("{} or more", self.0)
    }
}

impl Expects for AtMost {
    fn in_words(&self) -> String {
        format!("{} or less", self.0)
    }
}

impl Expects for Contains {
    fn in_words(&self) -> String {
        self.0.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" and ")
    }

    fn notes(&self, key: &str) -> Vec<Note> {
        let none = not_empty(key, self.0.is_empty(), "name the texts that must be there");
        let nothing = self.0.iter().position(String::is_empty);
        let empty = nothing.and_then(|index| not_empty(format!("{key}[{index}]"), true, "every answer contains it"));
        none.into_iter().chain(empty).collect()
    }
}
