//! When a node is ready: its own question, asked until it is answered.

use std::time::Duration;

use blackstart_evidence::checks::Evaluation;

use crate::{
    plan::{Plan, or_default},
    question::Asker,
    scenario::{
        question::{Question, Ready},
        system::Node,
    },
    world::{NodeState, Result, World, WorldError, WorldErrorKind},
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
    let try_within = if matches!(ready.kind, Question::CommandQuestion(_)) { RUN_WITHIN } else { TRY_WITHIN };
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

/// Asks a node's own question once.
///
/// # Errors
/// When it is not answered, or not as expected.
pub async fn ask(world: &dyn World, plan: &Plan, node: &str, ready: &Ready, within: Duration) -> Result<()> {
    let rows = Asker::new(world, plan).ask_node(node, &ready.kind, within).await?;
    let Some(expectation) = &ready.expect else { return Ok(()) };
    let Evaluation { deviations, detail } = expectation.evaluate(&rows);
    if deviations == 0 {
        return Ok(());
    }
    Err(WorldError::new(WorldErrorKind::Answered, format!("find {node} ready"), detail))
}
