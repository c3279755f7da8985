//! Two questions give the same rows: two stores agree, key by key.

use std::collections::BTreeMap;

use super::{ASK_WITHIN, Answer, Ask, Evaluation, Examiner, Turn};
use crate::{
    scenario::{check::AgreementCheck, question::Asked},
    world::{Result, Rows},
};

/// How many keys of each kind of difference are named.
const NAMED: usize = 3;

#[async_trait::async_trait]
impl Ask for AgreementCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let asker = examiner.asker();
        let (left, right) = futures_util::future::try_join(
            asker.ask(&self.left.kind, ASK_WITHIN),
            asker.ask(&self.right.kind, ASK_WITHIN),
        )
        .await?;
        Ok(compare(&name_of(&self.left, "left"), &left, &name_of(&self.right, "right"), &right).into())
    }
}

/// What a side is called: its database, or the nodes that it names.
fn name_of(side: &Asked, otherwise: &str) -> String {
    let declared = side.kind.declared();
    let nodes = || declared.on().filter(|on| !on.nodes().is_empty()).map(ToString::to_string);
    declared.database().map(str::to_owned).or_else(nodes).unwrap_or_else(|| otherwise.to_owned())
}

type Keyed<'a> = BTreeMap<&'a str, &'a [Option<String>]>;

/// The rows by their first column. A key that stands there twice makes the comparison meaningless, so it counts too.
fn keyed(rows: &Rows) -> (Keyed<'_>, Vec<&str>) {
    let mut keyed = Keyed::new();
    let mut twice = Vec::new();
    for row in rows {
        let Some((key, rest)) = row.split_first() else { continue };
        let key = key.as_deref().unwrap_or("null");
        if keyed.insert(key, rest).is_some() {
            twice.push(key);
        }
    }
    (keyed, twice)
}

pub(super) fn compare(left_name: &str, left: &Rows, right_name: &str, right: &Rows) -> Evaluation {
    let ((left, left_twice), (right, right_twice)) = (keyed(left), keyed(right));
    let only_left: Vec<&str> = left.keys().filter(|key| !right.contains_key(*key)).copied().collect();
    let only_right: Vec<&str> = right.keys().filter(|key| !left.contains_key(*key)).copied().collect();
    let differ: Vec<&str> = left
        .iter()
        .filter(|(key, row)| right.get(*key).is_some_and(|other| other != *row))
        .map(|(key, _)| *key)
        .collect();
    let kinds = [
        (format!("only in {left_name}"), only_left),
        (format!("only in {right_name}"), only_right),
        ("differ".to_owned(), differ),
        (format!("twice in {left_name}"), left_twice),
        (format!("twice in {right_name}"), right_twice),
    ];
    let deviations = kinds.iter().map(|(_, keys)| keys.len() as u64).sum();
    let found: Vec<String> =
        kinds.iter().filter(|(_, keys)| !keys.is_empty()).map(|(what, keys)| describe(what, keys)).collect();
    let detail = if found.is_empty() {
        format!("{} rows of {left_name} and {right_name} agree", left.len())
    } else {
        found.join("; ")
    };
    let raw = kinds.iter().map(|(what, keys)| format!("{what}: {}", keys.join(" "))).collect::<Vec<_>>().join("\n");
    Evaluation { deviations, detail, raw }
}

fn describe(what: &str, keys: &[&str]) -> String {
    let more = if keys.len() > NAMED { " ..." } else { "" };
    format!("{} {what} ({}{more})", keys.len(), keys.iter().take(NAMED).copied().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, &str)]) -> Rows {
        rows.iter().map(|(key, state)| vec![Some((*key).to_owned()), Some((*state).to_owned())]).collect()
    }

    #[test]
    fn every_kind_of_difference_counts() {
        let left = rows(&[("a", "done"), ("b", "open"), ("c", "open")]);
        let right = rows(&[("a", "done"), ("b", "done"), ("d", "open"), ("d", "open")]);
        let evaluation = compare("orders", &left, "monitor", &right);
        assert_eq!(evaluation.deviations, 4);
        assert_eq!(
            evaluation.detail,
            "1 only in orders (c); 1 only in monitor (d); 1 differ (b); 1 twice in monitor (d)"
        );
    }

    #[test]
    fn equal_stores_agree() {
        let both = rows(&[("a", "done")]);
        assert_eq!(compare("orders", &both, "monitor", &both).deviations, 0);
    }
}
