//! When a node is ready: its own question, asked until it is answered.

use std::time::Duration;

use crate::{
    plan::{Plan, or_default},
    scenario::system::{Node, Ready},
    world::{NodeState, Result, SqlTarget, World, WorldError, WorldErrorKind},
};

/// How long between one try and the next.
const EVERY: Duration = Duration::from_millis(25);

/// How long one try waits.
const TRY_WITHIN: Duration = Duration::from_secs(1);

/// Waits until a node answers its own question.
///
/// # Errors
/// When it does not in time, with its last answer and what it printed; at once when it has died.
pub async fn until_ready(world: &dyn World, plan: &Plan, node: &Node) -> Result<()> {
    let Some(ready) = &node.ready else { return Ok(()) };
    let within = or_default(ready.within, 30_000);
    let deadline = tokio::time::Instant::now() + within;
    loop {
        let Err(last) = ask(world, plan, &node.name, ready, TRY_WITHIN).await else { return Ok(()) };
        let has_died = matches!(world.state(&node.name).await, Ok(NodeState::Down));
        if has_died || tokio::time::Instant::now() >= deadline {
            let why = if has_died { "it ended by itself" } else { "it did not answer in time" };
            let printed = world.logs(&node.name).await.unwrap_or_default();
            let happened = format!("{why} ({within:?}); last: {}; it printed:\n{}", last.happened, printed.trim_end());
            return Err(WorldError::new(WorldErrorKind::TimedOut, format!("get {} ready", node.name), happened));
        }
        tokio::time::sleep(EVERY).await;
    }
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
    Ok(())
}
