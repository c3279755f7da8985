//! The power of a node is taken away, out of band.

use super::{Act, Procedure};
use crate::{scenario::step::PowerOff, world::Result};

#[async_trait::async_trait]
impl Act for PowerOff {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let world = procedure.scene.world.as_ref();
        world.kill(&self.node).await?;
        world.await_down(&self.node).await.map(|()| "no process is left".to_owned())
    }
}
