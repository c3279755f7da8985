//! Faults of the network: cuts, as a map from a node to the nodes that it refuses, and slow links.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::try_join_all;

use super::{Scene, without_effect};
use crate::world::{Result, WorldError, WorldErrorKind};

/// How long a slow link may take to hold back its first byte, under load.
const SLOW_WITHIN: Duration = Duration::from_secs(5);

/// From every helper, the nodes that are refused can no longer be reached, and, where the cut leaves any, another can.
pub async fn prove_cut(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Result<String> {
    let pairs = pairs(scene, refuses);
    let tries = pairs.iter().map(|(from, to)| async move {
        if scene.world.reaches(from, to).await? {
            return Err(without_effect(&format!("{from} is cut off from {to}"), "packets still get there and back"));
        }
        Ok(())
    });
    try_join_all(tries).await?;
    let listed: Vec<String> = pairs.iter().take(4).map(|(from, to)| format!("{from} → {to}")).collect();
    let more =
        if pairs.len() > listed.len() { format!(" and {} more", pairs.len() - listed.len()) } else { String::new() };
    Ok(format!("a connection gets no answer: {}{more}", listed.join(", ")))
}

/// The same pairs reach each other again.
pub async fn prove_healed(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Result<()> {
    let pairs = pairs(scene, refuses);
    let tries = pairs.iter().map(|(from, to)| async move {
        if scene.world.reaches(from, to).await? {
            return Ok(());
        }
        let doing = format!("see that {from} reaches {to} again");
        Err(WorldError::new(WorldErrorKind::Other, doing, "a connection still gets no answer"))
    });
    try_join_all(tries).await.map(drop)
}

/// The link holds something back.
pub async fn prove_slow(scene: &Scene, from: &str, to: &str) -> Result<String> {
    let deadline = tokio::time::Instant::now() + SLOW_WITHIN;
    loop {
        let held_back = scene.world.held_back(from, to).await?;
        if held_back > 0 {
            return Ok(format!("{held_back} bytes from {from} to {to} were held back"));
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(without_effect(&format!("the link from {from} to {to} is slow"), "it holds nothing back"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The pairs that can be tried: from a node with a helper to another that is up.
fn pairs(scene: &Scene, refuses: &BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    let from_helpers = refuses.iter().filter(|(node, _)| scene.plan.helpers.contains(node));
    from_helpers.flat_map(|(node, from)| from.iter().map(move |peer| (node.clone(), peer.clone()))).collect()
}
