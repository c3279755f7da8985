//! Faults of storage: power that goes with what was not flushed, a disk that is full, a disk that is gone, a whole site.

use futures_util::future::try_join_all;

use super::{Scene, process, without_effect};
use crate::world::{Marks, NodeState, Result, WriteAttempt};

/// Takes the power of disks and nodes away.
pub async fn lose_power(scene: &Scene, victims: &[String]) -> Result<()> {
    scene.world.lose_unflushed(victims).await?;
    try_join_all(victims.iter().map(|node| scene.world.kill(node))).await.map(drop)
}

/// Of two marks that were put on each disk just before, the flushed one is there and the other is not.
pub async fn prove_power_lost(scene: &Scene, victims: &[String]) -> Result<String> {
    let killed = process::prove_killed(scene, victims).await?;
    let marks = victims.iter().map(|node| async move {
        match scene.world.marks(node).await? {
            Marks { flushed: true, unflushed: false } => {
                Ok(format!("the disk of {node} kept a flushed mark and lost one that was not flushed"))
            }
            Marks { flushed, unflushed } => {
                let is = |there| if there { "there" } else { "gone" };
                let seen = format!("the flushed mark is {}, the other one {}", is(flushed), is(unflushed));
                Err(without_effect(&format!("the disk of {node} lost only what was not flushed"), seen))
            }
        }
    });
    Ok(format!("{}; {killed}", try_join_all(marks).await?.join("; ")))
}

/// Fills the disks of the victims. Says how much it took.
pub async fn fill(scene: &Scene, victims: &[String]) -> Result<String> {
    let filled = victims.iter().map(|node| async move {
        let bytes = scene.world.fill(node).await?;
        Ok(format!("{:.0} MB filled the disk of {node}", bytes as f64 / 1e6))
    });
    Ok(try_join_all(filled).await?.join("; "))
}

/// A write on each disk fails.
pub async fn prove_no_write(scene: &Scene, victims: &[String]) -> Result<String> {
    let tried = victims.iter().map(|node| async move {
        match scene.world.try_disk(node).await? {
            WriteAttempt::Refused(words) => Ok(format!("a write on the disk of {node} fails: {words}")),
            WriteAttempt::Accepted => Err(without_effect(&format!("the disk of {node} takes no write"), "it took one")),
        }
    });
    Ok(try_join_all(tried).await?.join("; "))
}

/// Makes room again, and sees a write succeed.
pub async fn make_room(scene: &Scene, victims: &[String]) -> Result<()> {
    let healed = victims.iter().map(|node| async move {
        scene.world.make_room(node).await?;
        match scene.world.try_disk(node).await? {
            WriteAttempt::Accepted => Ok(()),
            WriteAttempt::Refused(words) => {
                Err(without_effect(&format!("the disk of {node} takes writes again"), words))
            }
        }
    });
    try_join_all(healed).await.map(drop)
}

/// The victims that have a disk.
fn with_disk(scene: &Scene, victims: &[String]) -> Vec<String> {
    let disks: Vec<&str> = scene.plan.disks().collect();
    victims.iter().filter(|node| disks.contains(&node.as_str())).cloned().collect()
}

/// Takes away the disks of a site whose nodes were just killed. Nothing of it can be read or started any more.
pub async fn lose_site(scene: &Scene, victims: &[String]) -> Result<String> {
    let killed = process::prove_killed(scene, victims).await?;
    let disks = with_disk(scene, victims);
    try_join_all(disks.iter().map(|node| scene.world.fail_disk(node))).await?;
    let gone = prove_no_write(scene, &disks).await?;
    Ok([killed, gone].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; "))
}

/// Takes the disks of running victims away.
pub async fn fail(scene: &Scene, victims: &[String]) -> Result<()> {
    for node in victims {
        let state = scene.world.state(node).await?;
        if state != NodeState::Running {
            return Err(without_effect(&format!("{node} loses its disk while it runs"), format!("it is {state:?}")));
        }
    }
    try_join_all(victims.iter().map(|node| scene.world.fail_disk(node))).await.map(drop)
}
