//! A change has written what must not be.

use std::time::Duration;

use super::{Mechanism, Scene, Seen, without_effect};
use crate::{scenario::fault::BadChange, world::Result};

/// How long a change, or a look at what it did, may take.
const CHANGE_WITHIN: Duration = Duration::from_secs(10);

#[async_trait::async_trait]
impl Mechanism for BadChange {
    /// Makes the change where the database takes writes. What it gives is the moment just before it.
    async fn put_in_place(&self, scene: &Scene, _: &[String]) -> Result<Seen> {
        let target = scene.writer(&self.database).await?;
        let (before, rows) = scene.world.change(&target, &self.user, &self.statement, CHANGE_WITHIN).await?;
        let words = format!("{rows} rows changed on {} just after {} ({})", target.node, before.position, before.time);
        Ok(Seen { words, moment: Some(before) })
    }

    /// An alert may have the server taken down for a restore at any moment: what shows the change is asked at once.
    async fn prove_at_once(&self, scene: &Scene) -> Result<String> {
        let target = scene.writer(&self.database).await?;
        match scene.world.query(&target, &self.shows, CHANGE_WITHIN).await?.len() {
            0 => Err(without_effect("the change is there", "the query that shows it gives no row")),
            rows => Ok(format!("{rows} rows show it on {}", target.node)),
        }
    }

    async fn prove(&self, _: &Scene, _: &[String]) -> Result<String> {
        Ok(String::new())
    }
}
