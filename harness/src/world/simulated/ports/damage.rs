//! Damage to data.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    Model, SimulatedWorld,
    draws::{QUESTION, WIPE},
};
use crate::world::{Corrupted, Damage, Moment, NodeState, Result, SqlTarget, Taken, WorldError, WorldErrorKind};

#[async_trait]
impl Damage for SimulatedWorld {
    async fn wipe(&self, node: &str) -> Result<(u64, u64)> {
        let doing = format!("empty the volume of {node}");
        let id = self.existing(&doing, node)?;
        if self.now().model.nodes[id].state != NodeState::Down {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, "the node still runs"));
        }
        Ok(self.take_effect(&WIPE, id, |model| model.wipe(id)).await)
    }

    async fn corrupt(&self, node: &str, backup: &Taken, _: &[String], within: Duration) -> Result<Corrupted> {
        let doing = format!("corrupt backup {} on {node}", backup.id);
        let place = self.running(&doing, node)?;
        self.spend_within(&doing, &QUESTION, place, within).await?;
        let was_whole = self.change(|model| model.corrupt(&backup.label));
        let after = "corrupted".to_owned();
        let before = if was_whole { "whole".to_owned() } else { after.clone() };
        Ok(Corrupted { what: format!("backup {}", backup.label), before, after })
    }

    async fn change(&self, target: &SqlTarget, user: &str, _: &str, within: Duration) -> Result<(Moment, u64)> {
        let doing = format!("change database {} on {} as {user}", target.database, target.node);
        let id = self.existing(&doing, &target.node)?;
        self.spend_within(&doing, &QUESTION, id, within).await?;
        if !self.now().model.is_writable(id) {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, "the server is read-only"));
        }
        let change = |model: &mut Model| {
            model.note_fault(doing);
            model.damage(id)
        };
        let moment = self.take_effect(&QUESTION, id, change).await;
        Ok((moment, 1))
    }
}
