//! A command and what it must print.

use super::{ASK_WITHIN, Answer, Ask, Evaluation, Examiner, Turn};
use crate::{
    scenario::check::CommandCheck,
    world::{CommandOutput, Result},
};

#[async_trait::async_trait]
impl Ask for CommandCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let done = examiner.world.run(&self.on, &self.run, ASK_WITHIN).await?;
        Ok(evaluate(self, done).into())
    }
}

/// The last line of what a command prints is what it has to say: programs log before it.
fn evaluate(check: &CommandCheck, done: CommandOutput) -> Evaluation {
    let missing = check.contains.iter().find(|text| !done.output.contains(*text));
    let said = done.output.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let (deviations, found) = match (done.status, missing, said) {
        (0, None, said) => (0, said.unwrap_or("as it must be").to_owned()),
        (0, Some(missing), _) => (1, format!("the output lacks `{missing}`")),
        (status, _, None) => (1, format!("exit status {status}")),
        (status, _, Some(said)) => (1, format!("exit status {status}: {said}")),
    };
    let detail = format!("{} on {}: {found}", check.run.join(" "), check.on);
    Evaluation { deviations, detail, raw: done.output }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(status: i64, output: &str, contains: &[&str]) -> (u64, String) {
        let contains = contains.iter().map(|text| (*text).to_owned()).collect();
        let check = CommandCheck { on: "db".into(), run: vec!["ask".into()], contains };
        let evaluation = evaluate(&check, CommandOutput { status, output: output.into() });
        (evaluation.deviations, evaluation.detail)
    }

    #[test]
    fn a_command_is_evaluated_by_its_status_and_by_what_it_must_print() {
        assert_eq!(evaluated(0, "INFO connected\n3 of 3\n", &["3 of"]), (0, "ask on db: 3 of 3".into()));
        assert_eq!(evaluated(0, "", &[]), (0, "ask on db: as it must be".into()));
        assert_eq!(evaluated(0, "2 of 3\n", &["3 of"]), (1, "ask on db: the output lacks `3 of`".into()));
        assert_eq!(evaluated(1, "3 of 3\nno host\n\n", &["3 of"]), (1, "ask on db: exit status 1: no host".into()));
        assert_eq!(evaluated(2, "", &[]), (1, "ask on db: exit status 2".into()));
    }
}
