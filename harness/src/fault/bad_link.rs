//! A link that loses, doubles or delays packets.

use std::time::Duration;

use super::{Mechanism, Scene, Seen, without_effect};
use crate::{
    scenario::{fault::BadLink, units::Share},
    world::{Impairment, Packets, Result},
};

/// How long it may take, under load, until chance has hit a packet.
const SEEN_WITHIN: Duration = Duration::from_secs(10);

impl BadLink {
    fn impairment(&self) -> Impairment {
        let share = |share: Option<Share>| share.map_or(0.0, Share::fraction);
        let time = |span: Option<crate::scenario::units::Span>| span.map(|span| span.duration()).unwrap_or_default();
        Impairment {
            loss: share(self.loss),
            duplication: share(self.duplication),
            latency: time(self.latency),
            jitter: time(self.jitter),
        }
    }

    /// Whether everything was seen that was declared; what was not is named.
    fn unseen(&self, seen: &Packets) -> Option<&'static str> {
        let Impairment { loss, duplication, latency, .. } = self.impairment();
        let missing = [
            (loss > 0.0 && seen.lost == 0, "no packet was lost"),
            (duplication > 0.0 && seen.doubled == 0, "no packet was doubled"),
            (!latency.is_zero() && seen.delayed == 0, "no packet was delayed"),
        ];
        missing.into_iter().find(|(is_missing, _)| *is_missing).map(|(_, words)| words)
    }
}

#[async_trait::async_trait]
impl Mechanism for BadLink {
    async fn put_in_place(&self, scene: &Scene, _: &[String]) -> Result<Seen> {
        scene.world.impair(&self.from, &self.to, Some(self.impairment())).await.map(|()| Seen::default())
    }

    /// Packets were counted as they were lost, doubled and delayed.
    async fn prove(&self, scene: &Scene, _: &[String]) -> Result<String> {
        let Self { from, to, .. } = self;
        let deadline = tokio::time::Instant::now() + SEEN_WITHIN;
        loop {
            let seen = scene.world.impaired(from, to).await?;
            let Some(unseen) = self.unseen(&seen) else {
                let Packets { lost, doubled, delayed } = seen;
                return Ok(format!(
                    "from {from} to {to}, {lost} packets were lost, {doubled} doubled, {delayed} delayed"
                ));
            };
            if tokio::time::Instant::now() >= deadline {
                return Err(without_effect(&format!("the link from {from} to {to} is bad"), unseen));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn heal(&self, scene: &Scene, _: &[String]) -> Result<()> {
        scene.world.impair(&self.from, &self.to, None).await
    }
}
