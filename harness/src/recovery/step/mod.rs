//! One file per step: how it is carried out. What is declared of it stands in the file of the same name in
//! `harness/src/scenario/step/`, whose registry makes the list here too.

use std::time::Duration;

use async_trait::async_trait;

use super::Procedure;
use crate::{
    scenario::step::{StepKind, steps},
    world::{Result, WorldError, WorldErrorKind},
};

/// How often a wait asks again.
pub(super) const EVERY: Duration = Duration::from_millis(20);

/// The limit of a step is the one that counts; this one only keeps the world from waiting for ever.
const FOR_EVER: Duration = Duration::from_secs(600);

/// How a step is carried out.
#[async_trait]
pub(super) trait Act: Sync {
    /// Does it, and says what came of it.
    async fn act(&self, procedure: &Procedure) -> Result<String>;
}

macro_rules! acts {
    ($($(#[$doc:meta])+ $key:ident: $Step:ident,)+) => {
        $(mod $key;)+

        /// How a kind of step is carried out.
        pub(super) fn act(kind: &StepKind) -> &dyn Act {
            match kind {
                $(StepKind::$Step(it) => it,)+
            }
        }
    };
}
steps!(acts);

fn not_found(doing: &str, what: impl Into<String>) -> WorldError {
    WorldError::new(WorldErrorKind::NotFound, doing, what)
}
