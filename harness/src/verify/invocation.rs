//! A new request is carried out to its end.

use std::time::Duration;

use super::{ASK_WITHIN, Answer, Ask, EVERY, Evaluation, Examiner, Turn, answered};
use crate::{
    plan::Draw,
    question::is_as_expected,
    scenario::{check::InvocationCheck, question::Criterion},
    workload::Sender,
    world::Result,
};

#[async_trait::async_trait]
impl Ask for InvocationCheck {
    /// Sends a request of its own, and waits for the end that the check declares. Each try uses a token of its own.
    async fn ask(&self, examiner: &Examiner, turn: Turn) -> Result<Answer> {
        let number = next_number(examiner, turn);
        let draw = Draw { kind: self.request.clone(), number: 1 };
        let intended_us = examiner.clock.now_us();
        let deadline = examiner.plan.load.deadline.max(Duration::from_secs(1));
        let sent = examiner.clients.send(Sender::Check, number, &draw, intended_us, deadline).await;
        if !sent.is_ok() {
            let detail = format!("{} {} was not acknowledged: {}", sent.kind, sent.token, sent.reply);
            return Ok(Evaluation { deviations: 1, raw: detail.clone(), detail }.into());
        }
        if let Some(end) = &self.then {
            await_end(examiner, end, &sent.token).await?;
        }
        let took_ms = (examiner.clock.now_us() - intended_us) / 1000;
        let what = if self.then.is_some() { "carried out to its end" } else { "acknowledged" };
        let detail = format!("{} {} was {what} in {took_ms} ms", sent.kind, sent.token);
        Ok(Evaluation { deviations: 0, raw: detail.clone(), detail }.into())
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
        let is_there = end.expect.as_ref().map_or(!rows.is_empty(), |expect| is_as_expected(expect, &rows));
        if is_there {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}
