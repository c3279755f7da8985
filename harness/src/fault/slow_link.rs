//! A link with little bandwidth.

use std::time::Duration;

use super::{Mechanism, Scene, Seen, without_effect};
use crate::{scenario::fault::SlowLink, world::Result};

/// How long a slow link may take to hold back its first byte, under load.
const SLOW_WITHIN: Duration = Duration::from_secs(5);

#[async_trait::async_trait]
impl Mechanism for SlowLink {
    async fn put_in_place(&self, scene: &Scene, _: &[String]) -> Result<Seen> {
        scene.world.limit(&self.from, &self.to, self.bandwidth).await.map(|()| Seen::default())
    }

    /// The link holds something back.
    async fn prove(&self, scene: &Scene, _: &[String]) -> Result<String> {
        let Self { from, to, .. } = self;
        let deadline = tokio::time::Instant::now() + SLOW_WITHIN;
        loop {
            let held_back = scene.world.held_back(from, to).await?;
            if held_back > 0 {
                return Ok(format!("{held_back} bytes from {from} to {to} were held back"));
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(without_effect(&format!("the link from {from} to {to} is slow"), "it holds nothing back"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn heal(&self, scene: &Scene, _: &[String]) -> Result<()> {
        scene.world.unlimit(&self.from, &self.to).await
    }
}
