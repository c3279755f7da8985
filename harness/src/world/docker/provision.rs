//! Making and removing, by the ledger's words. Removing is idempotent, and patient with an engine that is still at it.

use std::{collections::BTreeMap, future::Future, time::Duration};

use async_trait::async_trait;
use bollard::{
    Docker,
    errors::Error,
    query_parameters::{LogsOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions},
};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::{
    DockerWorld,
    errors::{Doing, classify, from_engine, status},
    names::RunIdentity,
    sweep,
};
use crate::world::{ImageSpec, Provision, Resource, Result, WorldError, WorldErrorKind};

/// How long something may take to let itself be removed.
const REMOVED_WITHIN: Duration = Duration::from_secs(20);
const REMOVED_POLL: Duration = Duration::from_millis(20);
/// How long to wait for files to be closed where no more may be open.
const FILES_POLL: Duration = Duration::from_millis(100);
/// How long one removal waits for another, which may be stuck.
const ALONE_WITHIN: Duration = Duration::from_secs(5);
/// How long the engine may take to say that it is there, on a machine that does other things besides.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// How many of the last lines of a container are shown.
const LOG_LINES: &str = "80";

/// Asks for a removal until the thing is gone. The engine says 404 where it is, and otherwise that it is in use, or
/// that it is at it already.
async fn until_gone<F, Fut>(doing: &str, remove: F) -> Result<()>
where
    F: Fn() -> Fut,
    Fut: Future<Output = std::result::Result<(), Error>>,
{
    let deadline = Instant::now() + REMOVED_WITHIN;
    loop {
        match remove().await {
            Ok(()) => return Ok(()),
            Err(error) if status(&error) == Some(404) => {
                tracing::trace!(doing, "it is not there");
                return Ok(());
            }
            Err(error) if Instant::now() > deadline => return Err(from_engine(doing, error)),
            // Others close theirs by and by.
            Err(error) if classify(&error) == WorldErrorKind::TooManyFiles => sleep(FILES_POLL).await,
            Err(error) if status(&error).is_none() => return Err(from_engine(doing, error)),
            Err(error) if classify(&error) == WorldErrorKind::EngineGone => return Err(from_engine(doing, error)),
            Err(error) => {
                tracing::trace!(doing, %error, "asked again");
                sleep(REMOVED_POLL).await;
            }
        }
    }
}

/// Kills a container and removes it with its unnamed volumes.
pub(super) async fn remove_container(docker: &Docker, name: &str, doing: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    until_gone(doing, || docker.remove_container(name, Some(options.clone()))).await
}

/// Removes a volume that no container uses any longer.
pub(super) async fn remove_volume(docker: &Docker, name: &str, doing: &str) -> Result<()> {
    until_gone(doing, || docker.remove_volume(name, None::<RemoveVolumeOptions>)).await
}

/// Removes a network once no container is in it.
pub(super) async fn remove_network(docker: &Docker, name: &str, doing: &str) -> Result<()> {
    until_gone(doing, || docker.remove_network(name)).await
}

impl DockerWorld {
    pub(super) async fn remove_container(&self, name: &str, doing: &str) -> Result<()> {
        remove_container(&self.docker, name, doing).await
    }

    /// Removes a container that is in a network, one after the other: where several leave at once, an engine can lose count of
    /// them (20.10 did, twice in some hundreds of drills), and then does not remove that network until it is restarted.
    pub(super) async fn remove_member(&self, name: &str, doing: &str) -> Result<()> {
        let _alone = timeout(ALONE_WITHIN, self.leaving.lock()).await;
        self.remove_container(name, doing).await
    }

    /// Removes a container of the edge with its gate.
    async fn remove_gated(&self, name: &str, doing: &str) -> Result<()> {
        self.remove_container(&RunIdentity::gate(name), doing).await?;
        self.remove_member(name, doing).await
    }

    async fn remove_networks(&self) -> Result<()> {
        self.remove_resolver().await?;
        let nodes = self.run.nodes_network();
        let edge = self.run.edge_network();
        let (nodes, edge) = tokio::join!(
            remove_network(&self.docker, &nodes, "remove the network of the nodes"),
            remove_network(&self.docker, &edge, "remove the edge network"),
        );
        nodes.and(edge)
    }

    /// The last lines that a container printed.
    pub(super) async fn container_logs(&self, container: &str) -> Result<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LOG_LINES).build();
        let mut lines = self.docker.logs(container, Some(options));
        let mut text = String::new();
        while let Some(line) = lines.next().await {
            text += &line.doing(format!("read what container {container} printed"))?.to_string();
        }
        Ok(self.redact(&text))
    }
}

#[async_trait]
impl Provision for DockerWorld {
    async fn prepare_images(
        &self,
        images: &[ImageSpec],
        progress: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<BTreeMap<String, String>> {
        self.make_images(images, progress).await?;
        let known = self.known();
        let wanted = known.images.iter().filter(|(name, _)| images.iter().any(|spec| spec.name == **name));
        Ok(wanted.map(|(name, image)| (name.clone(), format!("{} {}", image.tag, image.id))).collect())
    }

    async fn create(&self, resource: &Resource) -> Result<()> {
        match resource {
            Resource::Networks => self.make_networks().await,
            Resource::Array(spec) => self.make_array(spec).await,
            Resource::Volume { node } => self.make_volume(node).await,
            Resource::Disk { node, from } => self.make_disk(node, from.as_ref()).await,
            Resource::Node(spec) => self.make_node(spec).await,
            Resource::Relay { targets } => self.make_relay(targets).await,
            Resource::Helper { node } => self.make_helper(node).await,
            Resource::Wiper { node } => self.make_wiper(node).await,
        }
    }

    async fn remove(&self, resource: &Resource) -> Result<()> {
        let doing = format!("remove the {}", resource.name());
        match resource {
            Resource::Networks => self.remove_networks().await,
            Resource::Array(_) => self.remove_array().await,
            Resource::Volume { node } => remove_volume(&self.docker, &self.run.volume(node), &doing).await,
            Resource::Disk { node, .. } => self.remove_disk(node).await,
            Resource::Node(spec) => {
                self.sql.forget(&spec.name);
                let name = self.run.container(&spec.name);
                if spec.published.is_some() {
                    return self.remove_gated(&name, &doing).await;
                }
                self.remove_member(&name, &doing).await
            }
            Resource::Relay { .. } => self.remove_gated(&self.run.relay(), &doing).await,
            Resource::Helper { node } => self.remove_helper(node).await,
            Resource::Wiper { node } => self.remove_container(&self.run.wiper(node), &doing).await,
        }
    }

    async fn answers(&self) -> Result<()> {
        let doing = "ask whether the engine is there";
        let hangs = || {
            let happened = format!("the engine does not answer: no word of it came within {ANSWERS_WITHIN:?}");
            WorldError::new(WorldErrorKind::EngineGone, doing, happened)
        };
        timeout(ANSWERS_WITHIN, self.docker.ping()).await.map_err(|_| hangs())?.doing(doing).map(drop)
    }

    async fn leftovers(&self) -> Result<Vec<String>> {
        let devices = self.array_devices().await?;
        let mut found = sweep::find(&self.docker, &self.run.filter()).await?;
        found.extend(sweep::own_devices(&devices, &self.run));
        Ok(found.iter().map(ToString::to_string).collect())
    }

    async fn environment(&self) -> BTreeMap<String, String> {
        self.describe().await
    }

    async fn logs(&self, node: &str) -> Result<String> {
        self.container_logs(&self.run.container(node)).await
    }
}
