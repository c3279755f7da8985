//! Clients are sent to another environment. They are the drill's, and so is this step.

use super::{Act, Procedure};
use crate::{
    scenario::step::RedirectStep,
    world::{Result, WorldError, WorldErrorKind},
};

#[async_trait::async_trait]
impl Act for RedirectStep {
    async fn act(&self, _: &Procedure) -> Result<String> {
        let doing = format!("redirect clients to the {} environment", self.to.name());
        Err(WorldError::new(WorldErrorKind::Other, doing, "where clients go is for the drill to say"))
    }
}
