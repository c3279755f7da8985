//! Two servers hold the same rows: a check that compares them by their hashes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Differences, Evaluate, Evaluation};

/// Two servers hold the same rows: each server hashes its own, and only the hashes are compared. Tables that differ are
/// looked into until the keys of rows are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentHashCheck {
    /// The server whose tables are listed.
    pub left: ContentSide,
    /// The server that is held against it.
    pub right: ContentSide,
    /// The tables, as the database itself writes their names; every table where nothing is said.
    #[serde(default)]
    pub tables: Vec<String>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentSide {
    /// The node that is asked, `writer`, or, on the right, `replicas` for every server that follows the writer; those that
    /// the drill left down are passed over.
    pub on: String,
    /// The database, by the name given under `databases`.
    pub database: String,
}

/// What the servers hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentHashAnswer {
    /// The server whose tables were listed.
    pub left: String,
    /// The servers that were held against it.
    pub right: Vec<Replica>,
    /// Those that should have answered and did not, with the reason.
    pub silent: Vec<String>,
}

/// A server, table by table beside the one on the left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// Its node.
    pub node: String,
    /// The tables, by their names.
    pub tables: BTreeMap<String, TableOfTwo>,
}

/// A table on both servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOfTwo {
    /// What it holds on the left, where that was told.
    pub left: Option<Content>,
    /// What it holds on the right, where that was told.
    pub right: Option<Content>,
    /// What was found where the two differ.
    pub look: Option<Look>,
}

/// What a table holds: how many rows, and the sum of their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How many rows.
    pub rows: u64,
    /// The sum of their hashes.
    pub sum: String,
}

/// A look into a table that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// A moment later the two did not differ any more.
    Gone,
    /// The rows by which they differ.
    Rows {
        /// Their keys.
        keys: Differences,
        /// Whether there are more that were not looked into.
        has_more: bool,
    },
}

impl TableOfTwo {
    /// Whether both servers hold the same.
    pub fn is_alike(&self) -> bool {
        self.left.is_some() && self.left == self.right
    }
}

impl Replica {
    /// What is wrong with it, or in one line what is well.
    fn evaluate(&self, left: &str) -> Evaluation {
        let differs = self.tables.iter().filter(|(_, table)| !table.is_alike());
        let wrong: Vec<Evaluation> = differs.map(|(name, table)| self.wrong_with(left, name, table)).collect();
        if !wrong.is_empty() {
            return together(&wrong);
        }
        if self.tables.is_empty() {
            return Evaluation { deviations: 1, detail: format!("no table was compared with {}", self.node) };
        }
        let rows: u64 = self.tables.values().filter_map(|table| table.left.as_ref()).map(|held| held.rows).sum();
        let count = self.tables.len();
        let detail = format!("{rows} rows of {count} tables are the same on {left} and {}", self.node);
        Evaluation { deviations: 0, detail }
    }

    fn wrong_with(&self, left: &str, name: &str, table: &TableOfTwo) -> Evaluation {
        let (deviations, found) = match &table.look {
            // One server was behind the other. Whoever asks again will see whether it is still.
            Some(Look::Gone) => (1, "differed, and a moment later did not".to_owned()),
            // These, too, may have become the same meanwhile.
            Some(Look::Rows { keys, has_more }) => {
                let more = if *has_more { ", and there are more" } else { "" };
                (keys.count().max(1), format!("{}{more}", keys.words(left, &self.node)))
            }
            None => (1, format!("differs on {left} and {}", self.node)),
        };
        Evaluation { deviations, detail: format!("{name}: {found}") }
    }
}

fn together(findings: &[Evaluation]) -> Evaluation {
    let deviations = findings.iter().map(|evaluation| evaluation.deviations).sum();
    // What is well says nothing where something is not.
    let told = findings.iter().filter(|evaluation| deviations == 0 || evaluation.deviations > 0);
    let details: Vec<&str> = told.map(|evaluation| evaluation.detail.as_str()).collect();
    Evaluation { deviations, detail: details.join("; ") }
}

impl Evaluate for ContentHashCheck {
    type Answer = ContentHashAnswer;

    fn evaluate(&self, answer: &ContentHashAnswer) -> Evaluation {
        let ContentHashAnswer { left, right, silent } = answer;
        // A server that should answer and does not may hold anything.
        if !silent.is_empty() {
            return Evaluation {
                deviations: silent.len() as u64,
                detail: format!("no answer from {}", silent.join(", ")),
            };
        }
        if right.is_empty() {
            return Evaluation { deviations: 1, detail: format!("no server was held against {left}") };
        }
        let missing = self.tables.iter().find(|name| !right.iter().all(|replica| replica.tables.contains_key(*name)));
        if let Some(name) = missing {
            return Evaluation { deviations: 1, detail: format!("{name} was not compared") };
        }
        together(&right.iter().map(|replica| replica.evaluate(left)).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(left: u64, right: u64, look: Option<Look>) -> TableOfTwo {
        let content = |rows: u64| Some(Content { rows, sum: rows.to_string() });
        TableOfTwo { left: content(left), right: content(right), look }
    }

    fn replica(node: &str, tables: &[(&str, TableOfTwo)]) -> Replica {
        let tables = tables.iter().map(|(name, table)| ((*name).to_owned(), table.clone())).collect();
        Replica { node: node.to_owned(), tables }
    }

    fn evaluated(right: Vec<Replica>, silent: &[&str], tables: &[&str]) -> (u64, String) {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let side = |on: &str| ContentSide { on: on.to_owned(), database: "orders".to_owned() };
        let check = ContentHashCheck { left: side("writer"), right: side("replicas"), tables: texts(tables) };
        let answer = ContentHashAnswer { left: "db-a".to_owned(), right, silent: texts(silent) };
        let Evaluation { deviations, detail } = check.evaluate(&answer);
        (deviations, detail)
    }

    #[test]
    fn what_is_wrong_on_one_server_is_not_covered_by_what_is_well_on_another() {
        let keys = Differences { differ: vec!["7".to_owned(), "8".to_owned()], ..Differences::default() };
        let differs = table(3, 4, Some(Look::Rows { keys, has_more: true }));
        let (well, ill) = (replica("db-b", &[("orders", table(3, 3, None))]), replica("db-c", &[("orders", differs)]));
        let said = "orders: 2 differ (7, 8), and there are more";
        assert_eq!(evaluated(vec![well.clone(), ill], &[], &[]), (2, said.to_owned()));
        assert_eq!(evaluated(vec![well], &[], &[]), (0, "3 rows of 1 tables are the same on db-a and db-b".to_owned()));
    }

    #[test]
    fn a_table_whose_difference_nobody_can_name_any_more_deviates_all_the_same() {
        for look in [None, Some(Look::Gone), Some(Look::Rows { keys: Differences::default(), has_more: false })] {
            assert_eq!(evaluated(vec![replica("db-b", &[("orders", table(3, 4, look))])], &[], &[]).0, 1);
        }
        let untold = TableOfTwo { left: None, right: None, look: None };
        assert_eq!(evaluated(vec![replica("db-b", &[("orders", untold)])], &[], &[]).0, 1);
    }

    #[test]
    fn whoever_compared_nothing_has_not_passed() {
        let one = || vec![replica("db-b", &[("orders", table(3, 3, None))])];
        assert_eq!(evaluated(one(), &["db-c (no answer)"], &[]).0, 1);
        assert_eq!(evaluated(one(), &[], &["queue"]).0, 1);
        assert_eq!(evaluated(Vec::new(), &[], &[]).0, 1);
        assert_eq!(evaluated(vec![replica("db-b", &[])], &[], &[]).0, 1);
    }
}
