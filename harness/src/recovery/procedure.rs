//! A procedure on the way: its steps, carried out one after the other.

use std::sync::Arc;

use blackstart_reports::record::{Status, StepResult};
use tokio::sync::Mutex;

use super::{
    secondary::Secondary,
    step::{EVERY, act},
};
use crate::{
    fault::{InPlace, Scene},
    plan::PlannedStep,
    world::{Result, SqlTarget, WorldError, WorldErrorKind},
};

/// The faults that are in place, shared between what injects them and what heals them.
pub type FaultsInPlace = Arc<Mutex<Vec<InPlace>>>;

/// A procedure on the way.
pub struct Procedure {
    /// What it works on.
    pub scene: Scene,
    /// What it can heal.
    pub in_place: FaultsInPlace,
    /// The secondary environment, where the plan has one.
    pub secondary: Option<Secondary>,
}

impl Procedure {
    /// Carries out one step. A step that does not do what it should is a result, as it is the recovery that fails. What is an
    /// error of ours is an engine that is gone, and an interruption that had no effect.
    ///
    /// # Errors
    /// When the world itself is gone, or nothing was interrupted.
    pub async fn carry_out(&self, step: &PlannedStep) -> Result<StepResult> {
        let began_us = self.scene.clock.now_us();
        let done = tokio::time::timeout(step.within, act(&step.kind).act(self)).await;
        let (status, detail) = match done {
            Ok(Ok(detail)) => (Status::Passed, detail),
            Ok(Err(error)) if ends_the_run(error.kind) => {
                return Err(error);
            }
            Ok(Err(error)) => (Status::Failed, error.to_string()),
            Err(_) => (Status::Failed, format!("it did not end within {:?}", step.within)),
        };
        let now_us = self.scene.clock.now_us();
        Ok(StepResult {
            name: step.name.clone(),
            began_ms: began_us as f64 / 1e3,
            duration_ms: (now_us - began_us) as f64 / 1e3,
            status,
            detail,
        })
    }

    /// The secondary environment of the plan.
    ///
    /// # Errors
    /// Where the plan has none.
    pub fn secondary(&self) -> Result<&Secondary> {
        let none = || WorldError::new(WorldErrorKind::NotFound, "turn to the secondary environment", "there is none");
        self.secondary.as_ref().ok_or_else(none)
    }

    /// A node that is being killed, or whose data is being lost, cannot be started before that is complete. It shows in its
    /// proof; should that never come, the run ends with the error of the fault.
    pub(super) async fn until_lost(&self, node: &str) {
        let is_under_way = |fault: &InPlace| {
            fault.fault.effects().kills
                && fault.proof.is_empty()
                && fault.fault.victims.iter().any(|victim| victim == node)
        };
        while self.in_place.lock().await.iter().any(is_under_way) {
            tokio::time::sleep(EVERY).await;
        }
    }

    pub(super) fn target(&self, node: &str, database: &str) -> Result<SqlTarget> {
        let missing = || WorldError::new(WorldErrorKind::NotFound, format!("turn to {database}"), "no such database");
        let access = self.scene.plan.database(database).ok_or_else(missing)?.clone();
        Ok(SqlTarget { node: node.to_owned(), database: database.to_owned(), access })
    }
}

/// What tells nothing of the system, and so is no step that failed.
const fn ends_the_run(kind: WorldErrorKind) -> bool {
    matches!(kind, WorldErrorKind::EngineGone | WorldErrorKind::TooManyFiles | WorldErrorKind::WithoutEffect)
}
