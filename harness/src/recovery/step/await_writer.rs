//! A wait until a node takes writes.

use super::{Act, EVERY, Procedure};
use crate::{scenario::step::AwaitWriter, world::Result};

#[async_trait::async_trait]
impl Act for AwaitWriter {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let asker = procedure.scene.asker();
        loop {
            if let Ok(true) = asker.is_writer(&self.database, &self.node).await {
                return Ok("it takes writes".to_owned());
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
