//! When a node is ready: its own question, asked until it is answered. And which servers take writes.

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    plan::{Plan, or_default},
    scenario::system::{Database, Node, Ready},
    world::{NodeState, Result, SqlTarget, World, WorldError, WorldErrorKind},
};

/// How long between one try and the next.
const EVERY: Duration = Duration::from_millis(25);

/// How often the engine is asked meanwhile whether the node still runs.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long one try waits.
const TRY_WITHIN: Duration = Duration::from_secs(1);
/// A command takes longer to start than a question, where much is going on.
const RUN_WITHIN: Duration = Duration::from_secs(10);

/// Waits until a node answers its own question.
///
/// # Errors
/// When it does not in time, with its last answer and what it printed; at once when it has died.
pub async fn until_ready(world: &dyn World, plan: &Plan, node: &Node) -> Result<()> {
    let Some(ready) = &node.ready else { return Ok(()) };
    let within = or_default(ready.within, 30_000);
    let try_within = if ready.run.is_some() { RUN_WITHIN } else { TRY_WITHIN };
    let deadline = tokio::time::Instant::now() + within;
    let mut look_at = tokio::time::Instant::now() + LOOK_EVERY;
    loop {
        let Err(last) = ask(world, plan, &node.name, ready, try_within).await else { return Ok(()) };
        let now = tokio::time::Instant::now();
        let has_died = now >= look_at && matches!(world.state(&node.name).await, Ok(NodeState::Down));
        if now >= look_at {
            look_at = now + LOOK_EVERY;
        }
        if has_died || now >= deadline {
            let why = if has_died { "it ended by itself" } else { "it did not answer in time" };
            let printed = world.logs(&node.name).await.unwrap_or_default();
            let happened = format!("{why} ({within:?}); last: {}; it printed:\n{}", last.happened, printed.trim_end());
            return Err(WorldError::new(WorldErrorKind::TimedOut, format!("get {} ready", node.name), happened));
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Asks every server of a database whether it takes writes; the answers stand in the order of the declaration.
pub async fn ask_writers(
    world: &dyn World,
    name: &str,
    access: &Database,
    within: Duration,
) -> Vec<(SqlTarget, Result<bool>)> {
    join_all(access.nodes.iter().map(|node| async move {
        let target = SqlTarget { node: node.clone(), database: name.to_owned(), access: access.clone() };
        let answer = world.is_writer(&target, within).await;
        (target, answer)
    }))
    .await
}

/// Asks a node's own question once.
///
/// # Errors
/// When it is not answered.
pub async fn ask(world: &dyn World, plan: &Plan, node: &str, ready: &Ready, within: Duration) -> Result<()> {
    if let Some(sql) = &ready.sql {
        let access = plan.database(&sql.database).cloned().ok_or_else(|| {
            WorldError::new(WorldErrorKind::NotFound, format!("ask {node}"), format!("no database {}", sql.database))
        })?;
        let target = SqlTarget { node: node.to_owned(), database: sql.database.clone(), access };
        world.query(&target, &sql.query, within).await?;
    }
    if let Some(http) = &ready.http {
        let (status, body) = world.get(node, http.port, &http.path, within).await?;
        if status != 200 {
            let happened = format!("{status} {}", body.trim());
            return Err(WorldError::new(WorldErrorKind::Answered, format!("ask {node} for {}", http.path), happened));
        }
    }
    if let Some(command) = &ready.run {
        world.run(node, command, within).await?.success(format!("ask {node} by {}", command.join(" ")))?;
    }
    Ok(())
}
