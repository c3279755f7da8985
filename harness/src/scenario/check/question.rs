//! A question and what its answer must be.

use super::Declares;
pub use crate::scenario::question::QuestionCheck;
use crate::scenario::{
    System,
    question::{Own, Question, expectation_notes},
    validate::Note,
};

impl Declares for QuestionCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let cannot_fail = matches!(self.kind, Question::SqlQuestion(_)) && self.expect.is_none();
        let expected = cannot_fail.then(|| {
            let problem = "nothing is expected of the rows, so that whatever the query gives would pass";
            Note::new(format!("{key}.expect"), problem, "add `expect`, such as `{rows: none}` or `{value: \"1\"}`")
        });
        let asked = self.kind.notes(key, Own::default(), system).into_iter().chain(expected);
        asked.chain(expectation_notes(key, self.expect.as_ref())).collect()
    }

    fn questions_mut(&mut self) -> Vec<(&'static str, &mut Question)> {
        vec![("", &mut self.kind)]
    }
}
