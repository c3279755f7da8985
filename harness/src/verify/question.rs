//! A question, at each node that it goes to.

use blackstart_evidence::checks::{Evaluate, Evaluation, QuestionAnswer, Told};

use super::{ASK_WITHIN, Ask, Asked, Examiner, Turn, is_finding};
use crate::{
    question::Answer,
    scenario::{
        check::QuestionCheck,
        question::{On, Question},
    },
    world::{Result, Rows},
};

impl Evaluate for QuestionCheck {
    type Answer = QuestionAnswer;

    fn evaluate(&self, answer: &QuestionAnswer) -> Evaluation {
        answer.evaluate(self.expect.as_ref(), self.kind.declared().on())
    }
}

#[async_trait::async_trait]
impl Ask for QuestionCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Asked> {
        let asker = examiner.asker();
        let (passed_over, asked) = examiner.without_those_left_down(&self.kind, asker.places(&self.kind).await?);
        let answers = asker.ask_each(&asked, &self.kind, ASK_WITHIN).await;
        let asked = answers.into_iter().map(told).collect::<Result<Vec<Told>>>()?;
        Ok(Asked::evaluated(self, QuestionAnswer { asked, passed_over }))
    }
}

/// The most bytes of an answer to a check: all of it is kept, as an audit evaluates it again.
const MOST_KEPT: usize = 4 << 20;

/// What a node answered. That it refused, or was silent, is an answer too; only what is wrong with us is an error.
fn told(Answer { node, rows }: Answer) -> Result<Told> {
    match rows {
        Ok(rows) if bytes_of(&rows) > MOST_KEPT => {
            let why =
                format!("its answer has {} bytes, and at most {MOST_KEPT} are kept: ask for less", bytes_of(&rows));
            Ok(Told { node, rows: None, why: Some(why) })
        }
        Ok(rows) => Ok(Told { node, rows: Some(rows), why: None }),
        Err(error) if is_finding(&error) => Ok(Told { node, rows: None, why: Some(error.happened) }),
        Err(error) => Err(error),
    }
}

impl Examiner {
    /// Of the nodes that a question names one by one or all together, those that the drill left down, and the rest. One that is
    /// asked alone must answer.
    fn without_those_left_down(&self, question: &Question, places: Vec<String>) -> (Vec<String>, Vec<String>) {
        let is_alone = match question.declared().on() {
            Some(On::Every) => false,
            Some(On::Nodes(nodes)) => nodes.len() == 1 && !matches!(question, Question::HttpQuestion(_)),
            Some(On::Writer) | None => true,
        };
        places.into_iter().partition(|node| !is_alone && self.down.contains(node))
    }
}

fn bytes_of(rows: &Rows) -> usize {
    rows.iter().flatten().map(|cell| 1 + cell.as_ref().map_or(0, String::len)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_large_to_be_kept_does_not_pass() {
        let answer = |bytes: usize| Answer { node: "web".into(), rows: Ok(vec![vec![Some("x".repeat(bytes))]]) };
        let evaluated = |answer| {
            let asked = vec![told(answer).expect("an answer of the system's")];
            QuestionAnswer { asked, passed_over: Vec::new() }.evaluate(None, None)
        };
        assert_eq!(evaluated(answer(MOST_KEPT - 1)).deviations, 0);
        let large = evaluated(answer(MOST_KEPT));
        assert_eq!(large.deviations, 1);
        assert!(large.detail.contains("ask for less"), "{}", large.detail);
    }
}
