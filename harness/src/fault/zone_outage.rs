//! A whole zone fails: one of three other faults, in every node of it.

use super::{Mechanism, Scene, Seen, process, reach};
use crate::{
    scenario::fault::{OutageCause, ZoneOutage},
    world::Result,
};

#[async_trait::async_trait]
impl Mechanism for ZoneOutage {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        match self.by {
            OutageCause::Killed => process::kill(scene, victims).await,
            OutageCause::Paused => process::pause(scene, victims).await,
            OutageCause::Partitioned => {
                reach::partition(scene, &Self::refuses(victims, &scene.plan.declared.system)).await
            }
        }
    }

    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        match self.by {
            OutageCause::Killed => process::prove_killed(scene, victims).await,
            OutageCause::Paused => process::prove_paused(scene, victims).await,
            OutageCause::Partitioned => {
                reach::prove_partition(scene, &Self::refuses(victims, &scene.plan.declared.system)).await
            }
        }
    }

    async fn heal(&self, scene: &Scene, victims: &[String]) -> Result<()> {
        match self.by {
            OutageCause::Killed => Err(super::cannot_be_healed("a failed zone whose nodes were killed")),
            OutageCause::Paused => process::unpause(scene, victims).await,
            OutageCause::Partitioned => reach::mend(scene, &Self::refuses(victims, &scene.plan.declared.system)).await,
        }
    }
}
