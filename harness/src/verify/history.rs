//! The history of the clients and the rows that survived fit together.

use blackstart_evidence::{checks::HistoryAnswer, fact::digest_of_tokens, measure};

use super::{Ask, Asked, Examiner, Turn, answered};
use crate::{scenario::check::HistoryCheck, world::Result};

#[async_trait::async_trait]
impl Ask for HistoryCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Asked> {
        let survivors = examiner.survivors.as_ref().ok_or_else(|| {
            answered("join the history with what survived".to_owned(), "the writer could not be asked")
        })?;
        let loss = examiner.clients.with_history(|history| measure::loss(history, survivors, examiner.fault_us));
        let mut tokens = survivors.to_vec();
        tokens.sort_unstable();
        let answer = HistoryAnswer {
            rows: survivors.len() as u64,
            requests: loss.requests,
            phantom: loss.phantom,
            unexpected: loss.unexpected,
            duplicated: loss.duplicated,
            holes: loss.non_prefix_loss,
            survivors: digest_of_tokens(&tokens),
        };
        Ok(Asked::evaluated(self, answer))
    }

    fn is_ours(&self) -> bool {
        true
    }
}
