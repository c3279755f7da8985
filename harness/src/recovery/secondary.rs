//! The secondary environment: the same system in networks of its own, built up from a backup of the array, and given back.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use crate::{
    plan::Plan,
    topology::{Topology, until_ready},
    world::{Pool, Result, Saved, World, WorldError, WorldErrorKind},
};

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

impl Secondary {
    /// Images and networks. The images must be those of the primary environment: the installation is rebuilt, not another one.
    pub(super) async fn install(&self) -> Result<String> {
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

    pub(super) async fn lay_disks(&self, saved: &BTreeMap<String, Saved>, nodes: &[String]) -> Result<String> {
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

    pub(super) async fn start(&self, names: &[String]) -> Result<String> {
        self.topology.lock().await.make_nodes(&self.plan, names).await?;
        let nodes = names.iter().filter_map(|name| self.plan.node(name));
        try_join_all(nodes.map(|planned| until_ready(self.world.as_ref(), &self.plan, &planned.node))).await?;
        Ok(format!("{} ready", names.join(", ")))
    }
}
