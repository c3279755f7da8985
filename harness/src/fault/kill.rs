//! A node's processes are killed.

use super::{Mechanism, Scene, Seen, process};
use crate::{scenario::fault::Kill, world::Result};

#[async_trait::async_trait]
impl Mechanism for Kill {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        process::kill(scene, victims).await
    }

    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        process::prove_killed(scene, victims).await
    }
}
