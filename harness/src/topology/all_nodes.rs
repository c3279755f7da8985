//! A whole system stopped and started: what has to happen around anything that is done to its disks.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::until_ready;
use crate::{
    plan::Plan,
    scenario::system::{Node, Role},
    world::{NodeState, Result, World},
};

/// How long one node may take to shut down cleanly.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// The nodes of a plan in the order in which they come up: those with data, and then those that use it. The one that clients reach
/// stays up, so that they are refused rather than hang; and so do backup repositories, which are no part of what they protect.
fn in_order(plan: &Plan) -> [Vec<&Node>; 2] {
    let front = &plan.declared.system.service.node;
    let nodes = plan
        .nodes
        .iter()
        .map(|planned| &planned.node)
        .filter(|node| node.role != Role::BackupRepository && (node.name != *front || node.data.is_some()));
    let (with_data, others) = nodes.partition(|node| node.data.is_some());
    [with_data, others]
}

/// Shuts every node down cleanly: first what uses data, then what holds it.
///
/// # Errors
/// When one does not stop.
pub async fn stop_all(world: &dyn World, plan: &Plan) -> Result<()> {
    let [with_data, others] = in_order(plan);
    for rank in [others, with_data] {
        let running = running(world, rank).await?;
        try_join_all(running.into_iter().map(|node| world.stop(&node.name, STOP_WITHIN))).await?;
    }
    Ok(())
}

/// Kills every node that holds data or uses it, and waits until none has a process left.
///
/// # Errors
/// When the world cannot.
pub async fn kill_all(world: &dyn World, plan: &Plan) -> Result<()> {
    let nodes = in_order(plan).concat();
    try_join_all(nodes.iter().map(|node| async {
        if world.state(&node.name).await? != NodeState::Down {
            world.kill(&node.name).await?;
        }
        world.await_down(&node.name).await
    }))
    .await
    .map(drop)
}

/// Starts every node that is down: first what holds data, and once that is ready, what uses it.
///
/// # Errors
/// When one does not become ready in time.
pub async fn start_all(world: &dyn World, plan: &Plan) -> Result<()> {
    for rank in in_order(plan) {
        try_join_all(rank.iter().map(|node| async {
            if world.state(&node.name).await? == NodeState::Down {
                world.start(&node.name).await?;
            }
            until_ready(world, plan, node).await
        }))
        .await?;
    }
    Ok(())
}

async fn running<'a>(world: &dyn World, nodes: Vec<&'a Node>) -> Result<Vec<&'a Node>> {
    let states = join_all(nodes.iter().map(|node| world.state(&node.name))).await;
    let pairs = nodes.into_iter().zip(states).map(|(node, state)| Ok((node, state?)));
    let pairs: Vec<(&Node, NodeState)> = pairs.collect::<Result<_>>()?;
    Ok(pairs.into_iter().filter(|(_, state)| *state != NodeState::Down).map(|(node, _)| node).collect())
}
