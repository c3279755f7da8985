//! Rows held against what is expected of them. Pure: no world, no clock.

use crate::{
    scenario::question::{AtLeast, AtMost, Contains, Expected, ExpectedKind, RowsAre, Value},
    world::Rows,
};

/// How an answer compares with what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// How many things deviate; none means that it is as expected.
    pub deviations: u64,
    /// What was found, in a few words.
    pub detail: String,
}

/// How many rows are named where there should be none.
const NAMED: usize = 3;

/// Holds the rows of one node against an expectation.
pub fn evaluate(expectation: &Expected, rows: &Rows) -> Evaluated {
    let (deviations, detail) = match &expectation.kind {
        ExpectedKind::RowsAre(RowsAre::None) => no_rows(rows),
        ExpectedKind::RowsAre(RowsAre::Some) if rows.is_empty() => (1, "no row, where there should be some".into()),
        ExpectedKind::RowsAre(RowsAre::Some) => (0, format!("{} rows", rows.len())),
        ExpectedKind::Value(Value(expected)) => value(expected, rows),
        ExpectedKind::AtLeast(AtLeast(least)) => {
            bounded(rows, "at least", *least, |number| least.saturating_sub(number))
        }
        ExpectedKind::AtMost(AtMost(most)) => bounded(rows, "at most", *most, |number| number.saturating_sub(*most)),
        ExpectedKind::Contains(Contains(texts)) => contains(texts, rows),
    };
    Evaluated { deviations, detail }
}

fn no_rows(rows: &Rows) -> (u64, String) {
    let keys = rows.iter().map(|row| row.first().and_then(Option::as_deref).unwrap_or("null"));
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
        ([_], Some(value)) => value.to_owned(),
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
fn contains(texts: &[String], rows: &Rows) -> (u64, String) {
    let holds = |text: &str| rows.iter().flatten().flatten().any(|cell| cell.contains(text));
    let lines = rows.iter().map(|row| row.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "));
    let said = lines.last().unwrap_or_else(|| "nothing".to_owned());
    let missing: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !holds(text)).collect();
    match missing.first() {
        None => (0, said),
        Some(first) => (missing.len() as u64, format!("the answer lacks `{first}`: {said}")),
    }
}

/// What an answer says of true and false; nothing where it says neither.
pub fn is_true(rows: &Rows) -> Option<bool> {
    let [row] = rows.as_slice() else { return None };
    let [Some(cell)] = row.as_slice() else { return None };
    match cell.as_str() {
        "t" | "true" | "1" => Some(true),
        "f" | "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Rows {
        rows.iter().map(|row| row.iter().map(|cell| Some((*cell).to_owned())).collect()).collect()
    }

    fn against(kind: impl Into<ExpectedKind>, of: &[&[&str]]) -> (u64, String) {
        let Evaluated { deviations, detail } = evaluate(&Expected { kind: kind.into() }, &rows(of));
        (deviations, detail)
    }

    #[test]
    fn every_row_counts_where_there_should_be_none() {
        assert_eq!(against(RowsAre::None, &[]).0, 0);
        assert_eq!(against(RowsAre::None, &[&["a"], &["b"]]), (2, "2 rows: a, b".into()));
        assert_eq!(against(RowsAre::None, &[&["a"], &["b"], &["c"], &["d"]]), (4, "4 rows: a, b, c, ...".into()));
    }

    #[test]
    fn nothing_at_all_never_passes_for_something() {
        for kind in [
            ExpectedKind::from(RowsAre::Some),
            Value("t".into()).into(),
            AtLeast(3).into(),
            AtMost(3).into(),
            Contains(vec!["up".into()]).into(),
        ] {
            assert!(against(kind.clone(), &[]).0 > 0, "{kind:?}");
        }
        assert_eq!(evaluate(&Expected { kind: Value("t".into()).into() }, &vec![vec![None]]).deviations, 1);
    }

    #[test]
    fn a_value_is_the_only_one() {
        assert_eq!(against(Value("t".into()), &[&["t"]]).0, 0);
        assert_eq!(against(Value("t".into()), &[&["f"]]), (1, "f, where t is expected".into()));
        assert_eq!(against(Value("t".into()), &[&["t"], &["t"]]), (1, "2 rows, where t is expected".into()));
    }

    #[test]
    fn a_number_deviates_by_what_it_lacks_or_has_too_many() {
        assert_eq!(against(AtLeast(3), &[&["1"]]).0, 2);
        assert_eq!(against(AtLeast(3), &[&["3"]]).0, 0);
        assert_eq!(against(AtMost(3), &[&["5"]]).0, 2);
        assert_eq!(against(AtMost(3), &[&["3"]]).0, 0);
        assert_eq!(against(AtLeast(3), &[&["no number"]]).0, 1);
        assert_eq!(against(AtLeast(i64::MAX), &[&[&i64::MIN.to_string()]]).0, i64::MAX as u64);
    }

    #[test]
    fn texts_may_stand_anywhere_and_the_last_line_is_what_is_told() {
        let printed: &[&[&str]] = &[&["INFO connected"], &["3 of 3"]];
        assert_eq!(against(Contains(vec!["connected".into(), "3 of".into()]), printed), (0, "3 of 3".into()));
        let lacking = against(Contains(vec!["4 of".into()]), printed);
        assert_eq!(lacking, (1, "the answer lacks `4 of`: 3 of 3".into()));
    }

    #[test]
    fn true_and_false_have_several_spellings_and_nothing_else_has_any() {
        assert_eq!(is_true(&rows(&[&["t"]])), Some(true));
        assert_eq!(is_true(&rows(&[&["0"]])), Some(false));
        for neither in [rows(&[]), rows(&[&["master"]]), rows(&[&["t"], &["t"]]), rows(&[&["t", "t"]])] {
            assert_eq!(is_true(&neither), None);
        }
    }
}
