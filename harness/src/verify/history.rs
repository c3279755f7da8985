//! The history of the clients and the rows that survived fit together.

use blackstart_evidence::measure;

use super::{Answer, Ask, Evaluation, Examiner, Turn, answered};
use crate::{scenario::check::HistoryCheck, world::Result};

#[async_trait::async_trait]
impl Ask for HistoryCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let survivors = examiner.survivors.as_ref().ok_or_else(|| {
            answered("join the history with what survived".to_owned(), "the writer could not be asked")
        })?;
        let loss = examiner.clients.with_history(|history| measure::loss(history, survivors, examiner.fault_us));
        let holes = if self.prefix_only { loss.non_prefix_loss } else { 0 };
        let deviations = loss.phantom + loss.unexpected + loss.duplicated + holes;
        let detail = format!(
            "{} rows against {} requests: {} phantom, {} never sent, {} twice, {} holes",
            survivors.len(),
            loss.requests,
            loss.phantom,
            loss.unexpected,
            loss.duplicated,
            loss.non_prefix_loss
        );
        Ok(Evaluation { deviations, raw: detail.clone(), detail }.into())
    }

    fn is_ours(&self) -> bool {
        true
    }
}
