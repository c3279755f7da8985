//! A new request is carried out to its end.

use std::time::Duration;

use blackstart_evidence::checks::{Evaluate, Evaluation, InvocationAnswer};

use super::{ASK_WITHIN, Ask, Asked, EVERY, Examiner, Turn, answered};
use crate::{
    plan::Draw,
    scenario::{check::InvocationCheck, question::Criterion},
    workload::Sender,
    world::Result,
};

impl Evaluate for InvocationCheck {
    type Answer = InvocationAnswer;

    fn evaluate(&self, answer: &InvocationAnswer) -> Evaluation {
        answer.evaluate(&self.request, self.then.is_some())
    }
}

#[async_trait::async_trait]
impl Ask for InvocationCheck {
    /// Sends a request of its own, and waits for the end that the check declares. Each try uses a token of its own.
    async fn ask(&self, examiner: &Examiner, turn: Turn) -> Result<Asked> {
        let number = next_number(examiner, turn);
        let draw = Draw { kind: self.request.clone(), number: 1 };
        let intended_us = examiner.clock.now_us();
        let deadline = examiner.plan.load.deadline.max(Duration::from_secs(1));
        let sent = examiner.clients.send(Sender::Check, number, &draw, intended_us, deadline).await;
        let mut has_ended = false;
        if let Some(end) = self.then.as_ref().filter(|_| sent.is_ok()) {
            await_end(examiner, end, &sent.token).await?;
            has_ended = true;
        }
        let answer = InvocationAnswer {
            request: sent.kind.to_string(),
            token: sent.token.to_string(),
            is_acknowledged: sent.is_ok(),
            reply: sent.reply.to_string(),
            has_ended,
            took_ms: (examiner.clock.now_us() - intended_us) / 1000,
        };
        Ok(Asked::evaluated(self, answer))
    }
}

/// Checks run side by side, and each may try more than once: their tokens must never meet.
fn next_number(examiner: &Examiner, turn: Turn) -> usize {
    let tries =
        examiner.clients.with_history(|history| history.iter().filter(|sent| sent.sender == Sender::Check).count());
    examiner.round * 1_000_000 + usize::from(turn.level) * 100_000 + turn.index * 1000 + tries
}

async fn await_end(examiner: &Examiner, end: &Criterion, token: &str) -> Result<()> {
    if !token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(answered(format!("look for {token}"), "the token does not belong in a question"));
    }
    let mut question = end.kind.clone();
    for text in question.declared_mut().texts_mut() {
        *text = text.replace("${token}", token);
    }
    loop {
        let rows = examiner.asker().ask(&question, ASK_WITHIN).await?;
        let is_there = end.expect.as_ref().map_or(!rows.is_empty(), |expect| expect.holds(&rows));
        if is_there {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}
