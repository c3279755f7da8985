//! Real containers.
//!
//! [`DockerWorld`] is the one implementation of the ports that acts on a Docker engine. Its rooms: `names` and
//! `subnet` say what a run's things are called and which addresses they have; `images`, `networks`, `resolver`, `nodes`,
//! `gate`, `relay`, `helper` and `array` make them; `power`, `links`, `exec`, `backups`, `storage`, `damage`, `traffic` and
//! `questions` are the ports; `provision` makes and removes by the ledger's words. [`capacity`] is what its machine has to
//! give. [`sweep`] removes what other runs left, `devices` also
//! what has no label, and [`doctor`] says what an engine can do.

mod array;
mod backups;
pub mod capacity;
mod damage;
mod devices;
mod dockerfile;
pub mod doctor;
mod environment;
mod errors;
mod exec;
mod gate;
mod helper;
mod images;
mod impaired;
mod limits;
mod links;
mod names;
mod networks;
mod nodes;
mod partitions;
mod power;
mod programs;
mod provision;
mod questions;
mod reading;
mod relay;
mod resolver;
mod shell;
mod sql;
mod storage;
mod subnet;
pub mod sweep;
mod tarball;
mod traffic;
mod walls;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use blackstart_reports::record;
use bollard::Docker;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

pub use names::RunIdentity;
pub use programs::find_program;

use self::{array::Array, errors::Doing, helper::Helper, images::Image, sql::Connections, subnet::Subnet};
use super::{Result, World, WorldError, WorldErrorKind};
use crate::{plan::Plan, scenario::system::Role, secrets};

/// How long the engine may take to answer a request.
const ENGINE_WITHIN: Duration = Duration::from_secs(60);

/// How long a connection of clients is kept for their next request. Each is an open file, which the removal may need.
const IDLE_WITHIN: Duration = Duration::from_secs(5);

/// The world of one run on a Docker engine. Everything that it makes carries the run's label.
pub struct DockerWorld {
    docker: Docker,
    run: RunIdentity,
    /// Made for this run and never shown: it goes into nodes as a file, and to databases when they ask.
    password: String,
    tools: OnceCell<Image>,
    /// One for all environments of the run.
    array: Arc<Array>,
    /// Keeps connections: the clients' requests.
    http: reqwest::Client,
    /// Keeps none: every question is asked anew.
    fresh_http: reqwest::Client,
    sql: Connections,
    /// Helpers that the engine has been asked for, whoever still waits for them.
    making: TaskTracker,
    /// Set once the resolver answers.
    resolver: OnceCell<()>,
    /// Held by whoever takes a container out of the run's networks.
    leaving: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

/// What the run has learned of itself so far.
#[derive(Default)]
struct Known {
    images: BTreeMap<String, Image>,
    subnet: Option<Subnet>,
    edge: Option<Subnet>,
    /// Where the file lies, on the engine's machine, that leads nodes to the resolver.
    resolv_conf: Option<String>,
    hosts: BTreeMap<String, u8>,
    /// The nodes that publish a port.
    published: BTreeSet<String>,
    /// The node and port that clients use.
    service: Option<(String, u16)>,
    /// Where that is reached from here; none while the node is down.
    service_port: Option<u16>,
    relay_ports: BTreeMap<(String, u16), u16>,
    helpers: BTreeMap<String, Helper>,
    /// Volumes of another environment that nodes here may read, by node.
    lent: BTreeMap<String, String>,
}

impl DockerWorld {
    /// Connects to the engine that `DOCKER_HOST` names, or to the usual one, and agrees on a version with it.
    ///
    /// # Errors
    /// Where no engine answers.
    pub async fn connect(run: RunIdentity) -> Result<Self> {
        Self::with(connect_engine().await?, run, make_password())
    }

    fn with(docker: Docker, run: RunIdentity, password: String) -> Result<Self> {
        let http = |idle: usize| {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .pool_max_idle_per_host(idle)
                .pool_idle_timeout(IDLE_WITHIN)
                .build()
                .map_err(|error| {
                    WorldError::new(WorldErrorKind::Other, "make an HTTP client", error.to_string()).caused_by(error)
                })
        };
        Ok(Self {
            docker,
            run,
            password,
            tools: OnceCell::new(),
            array: Arc::default(),
            http: http(256)?,
            fresh_http: http(0)?,
            sql: Connections::default(),
            making: TaskTracker::new(),
            resolver: OnceCell::new(),
            leaving: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        })
    }

    /// What the engine calls itself: the same from wherever it is asked.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn engine(&self) -> Result<String> {
        sweep::engine_name(&self.docker).await
    }

    /// Says which node and port the clients use. Making a node with a published port says it too.
    pub fn set_service(&self, node: &str, port: u16) {
        self.known().service = Some((node.to_owned(), port));
    }

    /// Leaves everything standing when this value goes: helpers would otherwise be removed with it. The edge is left by all who
    /// are on it, as their walls there end with the first start by hand.
    ///
    /// # Errors
    /// Where somebody could not be taken off the edge.
    pub async fn keep(&self) -> Result<()> {
        let helpers: Vec<Helper> = self.known().helpers.values().cloned().collect();
        for helper in helpers {
            helper.lock().await.forget();
        }
        self.clear_edges().await
    }

    /// What the run knows. No one holds this across an await, and no one panics while holding it.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subnet(&self, doing: &str) -> Result<Subnet> {
        let happened = "the networks of the run were not made";
        self.known().subnet.ok_or_else(|| WorldError::new(WorldErrorKind::NotFound, doing, happened))
    }

    fn edge(&self, doing: &str) -> Result<Subnet> {
        let happened = "the networks of the run were not made";
        self.known().edge.ok_or_else(|| WorldError::new(WorldErrorKind::NotFound, doing, happened))
    }

    fn host_of(&self, node: &str, doing: &str) -> Result<u8> {
        let happened = format!("no node that was made knows an address of {node}");
        self.known().hosts.get(node).copied().ok_or_else(|| WorldError::new(WorldErrorKind::NotFound, doing, happened))
    }

    /// A text without the run's password, whoever printed it.
    fn redact(&self, text: &str) -> String {
        secrets::redact(text)
    }
}

impl World for DockerWorld {
    fn kind(&self) -> record::World {
        record::World::Docker
    }

    fn beside(&self, environment: &str, plan: &Plan) -> Result<Arc<dyn World>> {
        let mut copy = Self::with(self.docker.clone(), self.run.beside(environment), self.password.clone())?;
        copy.array = Arc::clone(&self.array);
        let repositories =
            plan.nodes.iter().map(|planned| &planned.node).filter(|node| node.role == Role::BackupRepository);
        copy.known().lent =
            repositories.map(|repository| (repository.name.clone(), self.run.volume(&repository.name))).collect();
        Ok(Arc::new(copy))
    }
}

/// The engine, by a version that it understands.
async fn connect_engine() -> Result<Docker> {
    let doing = "connect to the Docker engine";
    let docker = Docker::connect_with_defaults().doing(doing)?.with_timeout(ENGINE_WITHIN);
    docker.negotiate_version().await.doing(doing)
}

fn make_password() -> String {
    let password: String = rand::random::<[u8; 16]>().iter().map(|byte| format!("{byte:02x}")).collect();
    secrets::keep(&password);
    password
}
