//! Requests of clients. A client sleeps until there is a point in looking; what happens meanwhile happens in the model.

use async_trait::async_trait;
use tokio::time::sleep_until;

use super::super::{
    SimulatedWorld,
    flight::{FlightId, Look},
};
use crate::world::{Outgoing, Reply, Traffic};

#[async_trait]
impl Traffic for SimulatedWorld {
    async fn send(&self, request: &Outgoing<'_>) -> Reply {
        let (flight, look_us) = self.submit(request);
        sleep_until(self.clock.at_us(look_us)).await;
        loop {
            // Made before the look, so that no change between the two goes unnoticed.
            let changed = self.changed.notified();
            let look = self.now().model.look(flight);
            match look {
                Look::Returned(reply) => return reply,
                Look::Later(at_us) => sleep_until(self.clock.at_us(at_us)).await,
                Look::Hanging(at_us) => tokio::select! {
                    () = sleep_until(self.clock.at_us(at_us)) => {}
                    () = changed => {}
                },
            }
        }
    }
}

impl SimulatedWorld {
    fn submit(&self, request: &Outgoing<'_>) -> (FlightId, u64) {
        let model = &mut self.now().model;
        let statuses = model.shape.statuses.get(request.kind).copied().unwrap_or_default();
        model.submit(request.token.to_owned(), statuses, request.deadline.as_micros() as u64)
    }
}
