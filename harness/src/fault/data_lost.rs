//! Everything on the volumes of nodes is gone.

use super::{Mechanism, Scene, Seen, process, without_effect};
use crate::{scenario::fault::DataLost, world::Result};

#[async_trait::async_trait]
impl Mechanism for DataLost {
    /// For clients data is gone with the kill. How long the removal of files takes must not blur the moment.
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        process::kill(scene, victims).await
    }

    /// Removes everything on the volumes of nodes that were just killed. Each is empty then, and answers nothing.
    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        let killed = process::prove_killed(scene, victims).await?;
        let wiped = futures_util::future::try_join_all(victims.iter().map(|victim| wipe(scene, victim))).await?;
        Ok(format!("{}; {killed}", wiped.join("; ")))
    }
}

async fn wipe(scene: &Scene, victim: &str) -> Result<String> {
    let (before, after) = scene.world.wipe(victim).await?;
    if before == 0 || after > 0 {
        let seen = format!("of {before} files there are {after} left");
        return Err(without_effect(&format!("the volume of {victim} is empty"), seen));
    }
    Ok(format!("the volume of {victim} held {before} files and holds none"))
}
