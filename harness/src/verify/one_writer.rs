//! Exactly one of a database's servers takes writes.

use blackstart_evidence::checks::{OneWriterAnswer, Silent};

use super::{Ask, Asked, Examiner, Turn};
use crate::{scenario::check::OneWriterCheck, world::Result};

/// Asks every server of a database.
async fn writers(examiner: &Examiner, database: &str) -> Result<OneWriterAnswer> {
    let mut writers = OneWriterAnswer::default();
    for (node, answer) in examiner.asker().writers(database).await? {
        match answer {
            Ok(true) => writers.takes.push(node),
            Ok(false) => writers.takes_none.push(node),
            Err(error) => {
                let why = error.happened.lines().next().unwrap_or_default().to_owned();
                writers.silent.push(Silent { is_left_down: examiner.down.contains(&node), node, why });
            }
        }
    }
    Ok(writers)
}

#[async_trait::async_trait]
impl Ask for OneWriterCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Asked> {
        Ok(Asked::evaluated(self, writers(examiner, &self.database).await?))
    }
}
