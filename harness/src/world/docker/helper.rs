//! Helpers: a container that joins a node's network namespace with the right to change it, made through testcontainers.
//!
//! A helper is no part of its node: it goes on when the node is paused. But a node that is started again has a new
//! namespace, so its helper is made anew then, and gets everything that was wanted of the old one.

use std::{sync::Arc, time::Duration};

use bollard::models::HostConfig;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt, runners::AsyncRunner};
use tokio::sync::Mutex;

use super::{DockerWorld, errors::from_testcontainers, limits, partitions::Wanted, shell::Shell};
use crate::world::{CommandOutput, NodeState, Result, WorldError, WorldErrorKind};

const START_WITHIN: Duration = Duration::from_secs(30);
/// How long a helper may take to change its namespace.
const SCRIPT_WITHIN: Duration = Duration::from_secs(10);

/// A helper and what it keeps in place. Its lock is held while it changes something.
#[derive(Default)]
pub(super) struct Slot {
    running: Option<Running>,
    /// What is wanted of the namespace, whether or not the node is up.
    pub(super) wanted: Wanted,
    /// What is in place in the namespace that the helper is in.
    placed: Wanted,
}

struct Running {
    container: ContainerAsync<GenericImage>,
    /// Waits in it for scripts; none after one has failed.
    shell: Option<Shell>,
    /// When the node was started in whose namespace it is.
    node_since: String,
}

/// A helper, shared by those who use it.
pub(super) type Helper = Arc<Mutex<Slot>>;

impl Drop for Slot {
    /// testcontainers removes a container when its handle goes, which takes a runtime; without one it would panic.
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            self.forget();
        }
    }
}

impl Slot {
    /// Whether something is wanted that is not in place.
    pub(super) fn is_behind(&self) -> bool {
        self.wanted != self.placed
    }

    /// Lets go of the container without removing it.
    pub(super) fn forget(&mut self) {
        std::mem::forget(self.running.take());
    }
}

impl DockerWorld {
    /// The helper of a node, where it has one.
    pub(super) fn helper(&self, node: &str) -> Option<Helper> {
        self.known().helpers.get(node).cloned()
    }

    /// Makes the helper of a running node.
    pub(super) async fn make_helper(&self, node: &str) -> Result<()> {
        let helper = self.known().helpers.entry(node.to_owned()).or_default().clone();
        let mut slot = helper.lock().await;
        if self.renew(node, &mut slot).await? {
            return Ok(());
        }
        let happened = "the node is down: a helper joins a running node";
        Err(WorldError::new(WorldErrorKind::Other, format!("make the helper of {node}"), happened))
    }

    /// Makes sure that a helper is in the namespace that its node has now. False where the node is down and has none.
    pub(super) async fn renew(&self, node: &str, slot: &mut Slot) -> Result<bool> {
        let (state, since) = self.state_since(node).await?;
        if state == NodeState::Down {
            return Ok(false);
        }
        if slot.running.as_ref().is_some_and(|running| running.node_since == since) {
            return Ok(true);
        }
        self.remove_helper_container(node, slot).await?;
        let container = self.start_helper(node).await?;
        slot.running = Some(Running { container, shell: None, node_since: since });
        slot.placed = Wanted::default();
        self.in_namespace(node, slot, &format!("try the helper of {node}"), "nft list tables").await?;
        Ok(true)
    }

    async fn start_helper(&self, node: &str) -> Result<ContainerAsync<GenericImage>> {
        let doing = format!("make the helper of {node}");
        let image = self.tools_image(&|_| {}).await?.tag.clone();
        // In a task of its own: where the drill is cancelled meanwhile, the engine makes it all the same.
        let starting = self.making.spawn(self.helper_request(node, &image).start());
        let panicked =
            |panic: tokio::task::JoinError| WorldError::new(WorldErrorKind::Other, &doing, panic.to_string());
        let started = starting.await.map_err(panicked)?;
        if started.is_err() {
            // A start that fails half-way leaves its container behind.
            self.remove_container(&self.run.helper(node), &doing).await?;
        }
        started.map_err(|error| from_testcontainers(&doing, error))
    }

    /// The namespace is given straight to the engine: testcontainers' own `with_network` would first make a network
    /// called `container:…`, which nobody would label or find.
    fn helper_request(&self, node: &str, image: &str) -> ContainerRequest<GenericImage> {
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let namespace = format!("container:{}", self.run.container(node));
        let bounds = self.host_config(limits::OWN);
        GenericImage::new(name, tag)
            .with_cmd(["sleep", "infinity"])
            .with_container_name(self.run.helper(node))
            .with_labels(self.run.labels("helper", Some(node)))
            .with_startup_timeout(START_WITHIN)
            .with_host_config_modifier(move |config| {
                *config = HostConfig {
                    network_mode: Some(namespace.clone()),
                    cap_add: Some(vec!["NET_ADMIN".to_owned()]),
                    readonly_rootfs: Some(true),
                    ..bounds.clone()
                };
            })
    }

    /// Runs a script in a helper's namespace. A shell that fails is left, and the next script gets a new one.
    pub(super) async fn in_namespace(
        &self,
        node: &str,
        slot: &mut Slot,
        doing: &str,
        script: &str,
    ) -> Result<CommandOutput> {
        let happened = format!("the helper of {node} does not run");
        let none = || WorldError::new(WorldErrorKind::NotFound, doing, happened);
        let running = slot.running.as_mut().ok_or_else(none)?;
        let mut shell = match running.shell.take() {
            Some(shell) => shell,
            None => Shell::start(&self.docker, &self.run.helper(node), doing).await?,
        };
        let output = shell.run(script, SCRIPT_WITHIN, doing).await?;
        running.shell = Some(shell);
        Ok(output)
    }

    /// Puts in place what is wanted of a node's namespace. Where the node is down, its next start does.
    pub(super) async fn place_wanted(&self, node: &str, slot: &mut Slot, doing: &str) -> Result<()> {
        if !self.renew(node, slot).await? {
            return Ok(());
        }
        let own = self.subnet(doing)?.host(self.host_of(node, doing)?);
        let script = slot.wanted.script(&slot.placed, own);
        let output = self.in_namespace(node, slot, doing, &script).await?;
        if output.status != 0 {
            let happened = format!("in the helper of {node}: {}", output.output.trim());
            return Err(WorldError::new(WorldErrorKind::Answered, doing, happened));
        }
        slot.placed = slot.wanted.clone();
        Ok(())
    }

    /// After a start: what was refused is refused again.
    pub(super) async fn renew_rules(&self, node: &str) -> Result<()> {
        let Some(helper) = self.helper(node) else { return Ok(()) };
        let mut slot = helper.lock().await;
        if slot.wanted.is_empty() {
            return Ok(());
        }
        self.place_wanted(node, &mut slot, &format!("put the partitions of {node} in place again after its start"))
            .await
    }

    pub(super) async fn remove_helper(&self, node: &str) -> Result<()> {
        let helper = self.known().helpers.remove(node).unwrap_or_default();
        let mut slot = helper.lock().await;
        self.making.close();
        self.making.wait().await;
        self.remove_helper_container(node, &mut slot).await
    }

    async fn remove_helper_container(&self, node: &str, slot: &mut Slot) -> Result<()> {
        let removed = match slot.running.take() {
            Some(running) => running.container.rm().await.is_ok(),
            None => false,
        };
        if removed {
            return Ok(());
        }
        self.remove_container(&self.run.helper(node), &format!("remove the helper of {node}")).await
    }
}
