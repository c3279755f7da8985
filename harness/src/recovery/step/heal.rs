//! Every reversible fault that is in place ends.

use super::{Act, Procedure};
use crate::{scenario::step::HealStep, world::Result};

#[async_trait::async_trait]
impl Act for HealStep {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let mut healed = Vec::new();
        for fault in procedure.in_place.lock().await.iter_mut() {
            if fault.stands() && fault.fault.effects().reversible {
                procedure.scene.heal(fault).await?;
                healed.push(fault.fault.kind.key());
            }
        }
        tokio::time::sleep(self.settle.duration()).await;
        Ok(if healed.is_empty() { "nothing was in place".to_owned() } else { format!("healed {}", healed.join(", ")) })
    }
}
