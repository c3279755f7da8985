//! A command of one's own on a node.

use super::{Act, FOR_EVER, Procedure};
use crate::{scenario::step::Command, world::Result};

#[async_trait::async_trait]
impl Act for Command {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let doing = format!("{} on {}", self.run.join(" "), self.on);
        procedure.scene.world.run(&self.on, &self.run, FOR_EVER).await?.success(doing)
    }
}
