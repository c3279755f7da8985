//! An operation of the system's on a node.

use super::{Act, FOR_EVER, Procedure, not_found};
use crate::{scenario::step::OperationStep, world::Result};

#[async_trait::async_trait]
impl Act for OperationStep {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let doing = format!("{} on {}", self.name, self.node);
        let scene = &procedure.scene;
        let system = &scene.plan.declared.system;
        let unknown = || not_found(&doing, "the system does not know this operation");
        let does = self.operation(system).ok_or_else(unknown)?.does;
        let command = self.command(system).ok_or_else(unknown)?;
        scene.world.operate(does, &self.node, &command, FOR_EVER).await?.success(doing)
    }
}
