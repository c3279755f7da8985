//! What the secondary environment has is put onto the disks of the primary one, and that is started.

use super::{Act, Procedure};
use crate::{
    scenario::step::BringBack,
    topology,
    world::{Pool, Result, Saved},
};

/// The name of the last state of the secondary environment, which is brought back.
const LAST: &str = "brought-back";

#[async_trait::async_trait]
impl Act for BringBack {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let (there, scene) = (procedure.secondary()?, &procedure.scene);
        topology::kill_all(scene.world.as_ref(), &scene.plan).await?;
        let bytes = there.world.snapshot(LAST).await?;
        let pool = there.pool.lock().await.unwrap_or(Pool::Local);
        let saved = Saved { name: LAST.to_owned(), pool };
        let disks: Vec<String> = scene.plan.disks().map(str::to_owned).collect();
        for node in &disks {
            scene.world.revert(node, &saved).await?;
        }
        topology::start_all(scene.world.as_ref(), &scene.plan).await?;
        Ok(format!("{} disks, {:.1} MB; every node is ready", disks.len(), bytes as f64 / 1e6))
    }
}
