//! What the rows of an answer must be, and rows held against it.

use std::borrow::Cow;

use blackstart_reports::safe::shorten;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Evaluation;

/// The rows of an answer, as text; `None` for null.
pub type Rows = Vec<Vec<Option<String>>>;

/// How many rows are named where there should be none.
const NAMED: usize = 3;

/// How many letters of an answer are told in a line: it may be a whole document.
const TOLD: usize = 100;

/// What the rows of an answer must be. Exactly one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Whether there are rows.
    Rows(RowsAre),
    /// The one value that the answer gives.
    Value(String),
    /// The least number that the one value may be.
    AtLeast(i64),
    /// The greatest number that the one value may be.
    AtMost(i64),
    /// Texts that must all stand somewhere in the answer.
    Contains(Vec<String>),
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

impl JsonSchema for Expected {
    fn schema_name() -> Cow<'static, str> {
        "Expected".into()
    }

    /// One mapping with all keys, of which exactly one must be there: a reader that knows lines can say more about that than about
    /// five alternatives.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rows = generator.subschema_for::<RowsAre>();
        json_schema!({
            "title": "an expectation",
            "description": "What the rows of an answer must be. Exactly one kind.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "rows": rows,
                "value": { "type": "string", "description": "The one value that the answer gives." },
                "at_least": {
                    "type": "integer", "format": "int64",
                    "description": "The least number that the one value may be.",
                },
                "at_most": {
                    "type": "integer", "format": "int64",
                    "description": "The greatest number that the one value may be.",
                },
                "contains": {
                    "type": "array", "items": { "type": "string" },
                    "description": "Texts that must all stand somewhere in the answer.",
                },
            },
            "oneOf": [
                { "required": ["rows"] },
                { "required": ["value"] },
                { "required": ["at_least"] },
                { "required": ["at_most"] },
                { "required": ["contains"] },
            ],
        })
    }
}

impl Expected {
    /// It, in words that follow "gives".
    pub fn in_words(&self) -> String {
        match self {
            Self::Rows(RowsAre::None) => "no row".to_owned(),
            Self::Rows(RowsAre::Some) => "a row".to_owned(),
            Self::Value(value) => format!("`{value}`"),
            Self::AtLeast(least) => format!("{least} or more"),
            Self::AtMost(most) => format!("{most} or less"),
            Self::Contains(texts) => texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" and "),
        }
    }

    /// Whether the rows are as expected.
    pub fn holds(&self, rows: &Rows) -> bool {
        self.evaluate(rows).deviations == 0
    }

    /// Holds the rows of one node against it.
    pub fn evaluate(&self, rows: &Rows) -> Evaluation {
        let (deviations, detail) = match self {
            Self::Rows(RowsAre::None) => no_rows(rows),
            Self::Rows(RowsAre::Some) if rows.is_empty() => (1, "no row, where there should be some".to_owned()),
            Self::Rows(RowsAre::Some) => (0, format!("{} rows", rows.len())),
            Self::Value(expected) => value(expected, rows),
            Self::AtLeast(least) => bounded(rows, "at least", *least, |number| least.saturating_sub(number)),
            Self::AtMost(most) => bounded(rows, "at most", *most, |number| number.saturating_sub(*most)),
            Self::Contains(texts) => contains(texts, rows),
        };
        Evaluation { deviations, detail }
    }
}

fn no_rows(rows: &Rows) -> (u64, String) {
    let keys = rows.iter().map(|row| shorten(row.first().and_then(Option::as_deref).unwrap_or("null"), TOLD));
    let named = keys.take(NAMED).collect::<Vec<_>>().join(", ");
    match rows.len() {
        0 => (0, "no row, as it must be".to_owned()),
        count if count <= NAMED => (count as u64, format!("{count} rows: {named}")),
        count => (count as u64, format!("{count} rows: {named}, ...")),
    }
}

/// The one value of an answer; nothing where it has none, or more than one.
fn only(rows: &Rows) -> Option<&str> {
    match rows.as_slice() {
        [row] => row.first().and_then(Option::as_deref),
        _ => None,
    }
}

fn found(rows: &Rows) -> String {
    match (rows.as_slice(), only(rows)) {
        ([], _) => "nothing".to_owned(),
        ([_], Some(value)) => shorten(value, TOLD),
        ([_], None) => "null".to_owned(),
        (several, _) => format!("{} rows", several.len()),
    }
}

fn value(expected: &str, rows: &Rows) -> (u64, String) {
    let found = found(rows);
    match only(rows) == Some(expected) {
        true => (0, found),
        false => (1, format!("{found}, where {expected} is expected")),
    }
}

fn bounded(rows: &Rows, words: &str, bound: i64, beyond: impl Fn(i64) -> i64) -> (u64, String) {
    let found = found(rows);
    match only(rows).and_then(|value| value.trim().parse().ok()).map(beyond) {
        Some(beyond) if beyond <= 0 => (0, found),
        Some(beyond) => (beyond.unsigned_abs(), format!("{found}, where {words} {bound} is expected")),
        None => (1, format!("{found}, where {words} {bound} is expected")),
    }
}

/// The last line of an answer is what it has to say: programs log before it.
pub(super) fn last_line(rows: &Rows) -> Option<String> {
    let line = |row: &Vec<Option<String>>| {
        row.iter().map(|cell| cell.as_deref().unwrap_or("null")).collect::<Vec<_>>().join(" ")
    };
    rows.last().map(|row| shorten(&line(row), TOLD))
}

fn contains(texts: &[String], rows: &Rows) -> (u64, String) {
    let holds = |text: &str| rows.iter().flatten().flatten().any(|cell| cell.contains(text));
    let said = last_line(rows).unwrap_or_else(|| "nothing".to_owned());
    let missing: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !holds(text)).collect();
    match missing.first() {
        None => (0, "it has what it must".to_owned()),
        Some(first) => (missing.len() as u64, format!("the answer lacks `{first}`: {said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Rows {
        rows.iter().map(|row| row.iter().map(|cell| Some((*cell).to_owned())).collect()).collect()
    }

    fn against(expected: &Expected, of: &[&[&str]]) -> (u64, String) {
        let Evaluation { deviations, detail } = expected.evaluate(&rows(of));
        (deviations, detail)
    }

    #[test]
    fn every_row_counts_where_there_should_be_none() {
        let none = Expected::Rows(RowsAre::None);
        assert_eq!(against(&none, &[]).0, 0);
        assert_eq!(against(&none, &[&["a"], &["b"]]), (2, "2 rows: a, b".into()));
        assert_eq!(against(&none, &[&["a"], &["b"], &["c"], &["d"]]), (4, "4 rows: a, b, c, ...".into()));
    }

    #[test]
    fn nothing_at_all_never_passes_for_something() {
        for expected in [
            Expected::Rows(RowsAre::Some),
            Expected::Value("t".into()),
            Expected::AtLeast(3),
            Expected::AtMost(3),
            Expected::Contains(vec!["up".into()]),
        ] {
            assert!(!expected.holds(&Rows::new()), "{expected:?}");
        }
        assert!(!Expected::Value("t".into()).holds(&vec![vec![None]]));
    }

    #[test]
    fn a_value_is_the_only_one() {
        let value = Expected::Value("t".into());
        assert_eq!(against(&value, &[&["t"]]).0, 0);
        assert_eq!(against(&value, &[&["f"]]), (1, "f, where t is expected".into()));
        assert_eq!(against(&value, &[&["t"], &["t"]]), (1, "2 rows, where t is expected".into()));
    }

    #[test]
    fn a_number_deviates_by_what_it_lacks_or_has_too_many() {
        assert_eq!(against(&Expected::AtLeast(3), &[&["1"]]).0, 2);
        assert_eq!(against(&Expected::AtLeast(3), &[&["3"]]).0, 0);
        assert_eq!(against(&Expected::AtMost(3), &[&["5"]]).0, 2);
        assert_eq!(against(&Expected::AtMost(3), &[&["3"]]).0, 0);
        assert_eq!(against(&Expected::AtLeast(3), &[&["no number"]]).0, 1);
        assert_eq!(against(&Expected::AtLeast(i64::MAX), &[&[&i64::MIN.to_string()]]).0, i64::MAX as u64);
    }

    #[test]
    fn texts_may_stand_anywhere_and_the_last_line_is_what_is_told() {
        let printed: &[&[&str]] = &[&["INFO connected"], &["3 of 3"]];
        let texts = |all: &[&str]| Expected::Contains(all.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(against(&texts(&["connected", "3 of"]), printed), (0, "it has what it must".into()));
        assert_eq!(against(&texts(&["4 of"]), printed), (1, "the answer lacks `4 of`: 3 of 3".into()));
    }

    #[test]
    fn of_a_whole_document_a_line_tells_the_beginning() {
        let document = "é".repeat(1_000_000);
        for expected in
            [Expected::Value("t".into()), Expected::Rows(RowsAre::None), Expected::Contains(vec!["x".into()])]
        {
            let (deviations, told) = against(&expected, &[&[&document]]);
            assert!(deviations == 1 && told.contains("éé…") && told.len() < 1000, "{told}");
        }
    }

    #[test]
    fn exactly_one_kind_is_written() {
        let read = |text: &str| serde_saphyr::from_str::<Expected>(text);
        assert_eq!(read("{value: '1'}").unwrap(), Expected::Value("1".into()));
        assert_eq!(read("{rows: none}").unwrap(), Expected::Rows(RowsAre::None));
        assert!(read("{value: '1', rows: none}").is_err());
        assert!(read("{}").is_err());
    }
}
