//! A node's processes are paused.

use super::{Mechanism, Scene, Seen, process};
use crate::{scenario::fault::Pause, world::Result};

#[async_trait::async_trait]
impl Mechanism for Pause {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        process::pause(scene, victims).await
    }

    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        process::prove_paused(scene, victims).await
    }

    async fn heal(&self, scene: &Scene, victims: &[String]) -> Result<()> {
        process::unpause(scene, victims).await
    }
}
