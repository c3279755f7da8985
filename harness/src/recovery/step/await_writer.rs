//! A wait until a node takes writes.

use std::time::Duration;

use super::{Act, EVERY, Procedure};
use crate::{scenario::step::AwaitWriter, world::Result};

#[async_trait::async_trait]
impl Act for AwaitWriter {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let target = procedure.target(&self.node, &self.database)?;
        loop {
            if let Ok(true) = procedure.scene.world.is_writer(&target, Duration::from_secs(1)).await {
                return Ok("it takes writes".to_owned());
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
