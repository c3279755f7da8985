//! A question and what its answer must be, at each node that it goes to.

use super::{ASK_WITHIN, Answer, Ask, Evaluation, Examiner, Turn, answered, as_lines, is_finding};
use crate::{
    question::{self, Evaluated, evaluate},
    scenario::{
        check::QuestionCheck,
        question::{Expected, On, Question},
    },
    world::{Result, Rows},
};

#[async_trait::async_trait]
impl Ask for QuestionCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let asker = examiner.asker();
        let (passed_over, asked) = examiner.without_those_left_down(&self.kind, asker.places(&self.kind).await?);
        if asked.is_empty() {
            // A check that found nobody to ask has not looked at anything.
            return Err(answered(format!("ask {}", passed_over.join(", ")), "no node was left to ask"));
        }
        let mut told = Vec::new();
        for question::Answer { node, rows } in asker.ask_each(&asked, &self.kind, ASK_WITHIN).await {
            told.push(match rows {
                Ok(rows) => (node, evaluate_or_answered(self.expect.as_ref(), &rows), as_lines(&rows)),
                Err(error) if is_finding(&error) => {
                    let detail = error.happened.clone();
                    (node, Evaluated { deviations: 1, detail: detail.clone() }, detail)
                }
                Err(error) => return Err(error),
            });
        }
        Ok(together(told, &passed_over).into())
    }
}

/// An answer is enough where nothing is expected of it.
fn evaluate_or_answered(expected: Option<&Expected>, rows: &Rows) -> Evaluated {
    match expected {
        Some(expected) => evaluate(expected, rows),
        None => Evaluated { deviations: 0, detail: last_line(rows) },
    }
}

/// The last line of an answer is what it has to say: programs log before it.
fn last_line(rows: &Rows) -> String {
    rows.last().map_or_else(|| "it answers".to_owned(), |row| as_lines(std::slice::from_ref(row)))
}

impl Examiner {
    /// Of the nodes that a question names one by one or all together, those that the drill left down, and the rest. One that is
    /// asked alone must answer.
    fn without_those_left_down(&self, question: &Question, places: Vec<String>) -> (Vec<String>, Vec<String>) {
        let is_alone = match question.declared().on() {
            Some(On::Every) => false,
            Some(On::Nodes(_)) => {
                matches!(question, Question::SqlQuestion(_) | Question::CommandQuestion(_)) && places.len() == 1
            }
            Some(On::Writer) | None => true,
        };
        places.into_iter().partition(|node| !is_alone && self.down.contains(node))
    }
}

/// What each node said, as one evaluation.
fn together(told: Vec<(String, Evaluated, String)>, passed_over: &[String]) -> Evaluation {
    let wrong: Vec<&(String, Evaluated, String)> = told.iter().filter(|(_, it, _)| it.deviations > 0).collect();
    let mut detail = match (told.as_slice(), wrong.first()) {
        ([(_, only, _)], _) => only.detail.clone(),
        (all, None) => format!("{} of {} answer as they must", all.len(), all.len()),
        (all, Some((node, it, _))) => format!("{node}: {} ({} of {} wrong)", it.detail, wrong.len(), all.len()),
    };
    if !passed_over.is_empty() {
        detail.push_str(&format!("; passed over, as the drill left them down: {}", passed_over.join(", ")));
    }
    let raw = match told.as_slice() {
        [(_, _, only)] => only.clone(),
        all => all.iter().map(|(node, _, raw)| format!("{node}: {raw}")).collect::<Vec<_>>().join("\n"),
    };
    Evaluation { deviations: told.iter().map(|(_, it, _)| it.deviations).sum(), detail, raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(node: &str, deviations: u64) -> (String, Evaluated, String) {
        (node.to_owned(), Evaluated { deviations, detail: format!("{deviations} rows") }, "raw".to_owned())
    }

    #[test]
    fn of_several_nodes_each_counts_and_those_passed_over_are_said_to_be() {
        let evaluation = together(vec![told("a", 0), told("b", 2)], &["c".to_owned()]);
        assert_eq!(evaluation.deviations, 2);
        assert_eq!(evaluation.detail, "b: 2 rows (1 of 2 wrong); passed over, as the drill left them down: c");
        assert_eq!(evaluation.raw, "a: raw\nb: raw");
        assert_eq!(together(vec![told("a", 0)], &[]).detail, "0 rows");
    }
}
