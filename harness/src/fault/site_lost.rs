//! A whole site is lost, with every node and disk in it.

use futures_util::future::try_join_all;

use super::{Mechanism, Scene, Seen, disk, joined, process};
use crate::{scenario::fault::SiteLost, world::Result};

#[async_trait::async_trait]
impl Mechanism for SiteLost {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        process::kill(scene, victims).await
    }

    /// Takes away the disks of nodes that were just killed. Nothing of the site can be read or started any more.
    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        let killed = process::prove_killed(scene, victims).await?;
        let in_array: Vec<&str> = scene.plan.disks().collect();
        let disks: Vec<String> = victims.iter().filter(|node| in_array.contains(&node.as_str())).cloned().collect();
        try_join_all(disks.iter().map(|node| scene.world.fail_disk(node))).await?;
        let gone = disk::prove_no_write(scene, &disks).await?;
        Ok(joined(killed, gone))
    }
}
