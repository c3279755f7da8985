//! A question, at each node that it goes to.

use blackstart_evidence::checks::{Evaluate, Evaluation, QuestionAnswer, Told};

use super::{ASK_WITHIN, Ask, Asked, Examiner, Turn, is_finding};
use crate::{
    question::Answer,
    scenario::{
        check::QuestionCheck,
        question::{On, Question},
    },
    world::Result,
};

impl Evaluate for QuestionCheck {
    type Answer = QuestionAnswer;

    fn evaluate(&self, answer: &QuestionAnswer) -> Evaluation {
        let named = self.kind.declared().on().map(On::nodes).unwrap_or_default();
        let named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        answer.evaluate(self.expect.as_ref(), &named)
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

/// What a node answered. That it refused, or was silent, is an answer too; only what is wrong with us is an error.
fn told(Answer { node, rows }: Answer) -> Result<Told> {
    match rows {
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
