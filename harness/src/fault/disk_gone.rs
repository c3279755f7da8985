//! A disk is taken away from under a node that runs.

use futures_util::future::try_join_all;

use super::{Mechanism, Scene, Seen, disk, without_effect};
use crate::{
    scenario::fault::DiskGone,
    world::{NodeState, Result},
};

#[async_trait::async_trait]
impl Mechanism for DiskGone {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        for node in victims {
            let state = scene.world.state(node).await?;
            if state != NodeState::Running {
                return Err(without_effect(
                    &format!("{node} loses its disk while it runs"),
                    format!("it is {state:?}"),
                ));
            }
        }
        try_join_all(victims.iter().map(|node| scene.world.fail_disk(node))).await?;
        Ok(Seen::default())
    }

    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        disk::prove_no_write(scene, victims).await
    }
}
