//! A whole zone goes dark: one of three other faults, in every node of it.

use super::{Mechanism, Scene, Seen, process, reach};
use crate::{
    scenario::fault::{Darkness, ZoneDark},
    world::Result,
};

#[async_trait::async_trait]
impl Mechanism for ZoneDark {
    async fn put_in_place(&self, scene: &Scene, victims: &[String]) -> Result<Seen> {
        match self.by {
            Darkness::Killed => process::kill(scene, victims).await,
            Darkness::Frozen => process::freeze(scene, victims).await,
            Darkness::CutOff => reach::cut(scene, &Self::refuses(victims, &scene.plan.declared.system)).await,
        }
    }

    async fn prove(&self, scene: &Scene, victims: &[String]) -> Result<String> {
        match self.by {
            Darkness::Killed => process::prove_killed(scene, victims).await,
            Darkness::Frozen => process::prove_frozen(scene, victims).await,
            Darkness::CutOff => reach::prove_cut(scene, &Self::refuses(victims, &scene.plan.declared.system)).await,
        }
    }

    async fn heal(&self, scene: &Scene, victims: &[String]) -> Result<()> {
        match self.by {
            Darkness::Killed => Err(super::cannot_be_healed("a dark zone whose nodes were killed")),
            Darkness::Frozen => process::thaw(scene, victims).await,
            Darkness::CutOff => reach::mend(scene, &Self::refuses(victims, &scene.plan.declared.system)).await,
        }
    }
}
