//! From a plan to a running topology, and back to nothing.
//!
//! Whatever is made is announced in the ledger first and removed in reverse order, on every way out. Knows nothing of
//! faults, load or verdicts.

mod all_nodes;
pub mod ledger;
pub mod owner;
mod ready;
mod specs;
pub mod sweep;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::{join_all, try_join_all};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::{
    plan::{Plan, or_default},
    scenario::{fault::Tool, system::Command},
    world::{Resource, Result, Saved, World, WorldError, WorldErrorKind},
};
pub use all_nodes::{kill_all, start_all, stop_all};
use ledger::Ledger;
pub use ready::{ask, until_ready};
pub use specs::images;

/// How long the removal of everything may take before what is left is reported instead.
const TEAR_DOWN_WITHIN: Duration = Duration::from_secs(90);

/// How long the world may take to list what is left.
const LIST_WITHIN: Duration = Duration::from_secs(30);

/// How long to wait for files to be closed where no more may be open.
const FILES_POLL: Duration = Duration::from_millis(200);

/// What a caller hears while a topology is made.
pub type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// The running topology of one run.
pub struct Topology {
    world: Arc<dyn World>,
    ledger: Ledger,
    /// What goes before every name in the ledger: the environment, where the run has several.
    prefix: String,
    announced: Vec<Resource>,
    /// Requests to make something run to their end even when the drill is cancelled: an engine that has been asked
    /// makes the thing anyway, and it could then no longer be seen in time to be removed.
    making: TaskTracker,
}

impl Topology {
    /// Nothing yet.
    pub fn new(world: Arc<dyn World>, ledger: Ledger) -> Self {
        Self { world, ledger, prefix: String::new(), announced: Vec::new(), making: TaskTracker::new() }
    }

    /// Nothing yet, of another environment of the same run.
    pub fn beside(world: Arc<dyn World>, ledger: Ledger, environment: &str) -> Self {
        Self { prefix: format!("{environment}: "), ..Self::new(world, ledger) }
    }

    /// Makes everything that a plan needs and waits until it is ready. Gives the digests of the images by name.
    ///
    /// # Errors
    /// The first thing that could not be made, or did not become ready in time. What was made by then stays until
    /// [`Topology::tear_down`].
    pub async fn provision(&mut self, plan: &Plan, say: Say<'_>) -> Result<BTreeMap<String, String>> {
        let images = self.make(plan, say).await?;
        self.set_up(plan, say).await?;
        Ok(images)
    }

    /// Makes everything that a plan needs, and waits for nothing.
    ///
    /// # Errors
    /// The first thing that could not be made.
    pub async fn make(&mut self, plan: &Plan, say: Say<'_>) -> Result<BTreeMap<String, String>> {
        let images = self.lay_out(plan, &BTreeMap::new(), say).await?;
        self.populate(plan, say).await?;
        Ok(images)
    }

    /// Makes what nodes need before they can be made: images, networks, volumes, and disks that begin with what was saved of them.
    ///
    /// # Errors
    /// The first thing that could not be made.
    pub async fn lay_out(
        &mut self,
        plan: &Plan,
        saved: &BTreeMap<String, Saved>,
        say: Say<'_>,
    ) -> Result<BTreeMap<String, String>> {
        let images = self.lay_networks(plan, say).await?;
        self.make_all(specs::volumes(plan, saved, &|_| true)).await?;
        Ok(images)
    }

    /// Makes images and networks, and the storage array where there is one.
    ///
    /// # Errors
    /// The first thing that could not be made.
    pub async fn lay_networks(&mut self, plan: &Plan, say: Say<'_>) -> Result<BTreeMap<String, String>> {
        let images = self.world.prepare_images(&specs::images(plan), &|line| say(line)).await?;
        say("networks");
        // An environment beside the run's own has its disks in the same array.
        let array = specs::array(plan).filter(|_| self.prefix.is_empty());
        if array.is_some() {
            say("the storage array");
        }
        self.make_all([Resource::Networks].into_iter().chain(array).collect()).await?;
        Ok(images)
    }

    /// Makes the volumes and disks of some nodes; a disk begins with what was saved of it.
    ///
    /// # Errors
    /// The first thing that could not be made.
    pub async fn lay_disks(&mut self, plan: &Plan, saved: &BTreeMap<String, Saved>, nodes: &[String]) -> Result<()> {
        self.make_all(specs::volumes(plan, saved, &|name| nodes.iter().any(|node| node == name))).await
    }

    /// Makes and starts some nodes, and the relay where it is not there yet.
    ///
    /// # Errors
    /// The first thing that could not be made.
    pub async fn make_nodes(&mut self, plan: &Plan, names: &[String]) -> Result<()> {
        let nodes = specs::nodes(plan)?.into_iter().filter(|spec| names.contains(&spec.name));
        // Databases take longest to come up, and everything else waits for them: they boot while the rest is made.
        let (databases, others): (Vec<_>, Vec<_>) = nodes.partition(|spec| spec.data.is_some());
        self.make_all(databases.into_iter().map(|spec| Resource::Node(Box::new(spec))).collect()).await?;
        let relay = Resource::Relay { targets: specs::relay_targets(plan) };
        let relay = (!self.announced.contains(&relay)).then_some(relay);
        let others = others.into_iter().map(|spec| Resource::Node(Box::new(spec)));
        self.make_all(others.chain(relay).collect()).await
    }

    /// Makes and starts the nodes, and what reaches them.
    ///
    /// # Errors
    /// The first thing that could not be made.
    pub async fn populate(&mut self, plan: &Plan, say: Say<'_>) -> Result<()> {
        let names: Vec<String> = plan.nodes.iter().map(|planned| planned.node.name.clone()).collect();
        say(&format!("{} nodes", names.len()));
        self.make_nodes(plan, &names).await?;
        let helpers = plan.with_tool(Tool::Helper).into_iter().map(|node| Resource::Helper { node: node.to_owned() });
        let wipers = plan.with_tool(Tool::Wiper).into_iter().map(|node| Resource::Wiper { node: node.to_owned() });
        self.make_all(helpers.chain(wipers).collect()).await
    }

    /// Makes the helpers of running nodes that have none yet.
    ///
    /// # Errors
    /// The first that could not be made.
    pub async fn make_helpers(&mut self, nodes: &[String]) -> Result<()> {
        let helpers = nodes.iter().map(|node| Resource::Helper { node: node.clone() });
        let missing = helpers.filter(|helper| !self.announced.contains(helper)).collect();
        self.make_all(missing).await
    }

    /// Waits until every node is ready.
    ///
    /// # Errors
    /// When one does not become so in time.
    pub async fn all_ready(&self, plan: &Plan) -> Result<()> {
        let world = self.world.as_ref();
        try_join_all(plan.nodes.iter().map(|planned| until_ready(world, plan, &planned.node))).await.map(drop)
    }

    async fn make_all(&mut self, resources: Vec<Resource>) -> Result<()> {
        for resource in &resources {
            let name = format!("{}{}", self.prefix, resource.name());
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
        // One that hangs would take all of that time for every single thing.
        if let Err(gone) = self.world.answers().await
            && gone.kind == WorldErrorKind::EngineGone
        {
            return vec![self.without_engine(&gone)];
        }
        let mut left = match tokio::time::timeout(TEAR_DOWN_WITHIN, self.remove_all()).await {
            Ok(Ok(left)) => left,
            Ok(Err(gone)) => return vec![self.without_engine(&gone)],
            Err(_) => vec![format!("the removal did not end within {TEAR_DOWN_WITHIN:?}")],
        };
        match tokio::time::timeout(LIST_WITHIN, patiently(|| self.world.leftovers())).await {
            Ok(Ok(found)) => left.extend(found),
            Ok(Err(error)) => left.push(format!("what is left could not be listed: {error}")),
            Err(_) => left.push(format!("what is left could not be listed within {LIST_WITHIN:?}")),
        }
        // The run itself is still there when an environment beside it goes.
        if left.is_empty() && self.prefix.is_empty() {
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
        patiently(|| self.world.remove(resource)).await?;
        // The labels on the engine decide what is left; the ledger only helps a sweep to know when to stop.
        let _ = self.ledger.removed(&format!("{}{}", self.prefix, resource.name()));
        Ok(())
    }
}

/// Asks again for as long as no more files may be open: the engine is well, and others close theirs by and by. What goes on in
/// the time of the whole removal is bounded by that.
async fn patiently<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    loop {
        match ask().await {
            Err(error) if error.kind == WorldErrorKind::TooManyFiles => sleep(FILES_POLL).await,
            other => return other,
        }
    }
}

/// Groups of things that can be removed side by side: all containers, then what they use.
fn ranks(resources: Vec<Resource>) -> Vec<Vec<Resource>> {
    let rank = |resource: &Resource| match resource {
        Resource::Networks | Resource::Array(_) => 0,
        Resource::Volume { .. } | Resource::Disk { .. } => 1,
        Resource::Node(_) | Resource::Relay { .. } | Resource::Helper { .. } | Resource::Wiper { .. } => 2,
    };
    let mut ranks = vec![Vec::new(), Vec::new(), Vec::new()];
    for resource in resources {
        ranks[rank(&resource)].push(resource);
    }
    ranks
}

async fn run_setup(world: &dyn World, command: &Command) -> Result<()> {
    let done = world.run(&command.on, &command.run, or_default(command.within, 30_000)).await?;
    done.success(format!("set up on {}: {}", command.on, command.run.join(" "))).map(drop)
}

fn ledger_error(name: &str, error: &std::io::Error) -> WorldError {
    let kind =
        if error.kind() == std::io::ErrorKind::StorageFull { WorldErrorKind::DiskFull } else { WorldErrorKind::Other };
    WorldError::new(kind, format!("write `{name}` into the ledger"), error.to_string())
}

fn task_error(panic: &tokio::task::JoinError) -> WorldError {
    WorldError::new(WorldErrorKind::Other, "finish a step of our own", panic.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_want_of_files_is_asked_again_and_nothing_else_is() {
        let asked = AtomicU32::new(0);
        let ask = |kind: WorldErrorKind| {
            let turn = asked.fetch_add(1, Ordering::Relaxed);
            async move { if turn < 5 { Err(WorldError::new(kind, "remove it", "no")) } else { Ok(turn) } }
        };
        assert_eq!(patiently(|| ask(WorldErrorKind::TooManyFiles)).await.ok(), Some(5));
        asked.store(0, Ordering::Relaxed);
        assert!(patiently(|| ask(WorldErrorKind::EngineGone)).await.is_err());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
