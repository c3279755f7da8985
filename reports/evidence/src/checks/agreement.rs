//! Two questions give the same rows: two stores agree, key by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Evaluate, Evaluation, QuestionCheck};
use crate::manifest::digest_of;

/// How many keys of each kind of difference are named.
const NAMED: usize = 3;

/// Two questions give the same rows, as far as the words of its status depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct AgreementCheck {
    /// One side.
    pub left: QuestionCheck,
    /// The other side.
    pub right: QuestionCheck,
}

/// What two queries gave: of each side how much and its digest, and the keys by which they differ. What else is in the rows
/// stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementAnswer {
    /// One side.
    pub left: Side,
    /// The other side.
    pub right: Side,
    /// Where they differ.
    pub differences: Differences,
}

/// How much a query gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// How many keys.
    pub keys: u64,
    /// SHA-256 of its rows in the order of their keys.
    pub digest: String,
}

/// The keys by which two sets of rows differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// They are on the left alone.
    pub only_left: Vec<String>,
    /// They are on the right alone.
    pub only_right: Vec<String>,
    /// They are on both sides, with other values.
    pub differ: Vec<String>,
    /// They are on the left several times.
    pub twice_left: Vec<String>,
    /// They are on the right several times.
    pub twice_right: Vec<String>,
}

impl Differences {
    /// How many there are.
    pub fn count(&self) -> u64 {
        let Self { only_left, only_right, differ, twice_left, twice_right } = self;
        [only_left, only_right, differ, twice_left, twice_right].iter().map(|keys| keys.len() as u64).sum()
    }

    /// Each kind with the first of its keys, in one line.
    pub fn words(&self, left: &str, right: &str) -> String {
        let kinds = [
            (format!("only in {left}"), &self.only_left),
            (format!("only in {right}"), &self.only_right),
            ("differ".to_owned(), &self.differ),
            (format!("twice in {left}"), &self.twice_left),
            (format!("twice in {right}"), &self.twice_right),
        ];
        let told = kinds.iter().filter(|(_, keys)| !keys.is_empty());
        told.map(|(what, keys)| describe(what, keys)).collect::<Vec<_>>().join("; ")
    }
}

fn describe(what: &str, keys: &[String]) -> String {
    let more = if keys.len() > NAMED { " ..." } else { "" };
    format!("{} {what} ({}{more})", keys.len(), keys.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

type Rows = [Vec<Option<String>>];
type Keyed<'a> = BTreeMap<&'a str, &'a [Option<String>]>;

/// The rows by their first column. A key that stands there twice makes the comparison meaningless, so it counts too.
fn keyed(rows: &Rows) -> (Keyed<'_>, Vec<String>) {
    let mut keyed = Keyed::new();
    let mut twice = Vec::new();
    for row in rows {
        let Some((key, rest)) = row.split_first() else { continue };
        let key = key.as_deref().unwrap_or("null");
        if keyed.insert(key, rest).is_some() {
            twice.push(key.to_owned());
        }
    }
    (keyed, twice)
}

fn side(keyed: &Keyed<'_>) -> Side {
    // Texts and nothing else are written, which cannot fail.
    Side { keys: keyed.len() as u64, digest: digest_of(&serde_json::to_string(keyed).unwrap_or_default()) }
}

/// Holds two sets of rows against each other.
pub fn compare(left: &Rows, right: &Rows) -> AgreementAnswer {
    let ((left, twice_left), (right, twice_right)) = (keyed(left), keyed(right));
    let alone = |these: &Keyed<'_>, those: &Keyed<'_>| {
        these.keys().filter(|key| !those.contains_key(*key)).map(|key| (*key).to_owned()).collect()
    };
    let other = left.iter().filter(|(key, row)| right.get(*key).is_some_and(|other| other != *row));
    let differ = other.map(|(key, _)| (*key).to_owned()).collect();
    let (only_left, only_right) = (alone(&left, &right), alone(&right, &left));
    let differences = Differences { only_left, only_right, differ, twice_left, twice_right };
    AgreementAnswer { left: side(&left), right: side(&right), differences }
}

impl Evaluate for AgreementCheck {
    type Answer = AgreementAnswer;

    fn evaluate(&self, answer: &AgreementAnswer) -> Evaluation {
        answer.evaluate(self.left.name(), self.right.name())
    }
}

impl AgreementAnswer {
    /// What it amounts to, where its sides are called so.
    pub fn evaluate(&self, left: Option<String>, right: Option<String>) -> Evaluation {
        let (left, right) = (&left.unwrap_or_else(|| "left".to_owned()), &right.unwrap_or_else(|| "right".to_owned()));
        let (deviations, detail) = match self.differences.count() {
            0 if self.left == self.right => (0, format!("{} rows of {left} and {right} agree", self.left.keys)),
            0 => (1, format!("{left} and {right} have other rows, by their digests")),
            some => (some, self.differences.words(left, right)),
        };
        Evaluation { deviations, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, &str)]) -> Vec<Vec<Option<String>>> {
        rows.iter().map(|(key, state)| vec![Some((*key).to_owned()), Some((*state).to_owned())]).collect()
    }

    fn evaluated(answer: &AgreementAnswer) -> (u64, String) {
        let declared = "{left: {sql: {database: orders}}, right: {sql: {on: writer, database: monitor}}}";
        let check: AgreementCheck = serde_saphyr::from_str(declared).unwrap();
        let Evaluation { deviations, detail } = check.evaluate(answer);
        (deviations, detail)
    }

    #[test]
    fn every_kind_of_difference_counts() {
        let left = rows(&[("a", "done"), ("b", "open"), ("c", "open")]);
        let right = rows(&[("a", "done"), ("b", "done"), ("d", "open"), ("d", "open")]);
        let said = "1 only in orders (c); 1 only in monitor (d); 1 differ (b); 1 twice in monitor (d)";
        assert_eq!(evaluated(&compare(&left, &right)), (4, said.to_owned()));
    }

    #[test]
    fn equal_stores_agree_in_whatever_order_they_answer() {
        let (one, other) = (rows(&[("a", "done"), ("b", "open")]), rows(&[("b", "open"), ("a", "done")]));
        assert_eq!(evaluated(&compare(&one, &other)), (0, "2 rows of orders and monitor agree".to_owned()));
    }

    #[test]
    fn differences_that_are_struck_out_of_an_answer_leave_other_digests() {
        let (left, right) = (rows(&[("a", "done")]), rows(&[("a", "open")]));
        let struck_out = AgreementAnswer { differences: Differences::default(), ..compare(&left, &right) };
        assert_eq!(evaluated(&struck_out).0, 1);
    }
}
