//! The secondary environment: the same system in networks of its own, built up from a backup of the array, and given back.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use super::Procedure;
use crate::{
    plan::{Plan, SecondaryAction},
    topology::{self, Topology, until_ready},
    world::{Pool, Result, Saved, World, WorldError, WorldErrorKind},
};

/// The name of its last state, which is brought back.
const LAST: &str = "brought-back";

/// A secondary environment, whether or not anything of it exists yet.
#[derive(Clone)]
pub struct Secondary {
    /// What it consists of.
    pub plan: Arc<Plan>,
    /// Where it stands.
    pub world: Arc<dyn World>,
    /// What of it exists.
    pub topology: Arc<Mutex<Topology>>,
    /// The images of the primary environment, with their digests, once they are known.
    pub installed: Arc<Mutex<BTreeMap<String, String>>>,
    /// In which pool its disks lie.
    pub pool: Arc<Mutex<Option<Pool>>>,
}

impl Procedure {
    /// The secondary environment of the plan.
    ///
    /// # Errors
    /// Where the plan has none.
    pub fn secondary(&self) -> Result<&Secondary> {
        let none = || WorldError::new(WorldErrorKind::NotFound, "turn to the secondary environment", "there is none");
        self.secondary.as_ref().ok_or_else(none)
    }

    /// Carries out a step there; checks are not carried out here.
    pub(super) async fn at_secondary(&self, action: &SecondaryAction) -> Result<String> {
        let there = self.secondary()?;
        match action {
            SecondaryAction::Install => there.install().await,
            SecondaryAction::Disks { backup, nodes } => {
                let missing = || {
                    WorldError::new(WorldErrorKind::NotFound, format!("lay disks from {backup}"), "it was not taken")
                };
                let taken = self.scene.on_shelf(backup).await.ok_or_else(missing)?;
                there.lay_disks(&taken.disks, nodes).await
            }
            SecondaryAction::Start { nodes } => there.start(nodes).await,
            SecondaryAction::Run(command) => {
                let doing = format!("{} on {} of the secondary environment", command.run.join(" "), command.on);
                let within = crate::plan::or_default(command.within, super::steps::STEP_MS);
                there.world.run(&command.on, &command.run, within).await?.success(doing)
            }
            SecondaryAction::Check { .. } => {
                let doing = "check the secondary environment";
                Err(WorldError::new(WorldErrorKind::Other, doing, "a recovery does not judge its own success"))
            }
            SecondaryAction::ShutDown => {
                topology::come_to_rest(there.world.as_ref(), &there.plan).await?;
                Ok("every node stopped by itself".to_owned())
            }
        }
    }

    /// Puts what the secondary environment has onto the disks of the primary one, and starts that.
    pub(super) async fn bring_back(&self) -> Result<String> {
        let there = self.secondary()?;
        let scene = &self.scene;
        topology::fall(scene.world.as_ref(), &scene.plan).await?;
        let bytes = there.world.snapshot(LAST).await?;
        let pool = there.pool.lock().await.unwrap_or(Pool::Local);
        let saved = Saved { name: LAST.to_owned(), pool };
        let disks: Vec<String> = scene.plan.disks().map(str::to_owned).collect();
        for node in &disks {
            scene.world.revert(node, &saved).await?;
        }
        topology::rise(scene.world.as_ref(), &scene.plan).await?;
        Ok(format!("{} disks, {:.1} MB; every node is ready", disks.len(), bytes as f64 / 1e6))
    }
}

impl Secondary {
    /// Images and networks. The images must be those of the primary environment: the installation is rebuilt, not another one.
    async fn install(&self) -> Result<String> {
        let images = self.topology.lock().await.lay_networks(&self.plan, &|_: &str| ()).await?;
        let installed = self.installed.lock().await;
        let differing = images.iter().filter(|(name, digest)| installed.get(*name) != Some(*digest));
        let differing: Vec<&str> = differing.map(|(name, _)| name.as_str()).collect();
        if !differing.is_empty() {
            let happened = format!("{} are not those of the primary environment", differing.join(", "));
            return Err(WorldError::new(WorldErrorKind::Answered, "rebuild the installation", happened));
        }
        Ok(format!("{} images with the digests of the primary environment", images.len()))
    }

    async fn lay_disks(&self, saved: &BTreeMap<String, Saved>, nodes: &[String]) -> Result<String> {
        *self.pool.lock().await = saved.values().next().map(|saved| saved.pool);
        self.topology.lock().await.lay_disks(&self.plan, saved, nodes).await?;
        let disks: Vec<&String> = nodes.iter().filter(|node| saved.contains_key(*node)).collect();
        let looks = disks.iter().map(|node| async move { Ok((*node, self.world.inspect(node).await?)) });
        let looked = try_join_all(looks).await?;
        match looked.iter().find(|(_, disk)| !disk.is_sound) {
            Some((node, disk)) => {
                let doing = format!("lay the disk of {node}");
                Err(WorldError::new(
                    WorldErrorKind::Answered,
                    doing,
                    format!("its file system is not sound: {}", disk.detail),
                ))
            }
            None => Ok(format!("{} sound file systems", looked.len())),
        }
    }

    async fn start(&self, names: &[String]) -> Result<String> {
        self.topology.lock().await.make_nodes(&self.plan, names).await?;
        let nodes = names.iter().filter_map(|name| self.plan.node(name));
        try_join_all(nodes.map(|planned| until_ready(self.world.as_ref(), &self.plan, &planned.node))).await?;
        Ok(format!("{} ready", names.join(", ")))
    }
}
