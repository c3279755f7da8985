//! A question and what its answer must be, at each node that it goes to.

use serde::{Deserialize, Serialize};

use super::{
    Evaluate, Evaluation,
    expected::{Expected, Rows, last_line},
    on::On,
};

/// A question, as far as its status depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct QuestionCheck {
    /// What the rows must be; an answer is enough where nothing is said.
    pub expect: Option<Expected>,
    #[serde(default)]
    sql: Option<Place>,
    #[serde(default)]
    http: Option<Place>,
    #[serde(default)]
    command: Option<Place>,
}

/// Where a question goes, and of which database it speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Place {
    #[serde(default)]
    on: Option<On>,
    #[serde(default)]
    database: Option<String>,
}

/// What a question is called: its database, or the nodes that it names.
pub fn name_of(database: Option<&str>, on: Option<&On>) -> Option<String> {
    let nodes = || on.filter(|on| !on.nodes().is_empty()).map(ToString::to_string);
    database.map(str::to_owned).or_else(nodes)
}

/// What nodes answered to a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// Each node that was asked.
    pub asked: Vec<Told>,
    /// The nodes that the drill had left down.
    pub passed_over: Vec<String>,
}

/// What a node answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The node.
    pub node: String,
    /// Its rows; nothing where it refused, or was silent.
    pub rows: Option<Rows>,
    /// Why there are no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl QuestionCheck {
    /// A question of which only the rows matter.
    pub fn expecting(expected: Expected) -> Self {
        Self { expect: Some(expected), ..Self::default() }
    }

    fn place(&self) -> Option<&Place> {
        self.sql.as_ref().or(self.http.as_ref()).or(self.command.as_ref())
    }

    /// What it is called beside another.
    pub(super) fn name(&self) -> Option<String> {
        self.place().and_then(|place| name_of(place.database.as_deref(), place.on.as_ref()))
    }
}

impl Evaluate for QuestionCheck {
    type Answer = QuestionAnswer;

    fn evaluate(&self, answer: &QuestionAnswer) -> Evaluation {
        answer.evaluate(self.expect.as_ref(), self.place().and_then(|place| place.on.as_ref()))
    }
}

impl QuestionAnswer {
    /// Holds what each node answered against what is expected. Each node that the place names must be told.
    pub fn evaluate(&self, expected: Option<&Expected>, on: Option<&On>) -> Evaluation {
        let is_told = |node: &&str| {
            self.passed_over.iter().chain(self.asked.iter().map(|told| &told.node)).any(|told| told == node)
        };
        let unasked = on
            .iter()
            .flat_map(|on| on.nodes())
            .filter(|node| !is_told(node))
            .map(|node| (node, Evaluation { deviations: 1, detail: "was not asked".to_owned() }));
        let all: Vec<(&str, Evaluation)> =
            self.asked.iter().map(|told| (told.node.as_str(), told.evaluate(expected))).chain(unasked).collect();
        let wrong: Vec<&(&str, Evaluation)> = all.iter().filter(|(_, it)| it.deviations > 0).collect();
        let mut detail = match (all.as_slice(), wrong.first()) {
            // A check that found nobody to ask has not looked at anything.
            ([], _) => return Evaluation { deviations: 1, detail: "no node was left to ask".to_owned() },
            ([(node, only)], _) => format!("{node}: {}", only.detail),
            (all, None) => format!("{} of {} answer as they must", all.len(), all.len()),
            (all, Some((node, it))) => format!("{node}: {} ({} of {} wrong)", it.detail, wrong.len(), all.len()),
        };
        if !self.passed_over.is_empty() {
            detail.push_str(&format!("; passed over, as the drill left them down: {}", self.passed_over.join(", ")));
        }
        Evaluation { deviations: all.iter().map(|(_, it)| it.deviations).sum(), detail }
    }
}

impl Told {
    fn evaluate(&self, expected: Option<&Expected>) -> Evaluation {
        match (&self.rows, expected) {
            (None, _) => {
                Evaluation { deviations: 1, detail: self.why.clone().unwrap_or_else(|| "no answer".to_owned()) }
            }
            (Some(rows), Some(expected)) => expected.evaluate(rows),
            (Some(rows), None) => {
                Evaluation { deviations: 0, detail: last_line(rows).unwrap_or_else(|| "it answers".to_owned()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(node: &str, value: Option<&str>) -> Told {
        let rows = value.map(|value| vec![vec![Some(value.to_owned())]]);
        let why = value.is_none().then(|| "refused".to_owned());
        Told { node: node.to_owned(), rows, why }
    }

    fn evaluated(declared: &str, asked: Vec<Told>, passed_over: &[&str]) -> (u64, String) {
        let check: QuestionCheck = serde_saphyr::from_str(declared).unwrap();
        let passed_over = passed_over.iter().map(|node| (*node).to_owned()).collect();
        let Evaluation { deviations, detail } = check.evaluate(&QuestionAnswer { asked, passed_over });
        (deviations, detail)
    }

    #[test]
    fn every_node_must_answer_as_expected_and_be_asked() {
        let of_two = "{http: {on: [a, b]}, expect: {value: ok}}";
        let good = |node| told(node, Some("ok"));
        assert_eq!(evaluated(of_two, vec![good("a"), good("b")], &[]), (0, "2 of 2 answer as they must".into()));
        let wrong = evaluated(of_two, vec![good("a"), told("b", Some("no"))], &[]);
        assert_eq!(wrong, (1, "b: no, where ok is expected (1 of 2 wrong)".into()));
        assert_eq!(evaluated(of_two, vec![good("a"), told("b", None)], &[]).1, "b: refused (1 of 2 wrong)");
        assert_eq!(evaluated(of_two, vec![good("a")], &[]).1, "b: was not asked (1 of 2 wrong)");
        let passed_over = "a: ok; passed over, as the drill left them down: b";
        assert_eq!(evaluated(of_two, vec![good("a")], &["b"]), (0, passed_over.into()));
        assert_eq!(evaluated(of_two, Vec::new(), &["a", "b"]).0, 1, "nobody was asked");
    }

    #[test]
    fn an_answer_is_enough_where_nothing_is_expected_of_it_and_none_is_not() {
        assert_eq!(evaluated("{command: {on: db}}", vec![told("db", Some("3 of 3"))], &[]), (0, "db: 3 of 3".into()));
        assert_eq!(evaluated("{command: {on: db}}", vec![told("db", None)], &[]), (1, "db: refused".into()));
    }

    #[test]
    fn a_place_is_called_by_its_database_or_its_nodes() {
        let name = |text: &str| serde_saphyr::from_str::<QuestionCheck>(text).unwrap().name();
        assert_eq!(name("{sql: {on: writer, database: orders}}").as_deref(), Some("orders"));
        assert_eq!(name("{http: {on: [index, other]}}").as_deref(), Some("index, other"));
        assert_eq!(name("{command: {on: writer}}"), None);
    }
}
