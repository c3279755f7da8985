//! What partitions have in common: a map from a node to the nodes that it refuses.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::try_join_all;

use super::{Scene, Seen, without_effect};
use crate::world::{Result, WorldError, WorldErrorKind};

pub(super) async fn partition(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Result<Seen> {
    scene.world.refuse(refuses).await.map(|()| Seen::default())
}

/// How long a node may take to answer once a partition has ended.
const HEALED_WITHIN: Duration = Duration::from_secs(5);

/// From every helper, the nodes that are refused can no longer be reached, and, where the partition leaves any, another can.
pub(super) async fn prove_partition(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Result<String> {
    let pairs = pairs(scene, refuses);
    let tries = pairs.iter().map(|(from, to)| async move {
        if scene.world.reaches(from, to).await? {
            return Err(without_effect(
                &format!("{from} is partitioned from {to}"),
                "packets still get there and back",
            ));
        }
        Ok(())
    });
    try_join_all(tries).await?;
    let listed: Vec<String> = pairs.iter().take(4).map(|(from, to)| format!("{from} → {to}")).collect();
    let more =
        if pairs.len() > listed.len() { format!(" and {} more", pairs.len() - listed.len()) } else { String::new() };
    Ok(format!("a connection gets no answer: {}{more}", listed.join(", ")))
}

/// Ends that, and sees the same pairs reach each other again.
pub(super) async fn mend(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Result<()> {
    scene.world.accept(refuses).await?;
    let pairs = pairs(scene, refuses);
    try_join_all(pairs.iter().map(|(from, to)| prove_reached(scene, from, to))).await.map(drop)
}

/// A node reaches another. What answers late, on a busy machine, is asked again.
async fn prove_reached(scene: &Scene, from: &str, to: &str) -> Result<()> {
    let deadline = tokio::time::Instant::now() + HEALED_WITHIN;
    while !scene.world.reaches(from, to).await? {
        if tokio::time::Instant::now() >= deadline {
            let doing = format!("see that {from} reaches {to} again");
            return Err(WorldError::new(WorldErrorKind::Other, doing, "a connection still gets no answer"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The pairs that can be tried: from a node with a helper to another that is up.
fn pairs(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    let from_helpers = refuses.iter().filter(|(node, _)| scene.plan.has_helper(node));
    from_helpers.flat_map(|(node, from)| from.iter().map(move |peer| (node.clone(), peer.clone()))).collect()
}
