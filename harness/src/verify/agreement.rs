//! Two questions give the same rows: two stores agree, key by key.

use blackstart_evidence::checks::{AgreementAnswer, Evaluate, Evaluation, compare, name_of};

use super::{ASK_WITHIN, Ask, Asked, Examiner, Turn};
use crate::{
    scenario::{check::AgreementCheck, question},
    world::Result,
};

impl Evaluate for AgreementCheck {
    type Answer = AgreementAnswer;

    fn evaluate(&self, answer: &AgreementAnswer) -> Evaluation {
        answer.evaluate(called(&self.left), called(&self.right))
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

fn called(side: &question::Asked) -> Option<String> {
    let declared = side.kind.declared();
    name_of(declared.database(), declared.on())
}
