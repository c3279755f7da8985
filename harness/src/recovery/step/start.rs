//! A node that is down is started.

use super::{Act, Procedure};
use crate::{scenario::step::Start, world::Result};

#[async_trait::async_trait]
impl Act for Start {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let scene = &procedure.scene;
        procedure.until_lost(&self.node).await;
        scene.world.await_down(&self.node).await?;
        scene.start_again(&self.node).await?;
        Ok("it answers".to_owned())
    }
}
