//! From a plan to a running topology, and back to nothing.
//!
//! Whatever is made is announced in the ledger first and removed in reverse order, on every way out. Knows nothing of
//! faults, load or verdicts.

pub mod ledger;
pub mod owner;
mod ready;
mod specs;
pub mod sweep;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::{join_all, try_join_all};
use tokio_util::task::TaskTracker;

use crate::{
    plan::{Plan, or_default},
    scenario::system::Command,
    world::{Resource, Result, World, WorldError, WorldErrorKind},
};
use ledger::Ledger;
pub use ready::{ask, until_ready};

/// How long the removal of everything may take before what is left is reported instead.
const TEAR_DOWN_WITHIN: Duration = Duration::from_secs(90);

/// How long the world may take to list what is left.
const LIST_WITHIN: Duration = Duration::from_secs(30);

/// What a caller hears while a topology is made.
pub type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// The running topology of one run.
pub struct Topology {
    world: Arc<dyn World>,
    ledger: Ledger,
    announced: Vec<Resource>,
    /// Requests to make something run to their end even when the drill is cancelled: an engine that has been asked
    /// makes the thing anyway, and it could then no longer be seen in time to be removed.
    making: TaskTracker,
}

impl Topology {
    /// Nothing yet.
    pub fn new(world: Arc<dyn World>, ledger: Ledger) -> Self {
        Self { world, ledger, announced: Vec::new(), making: TaskTracker::new() }
    }

    /// Makes everything that a plan needs and waits until it is ready. Gives the digests of the images by name.
    ///
    /// # Errors
    /// The first thing that could not be made, or did not become ready in time. What was made by then stays until
    /// [`Topology::tear_down`].
    pub async fn provision(&mut self, plan: &Plan, say: Say<'_>) -> Result<BTreeMap<String, String>> {
        let images = self.world.prepare_images(&specs::images(plan), &|line| say(line)).await?;
        say("networks");
        self.make_all(vec![Resource::Networks]).await?;
        let nodes = specs::nodes(plan)?;
        let volumes = nodes.iter().filter(|spec| spec.data.is_some());
        self.make_all(volumes.map(|spec| Resource::Volume { node: spec.name.clone() }).collect()).await?;
        say(&format!("{} nodes", nodes.len()));
        let mut resources: Vec<Resource> = nodes.into_iter().map(|spec| Resource::Node(Box::new(spec))).collect();
        resources.push(Resource::Relay { targets: specs::relay_targets(plan) });
        self.make_all(resources).await?;
        let helpers = plan.helpers.iter().map(|node| Resource::Helper { node: node.clone() }).collect();
        self.make_all(helpers).await?;
        self.set_up(plan, say).await?;
        Ok(images)
    }

    async fn make_all(&mut self, resources: Vec<Resource>) -> Result<()> {
        for resource in &resources {
            let name = resource.name();
            self.ledger.announce(&name).map_err(|error| ledger_error(&name, &error))?;
            self.announced.push(resource.clone());
        }
        let make = |resource: Resource| {
            let world = Arc::clone(&self.world);
            self.making.spawn(async move {
                world.create(&resource).await?;
                // A node starts as soon as it is made: one that has others to wait for waits by itself.
                match &resource {
                    Resource::Node(spec) => world.start(&spec.name).await,
                    _ => Ok(()),
                }
            })
        };
        let tasks: Vec<_> = resources.into_iter().map(make).collect();
        for done in join_all(tasks).await {
            done.unwrap_or_else(|panic| Err(task_error(&panic)))?;
        }
        Ok(())
    }

    /// Databases first, then the commands that make a fresh system ready for work, then everything else.
    async fn set_up(&self, plan: &Plan, say: Say<'_>) -> Result<()> {
        let world = self.world.as_ref();
        let is_database = |name: &str| plan.node(name).is_some_and(|planned| planned.node.data.is_some());
        let (databases, others): (Vec<_>, Vec<_>) =
            plan.nodes.iter().partition(|planned| is_database(&planned.node.name));
        say("databases become ready");
        try_join_all(databases.into_iter().map(|planned| until_ready(world, plan, &planned.node))).await?;
        for command in &plan.declared.system.setup {
            say(command.about.as_deref().unwrap_or("set up"));
            run_setup(world, command).await?;
        }
        say("applications become ready");
        try_join_all(others.into_iter().map(|planned| until_ready(world, plan, &planned.node))).await?;
        Ok(())
    }

    /// Removes everything, in reverse order, and gives what is left. Takes no notice of any cancellation.
    pub async fn tear_down(&mut self) -> Vec<String> {
        let mut left = match tokio::time::timeout(TEAR_DOWN_WITHIN, self.remove_all()).await {
            Ok(Ok(left)) => left,
            Ok(Err(gone)) => return vec![self.without_engine(&gone)],
            Err(_) => vec![format!("the removal did not end within {TEAR_DOWN_WITHIN:?}")],
        };
        match tokio::time::timeout(LIST_WITHIN, self.world.leftovers()).await {
            Ok(Ok(found)) => left.extend(found),
            Ok(Err(error)) => left.push(format!("what is left could not be listed: {error}")),
            Err(_) => left.push(format!("what is left could not be listed within {LIST_WITHIN:?}")),
        }
        if left.is_empty() {
            self.ledger.close();
        }
        left
    }

    /// What could not be removed. An engine that is gone is an error: then there is no use in asking for the rest.
    async fn remove_all(&self) -> Result<Vec<String>> {
        self.making.close();
        self.making.wait().await;
        let mut left = Vec::new();
        for rank in ranks(self.announced.clone()).into_iter().rev() {
            for removed in join_all(rank.iter().map(|resource| self.remove(resource))).await {
                match removed {
                    Err(error) if error.kind == WorldErrorKind::EngineGone => return Err(error),
                    Err(error) => left.push(error.to_string()),
                    Ok(()) => {}
                }
            }
        }
        Ok(left)
    }

    fn without_engine(&self, gone: &WorldError) -> String {
        format!(
            "everything that was made ({} things by the ledger): {}; once the engine answers again, \
             `blackstart sweep` removes it",
            self.announced.len(),
            gone.happened
        )
    }

    async fn remove(&self, resource: &Resource) -> Result<()> {
        self.world.remove(resource).await?;
        // The labels on the engine decide what is left; the ledger only helps a sweep to know when to stop.
        let _ = self.ledger.removed(&resource.name());
        Ok(())
    }
}

/// Groups of things that can be removed side by side: those of one kind that were announced one after the other.
fn ranks(resources: Vec<Resource>) -> Vec<Vec<Resource>> {
    let rank = |resource: &Resource| match resource {
        Resource::Networks => 0,
        Resource::Volume { .. } => 1,
        Resource::Node(_) => 2,
        Resource::Relay { .. } | Resource::Helper { .. } => 3,
    };
    let mut ranks = vec![Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for resource in resources {
        ranks[rank(&resource)].push(resource);
    }
    ranks
}

async fn run_setup(world: &dyn World, command: &Command) -> Result<()> {
    let done = world.run(&command.on, &command.run, or_default(command.within, 30_000)).await?;
    if done.status == 0 {
        return Ok(());
    }
    let doing = format!("set up on {}: {}", command.on, command.run.join(" "));
    let happened = format!("exit status {}: {}", done.status, done.output.trim());
    Err(WorldError::new(WorldErrorKind::Answered, doing, happened))
}

fn ledger_error(name: &str, error: &std::io::Error) -> WorldError {
    let kind =
        if error.kind() == std::io::ErrorKind::StorageFull { WorldErrorKind::DiskFull } else { WorldErrorKind::Other };
    WorldError::new(kind, format!("write `{name}` into the ledger"), error.to_string())
}

fn task_error(panic: &tokio::task::JoinError) -> WorldError {
    WorldError::new(WorldErrorKind::Other, "finish a step of our own", panic.to_string())
}
