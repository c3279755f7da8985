//! A try to write where nothing may be written.

use super::{Act, FOR_EVER, Procedure};
use crate::{
    scenario::step::RefusesWrites,
    world::{Result, WorldError, WorldErrorKind, WriteAttempt},
};

#[async_trait::async_trait]
impl Act for RefusesWrites {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let target = procedure.target(&self.node, &self.database)?;
        match procedure.scene.world.attempt_write(&target, &self.user, &self.statement, FOR_EVER).await? {
            WriteAttempt::Refused(words) => Ok(format!("refused: {words}")),
            WriteAttempt::Accepted => {
                let doing = format!("see {} refuse writes", self.node);
                Err(WorldError::new(WorldErrorKind::Answered, doing, "it would have taken the write"))
            }
        }
    }
}
