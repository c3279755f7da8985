//! A disk fills up to its end.

use futures_util::future::try_join_all;

use super::{Mechanism, Scene, Seen, disk, without_effect};
use crate::{
    scenario::fault::DiskFull,
    world::{Result, WriteAttempt},
};

#[async_trait::async_trait]
impl Mechanism for DiskFull {
    /// Fills the disks of the victims. Says how much it took.
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        let filled = victims.iter().map(|node| async move {
            let bytes = scene.world.fill(node).await?;
            Ok(format!("{:.0} MB filled the disk of {node}", bytes as f64 / 1e6))
        });
        Ok(Seen::only(try_join_all(filled).await?.join("; ")))
    }

    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        disk::prove_no_write(scene, victims).await
    }

    /// Makes room again, and sees a write succeed.
    async fn heal(&self, scene: &Scene, victims: &[String]) -> Result<()> {
        let healed = victims.iter().map(|node| async move {
            scene.world.make_room(node).await?;
            match scene.world.try_disk(node).await? {
                WriteAttempt::Accepted => Ok(()),
                WriteAttempt::Refused(words) => {
                    Err(without_effect(&format!("the disk of {node} takes writes again"), words))
                }
            }
        });
        try_join_all(healed).await.map(drop)
    }
}
