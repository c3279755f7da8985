//! What faults of disks have in common.

use futures_util::future::try_join_all;

use super::{Scene, without_effect};
use crate::world::{Result, WriteAttempt};

/// A write on each disk fails.
pub(super) async fn prove_no_write(scene: &Scene, victims: &[String]) -> Result<String> {
    let tried = victims.iter().map(|node| async move {
        match scene.world.try_disk(node).await? {
            WriteAttempt::Refused(words) => Ok(format!("a write on the disk of {node} fails: {words}")),
            WriteAttempt::Accepted => Err(without_effect(&format!("the disk of {node} takes no write"), "it took one")),
        }
    });
    Ok(try_join_all(tried).await?.join("; "))
}
