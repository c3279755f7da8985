//! Every reversible fault that is in place ends.

use super::{Act, Procedure};
use crate::{scenario::step::HealStep, world::Result};

#[async_trait::async_trait]
impl Act for HealStep {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let mut healed = Vec::new();
        for standing in procedure.standing.lock().await.iter_mut() {
            if standing.stands() && standing.fault.effects().reversible {
                procedure.scene.heal(standing).await?;
                healed.push(standing.fault.kind.key());
            }
        }
        tokio::time::sleep(self.settle.duration()).await;
        Ok(if healed.is_empty() { "nothing was in place".to_owned() } else { format!("healed {}", healed.join(", ")) })
    }
}
