//! What an engine can do, tried on it: each probe makes a small run of its own and removes it.
//!
//! A scenario that needs what is missing ends as *could not run*, with the reason that is found here, and never as a
//! weaker fault under the same name.

use std::{collections::BTreeMap, time::Duration};

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{StartContainerOptions, WaitContainerOptions};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{DockerWorld, RunIdentity, array::make_array_image, errors::Doing, images, limits, nodes::volume_mount};
use crate::world::{
    ArraySpec, Limits, NodeSpec, Power, Provision, RelayTarget, Resource, Result, Storage, WorldError, WorldErrorKind,
};

/// The image that everything of ours is built on.
pub const BASE_IMAGE: &str = "debian:trixie-slim";
/// The node of the probes.
const NODE: &str = "probe";
/// The last part of its address.
const HOST: u8 = 11;
/// The name by which the node's image goes.
const IMAGE: &str = "blackstart tools";
/// Less free room than this is too little for a drill.
const FREE_DISK_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// How long one probe may take.
const PROBE_WITHIN: Duration = Duration::from_secs(20);

/// What one probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeResult {
    /// What was tried.
    pub name: &'static str,
    /// Whether every drill on containers needs it, and not just some.
    pub is_vital: bool,
    /// Whether it works.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What needs it.
    pub needed_for: &'static str,
    /// What a person can do where it does not work.
    pub mend: &'static str,
}

/// A probe: what it tries, what needs it, and what mends it.
struct Probe {
    name: &'static str,
    is_vital: bool,
    needed_for: &'static str,
    mend: &'static str,
}

impl Probe {
    fn found(&self, result: Result<String>) -> ProbeResult {
        let (ok, detail) = match result {
            Ok(detail) => (true, detail),
            Err(error) => (false, error.happened),
        };
        let Self { name, is_vital, needed_for, mend } = *self;
        ProbeResult { name, is_vital, ok, detail, needed_for, mend }
    }
}

const ENGINE: Probe = Probe {
    name: "engine",
    is_vital: true,
    needed_for: "every drill on real containers",
    mend: "start the Docker engine (`ci/setup` does it on Debian), and let this user reach its socket",
};
const BASE: Probe = Probe {
    name: "base image",
    is_vital: true,
    needed_for: "building images",
    mend: "`ci/setup` pulls or bootstraps it",
};
const BUILD: Probe = Probe {
    name: "build",
    is_vital: true,
    needed_for: "building images",
    mend: "let containers of a build reach a Debian mirror, or set the engine's proxy",
};
const PUBLISH: Probe = Probe {
    name: "publish",
    is_vital: true,
    needed_for: "reaching nodes from the harness",
    mend: "let the engine publish ports on 127.0.0.1 (userland-proxy, iptables)",
};
const PARTITION: Probe = Probe {
    name: "partition",
    is_vital: false,
    needed_for: "network faults: partitions of nodes, zones and sites",
    mend: "let containers have NET_ADMIN, on a kernel with nf_tables",
};
const LIMIT: Probe = Probe {
    name: "limit",
    is_vital: false,
    needed_for: "network faults: slow links",
    mend: "run on a kernel with the htb queueing discipline (sch_htb)",
};
const NETEM: Probe = Probe {
    name: "netem",
    is_vital: false,
    needed_for: "latency and loss made by the kernel",
    mend: "run on a kernel with sch_netem, or leave latency out",
};
const ARRAY: Probe = Probe {
    name: "storage array",
    is_vital: false,
    needed_for: "storage faults and snapshots of a consistency group",
    mend: "let containers have SYS_ADMIN, MKNOD and loop devices, on a kernel from 5.10 on with btrfs and XFS",
};
const DISK: Probe = Probe {
    name: "disk",
    is_vital: true,
    needed_for: "every drill on real containers",
    mend: "free some: `docker system df` tells what is held",
};

/// Tries everything. Where no engine answers, that is the only result.
pub async fn examine(owner: &str) -> Vec<ProbeResult> {
    let run = RunIdentity::new(format!("doctor-{:08x}", rand::random::<u32>()), owner);
    let world = match DockerWorld::connect(run).await {
        Ok(world) => world,
        Err(error) => return vec![ENGINE.found(Err(error))],
    };
    let mut results = vec![ENGINE.found(version(&world).await), BASE.found(base(&world).await)];
    let built = world.tools_image(&|_| {}).await.map(|image| image.tag.clone());
    let can_build = built.is_ok();
    results.push(BUILD.found(built));
    if can_build {
        results.extend(world.try_containers().await);
    }
    results
}

async fn version(world: &DockerWorld) -> Result<String> {
    let version = world.docker.version().await.doing("ask the engine's version")?;
    let known = |word: Option<String>| word.unwrap_or_else(|| "unknown".to_owned());
    Ok(format!("Docker {}, API {}", known(version.version), known(version.api_version)))
}

async fn base(world: &DockerWorld) -> Result<String> {
    let missing = || WorldError::new(WorldErrorKind::NotFound, "look for the base image", "it is not here");
    let image = images::find(&world.docker, BASE_IMAGE).await?.ok_or_else(missing)?;
    Ok(format!("{BASE_IMAGE} is {}", image.id.get(..19).unwrap_or_default()))
}

impl DockerWorld {
    /// A node with its helper and its relay, what can be done with them, and their removal.
    async fn try_containers(&self) -> Vec<ProbeResult> {
        if let Some(image) = self.tools.get() {
            self.known().images.insert(IMAGE.to_owned(), image.clone());
        }
        let published = self.probe_publishing().await;
        let stands = published.is_ok();
        let mut results = vec![PUBLISH.found(published)];
        if stands {
            let made = self.create(&Resource::Helper { node: NODE.to_owned() }).await;
            let rules = "nft list tables; nft add table inet trial; nft delete table inet trial; echo nft works";
            let cut = match made {
                Ok(()) => self.in_helper(rules).await,
                Err(error) => Err(error),
            };
            results.push(PARTITION.found(cut));
            results.push(LIMIT.found(self.in_helper(&try_queue("htb")).await));
            results.push(NETEM.found(self.in_helper(&try_queue("netem delay 1ms")).await));
            results.push(DISK.found(self.free_disk().await));
            results.push(ARRAY.found(self.try_array().await));
        }
        for resource in resources().iter().rev() {
            if let Err(error) = self.remove(resource).await {
                tracing::warn!(%error, "the doctor left something behind; `blackstart sweep` removes it");
            }
        }
        results
    }

    async fn probe_publishing(&self) -> Result<String> {
        for resource in resources() {
            match &resource {
                Resource::Helper { .. } => {}
                Resource::Relay { .. } => {
                    self.start(NODE).await?;
                    self.create(&resource).await?;
                }
                _ => self.create(&resource).await?,
            }
        }
        Ok("a container's port answers on 127.0.0.1".to_owned())
    }

    async fn in_helper(&self, script: &str) -> Result<String> {
        let doing = "try the network";
        let none = || WorldError::new(WorldErrorKind::NotFound, doing, "there is no helper to try it in");
        let helper = self.helper(NODE).ok_or_else(none)?;
        let output = self.in_namespace(NODE, &mut *helper.lock().await, doing, script).await?;
        let last = output.output.lines().last().unwrap_or_default().trim().to_owned();
        match output.status {
            0 => Ok(last),
            _ => Err(WorldError::new(WorldErrorKind::Answered, doing, last)),
        }
    }

    async fn free_disk(&self) -> Result<String> {
        let said = self.in_helper("df -Pk / | tail -n 1 | { read -r _ _ _ free _; echo $free; }").await?;
        let bytes = said.parse::<u64>().unwrap_or_default() * 1024;
        let detail = format!("{} MB free where the engine keeps its containers", bytes / 1_000_000);
        if bytes >= FREE_DISK_BYTES {
            return Ok(detail);
        }
        Err(WorldError::new(WorldErrorKind::DiskFull, "look at the disk", detail))
    }

    /// A small array with one disk: a node's container writes on it, a snapshot is taken, and what lies there is looked at.
    async fn try_array(&self) -> Result<String> {
        let doing = "try a storage array";
        let image = make_array_image(&self.docker, &|_| {}).await?;
        let size = 320 * 1024 * 1024;
        let spec = ArraySpec { pool_bytes: size, disk_bytes: size, remote_bytes: None };
        let made = [Resource::Array(spec), Resource::Disk { node: NODE.to_owned(), from: None }];
        let tried = timeout(PROBE_WITHIN, self.use_array(&made, image.tag, doing)).await;
        self.remove_container(&self.run.container("writer"), doing).await?;
        for resource in made.iter().rev() {
            self.remove(resource).await?;
        }
        let late = || WorldError::new(WorldErrorKind::TimedOut, doing, format!("nothing within {PROBE_WITHIN:?}"));
        tried.map_err(|_| late())?
    }

    async fn use_array(&self, made: &[Resource], image: String, doing: &str) -> Result<String> {
        for resource in made {
            self.create(resource).await?;
        }
        let write = "echo there >/disk/file; sync -f /disk/file; grep ' /disk ' /proc/mounts";
        let body = ContainerCreateBody {
            image: Some(image),
            cmd: Some(["sh", "-ec", write].map(str::to_owned).to_vec()),
            labels: Some(self.run.labels("node", Some("writer"))),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(vec![volume_mount(self.run.volume(NODE), "/disk")]),
                ..self.host_config(limits::OWN)
            }),
            ..Default::default()
        };
        let (status, said) = self.run_to_end(&self.run.container("writer"), body, doing).await?;
        if status != 0 {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, said));
        }
        self.snapshot("probe").await?;
        let state = self.inspect(NODE).await?;
        let seen = format!("a node writes on {}, a snapshot is taken", said.split(' ').next().unwrap_or_default());
        if state.is_sound { Ok(seen) } else { Err(WorldError::new(WorldErrorKind::Answered, doing, state.detail)) }
    }

    async fn run_to_end(&self, name: &str, body: ContainerCreateBody, doing: &str) -> Result<(i64, String)> {
        self.make_container(name, body).await?;
        self.docker.start_container(name, None::<StartContainerOptions>).await.doing(doing)?;
        let ended = self.docker.wait_container(name, None::<WaitContainerOptions>).next().await;
        let status = match ended {
            Some(Ok(ended)) => ended.status_code,
            _ => 1,
        };
        Ok((status, self.container_logs(name).await?.trim().to_owned()))
    }
}

/// Everything that the probes make, in order.
fn resources() -> [Resource; 4] {
    let spec = NodeSpec {
        name: NODE.to_owned(),
        image: IMAGE.to_owned(),
        command: Vec::new(),
        environment: BTreeMap::new(),
        host: HOST,
        neighbours: Vec::new(),
        data: None,
        files: Vec::new(),
        password_file: None,
        published: None,
        capabilities: Vec::new(),
        limits: Limits::default(),
    };
    [
        Resource::Networks,
        Resource::Node(Box::new(spec)),
        Resource::Relay { targets: vec![RelayTarget { node: NODE.to_owned(), host: HOST, port: 1 }] },
        Resource::Helper { node: NODE.to_owned() },
    ]
}

/// A script that puts a queueing discipline in place and takes it away again.
fn try_queue(kind: &str) -> String {
    let word = kind.split(' ').next().unwrap_or_default();
    format!("tc qdisc add dev lo root handle 1: {kind}\ntc qdisc del dev lo root\necho {word} works\n")
}
