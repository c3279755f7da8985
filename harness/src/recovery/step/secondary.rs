//! A step at the secondary environment. Checks are not carried out here: a recovery does not evaluate its own success.

use super::{Act, Procedure, not_found};
use crate::{
    scenario::step::{SHORT, SecondaryKind, SecondaryStep},
    topology,
    world::{Result, WorldError, WorldErrorKind},
};

#[async_trait::async_trait]
impl Act for SecondaryStep {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let there = procedure.secondary()?;
        match &self.kind {
            SecondaryKind::Install(_) => there.install().await,
            SecondaryKind::DisksStep(disks) => {
                let taken = procedure.scene.taken_backup(&disks.backup).await;
                let missing = || not_found(&format!("lay disks from {}", disks.backup), "it was not taken");
                there.lay_disks(&taken.ok_or_else(missing)?.disks, &disks.nodes).await
            }
            SecondaryKind::NodesStep(start) => there.start(&start.nodes).await,
            SecondaryKind::Command(command) => {
                let doing = format!("{} on {} of the secondary environment", command.run.join(" "), command.on);
                let within = command.within.map_or(SHORT, |within| within.duration());
                there.world.run(&command.on, &command.run, within).await?.success(doing)
            }
            SecondaryKind::LevelsStep(_) => {
                let doing = "check the secondary environment";
                Err(WorldError::new(WorldErrorKind::Other, doing, "a recovery does not evaluate its own success"))
            }
            SecondaryKind::ShutDown(_) => {
                topology::stop_all(there.world.as_ref(), &there.plan).await?;
                Ok("every node stopped by itself".to_owned())
            }
        }
    }
}
