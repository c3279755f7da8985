//! Two questions give the same rows: two stores agree, key by key.

use blackstart_evidence::checks::{AgreementAnswer, Evaluate, Evaluation, compare};

use super::{ASK_WITHIN, Ask, Asked, Examiner, Turn};
use crate::{
    scenario::{check::AgreementCheck, question},
    world::Result,
};

impl Evaluate for AgreementCheck {
    type Answer = AgreementAnswer;

    fn evaluate(&self, answer: &AgreementAnswer) -> Evaluation {
        answer.evaluate(&name_of(&self.left, "left"), &name_of(&self.right, "right"))
    }
}

#[async_trait::async_trait]
impl Ask for AgreementCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Asked> {
        let asker = examiner.asker();
        let (left, right) = futures_util::future::try_join(
            asker.ask(&self.left.kind, ASK_WITHIN),
            asker.ask(&self.right.kind, ASK_WITHIN),
        )
        .await?;
        Ok(Asked::evaluated(self, compare(&left, &right)))
    }
}

/// What a side is called: its database, or the nodes that it names.
fn name_of(side: &question::Asked, otherwise: &str) -> String {
    let declared = side.kind.declared();
    let nodes = || declared.on().filter(|on| !on.nodes().is_empty()).map(ToString::to_string);
    declared.database().map(str::to_owned).or_else(nodes).unwrap_or_else(|| otherwise.to_owned())
}
