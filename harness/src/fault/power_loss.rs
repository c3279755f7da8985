//! Power goes, and with it what disks had not flushed.

use futures_util::future::try_join_all;

use super::{Mechanism, Scene, Seen, process, without_effect};
use crate::{
    scenario::fault::PowerLoss,
    world::{Marks, Result},
};

#[async_trait::async_trait]
impl Mechanism for PowerLoss {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        scene.world.lose_unflushed(victims).await?;
        process::kill(scene, victims).await
    }

    /// Of two marks that were put on each disk just before, the flushed one is there and the other is not.
    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        let killed = process::prove_killed(scene, victims).await?;
        let marks = try_join_all(victims.iter().map(|node| prove_unflushed_lost(scene, node))).await?;
        Ok(format!("{}; {killed}", marks.join("; ")))
    }
}

async fn prove_unflushed_lost(scene: &Scene, node: &str) -> Result<String> {
    match scene.world.marks(node).await? {
        Marks { flushed: true, unflushed: false } => {
            Ok(format!("the disk of {node} kept a flushed mark and lost one that was not flushed"))
        }
        Marks { flushed, unflushed } => {
            let is = |there| if there { "there" } else { "gone" };
            let seen = format!("the flushed mark is {}, the other one {}", is(flushed), is(unflushed));
            Err(without_effect(&format!("the disk of {node} lost only what was not flushed"), seen))
        }
    }
}
