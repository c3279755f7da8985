//! A network partition.

use super::{Mechanism, Scene, Seen, reach};
use crate::{scenario::fault::Partition, world::Result};

#[async_trait::async_trait]
impl Mechanism for Partition {
    async fn put_in_place(&self, scene: &Scene, _: &[String]) -> Result<Seen> {
        reach::partition(scene, &self.refuses).await
    }

    async fn prove(&self, scene: &Scene, _: &[String]) -> Result<String> {
        reach::prove_partition(scene, &self.refuses).await
    }

    async fn heal(&self, scene: &Scene, _: &[String]) -> Result<()> {
        reach::mend(scene, &self.refuses).await
    }
}
