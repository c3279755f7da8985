//! What faults of processes have in common: killing and pausing them.

use futures_util::future::try_join_all;

use super::{PROOF_WITHIN, Scene, Seen, first_line, without_effect};
use crate::{
    topology,
    world::{NodeState, Result},
};

/// Kills every victim. It counts from the delivery of the signal.
pub(super) async fn kill(scene: &Scene, victims: &[String]) -> Result<Seen> {
    try_join_all(victims.iter().map(|node| scene.world.kill(node))).await.map(|_| Seen::default())
}

pub(super) async fn pause(scene: &Scene, victims: &[String]) -> Result<Seen> {
    try_join_all(victims.iter().map(|node| scene.world.pause(node))).await.map(|_| Seen::default())
}

/// Ends that.
pub(super) async fn unpause(scene: &Scene, victims: &[String]) -> Result<()> {
    try_join_all(victims.iter().map(|node| scene.world.unpause(node))).await.map(drop)
}

/// Each victim has no process left, and its own question is no longer answered.
pub(super) async fn prove_killed(scene: &Scene, victims: &[String]) -> Result<String> {
    try_join_all(victims.iter().map(|victim| scene.world.await_down(victim))).await?;
    prove_state(scene, victims, NodeState::Down, "has no process").await
}

/// Each victim is paused, and its own question is no longer answered.
pub(super) async fn prove_paused(scene: &Scene, victims: &[String]) -> Result<String> {
    prove_state(scene, victims, NodeState::Paused, "is paused").await
}

async fn prove_state(scene: &Scene, victims: &[String], expected: NodeState, words: &str) -> Result<String> {
    let proofs = victims.iter().map(|victim| async move {
        let state = scene.world.state(victim).await?;
        if state != expected {
            return Err(without_effect(&format!("{victim} {words}"), format!("it is {state:?}")));
        }
        let asked = prove_silent(scene, victim).await?;
        Ok(format!("{victim} {words}{asked}"))
    });
    Ok(try_join_all(proofs).await?.join("; "))
}

/// Asks the question by which the node was found ready, and demands that there be no answer.
async fn prove_silent(scene: &Scene, victim: &str) -> Result<String> {
    let ready = scene.plan.node(victim).and_then(|planned| planned.node.ready.as_ref());
    let Some(ready) = ready else { return Ok(String::new()) };
    match topology::ask(scene.world.as_ref(), &scene.plan, victim, ready, PROOF_WITHIN).await {
        Ok(()) => Err(without_effect(&format!("{victim} is silent"), "it still answers")),
        Err(error) => Ok(format!(" and no longer answers ({})", first_line(&error.happened))),
    }
}
