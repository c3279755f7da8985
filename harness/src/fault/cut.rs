//! A cut in the network.

use super::{Mechanism, Scene, Seen, reach};
use crate::{scenario::fault::Cut, world::Result};

#[async_trait::async_trait]
impl Mechanism for Cut {
    async fn put_in_place(&self, scene: &Scene, _: &[String]) -> Result<Seen> {
        reach::cut(scene, &self.refuses).await
    }

    async fn prove(&self, scene: &Scene, _: &[String]) -> Result<String> {
        reach::prove_cut(scene, &self.refuses).await
    }

    async fn heal(&self, scene: &Scene, _: &[String]) -> Result<()> {
        reach::mend(scene, &self.refuses).await
    }
}
