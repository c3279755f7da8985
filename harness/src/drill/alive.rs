//! Whether the engine still answers, asked for as long as a drill goes on. What waits for an engine that hangs would otherwise
//! look like a step that failed, or a check.

use std::{convert::Infallible, future::pending, sync::OnceLock, time::Duration};

use blackstart_reports::record;
use tokio_util::sync::CancellationToken;

use crate::world::{World, WorldError, WorldErrorKind};

/// How often it is asked.
const EVERY: Duration = Duration::from_secs(1);

/// Lets a part of a drill go on, and tells it to end once the engine answers no more. Gives what the part came to, and the error
/// of an engine that was gone meanwhile, or is gone at its end.
pub(super) async fn unless_gone<T>(
    world: &dyn World,
    cancel: &CancellationToken,
    part: impl Future<Output = T>,
) -> (T, Option<WorldError>) {
    let gone = OnceLock::new();
    let watch = async {
        let _ = gone.set(until_gone(world).await);
        cancel.cancel();
        pending::<Infallible>().await
    };
    let ended = tokio::select! {
        biased;
        ended = part => ended,
        never = watch => match never {},
    };
    (ended, gone.into_inner().or(is_gone(world).await))
}

async fn until_gone(world: &dyn World) -> WorldError {
    // The model has no engine, and its clock would jump from question to question.
    if world.kind() == record::World::Simulated {
        pending::<()>().await;
    }
    loop {
        tokio::time::sleep(EVERY).await;
        if let Some(error) = is_gone(world).await {
            return error;
        }
    }
}

async fn is_gone(world: &dyn World) -> Option<WorldError> {
    world.answers().await.err().filter(|error| error.kind == WorldErrorKind::EngineGone)
}
