//! An operation of the system's on a node.

use super::{Act, FOR_EVER, Procedure, not_found};
use crate::{scenario::step::OperationStep, world::Result};

#[async_trait::async_trait]
impl Act for OperationStep {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let doing = format!("{} on {}", self.name, self.node);
        let scene = &procedure.scene;
        let command = self.command(&scene.plan.declared.system);
        let command = command.ok_or_else(|| not_found(&doing, "the system does not know this operation"))?;
        scene.world.operate(&self.name, &self.node, &command, FOR_EVER).await?.success(doing)
    }
}
