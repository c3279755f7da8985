//! The steps of a procedure, carried out one after the other.

use std::{sync::Arc, time::Duration};

use blackstart_reports::record::{Status, StepResult};
use tokio::sync::Mutex;

use crate::{
    fault::{InPlace, Scene},
    plan::{PlannedStep, StepAction},
    scenario::system::Database,
    world::{CommandOutput, Result, SqlTarget, WorldError, WorldErrorKind, WriteAttempt},
};

/// The faults that are in place, shared between what injects them and what heals them.
pub type Standing = Arc<Mutex<Vec<InPlace>>>;

/// How often a wait asks again.
const EVERY: Duration = Duration::from_millis(20);

/// A procedure on the way.
pub struct Procedure {
    /// What it works on.
    pub scene: Scene,
    /// What it can heal.
    pub standing: Standing,
}

impl Procedure {
    /// Carries out one step. A step that does not do what it should is a result, as it is the recovery that fails; only
    /// an engine that is gone is an error of ours.
    ///
    /// # Errors
    /// When the world itself is gone.
    pub async fn carry_out(&self, step: &PlannedStep) -> Result<StepResult> {
        let began_us = self.scene.clock.now_us();
        let done = tokio::time::timeout(step.within, self.act(&step.action)).await;
        let (status, detail) = match done {
            Ok(Ok(detail)) => (Status::Passed, detail),
            Ok(Err(error)) if error.kind == WorldErrorKind::EngineGone => return Err(error),
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

    async fn act(&self, action: &StepAction) -> Result<String> {
        let world = self.scene.world.as_ref();
        // The limit of the step is the one that counts; this one only keeps the world from waiting for ever.
        let within = Duration::from_secs(600);
        match action {
            StepAction::Operation { name, node, run } => {
                succeeded(name, node, world.operate(name, node, run, within).await?)
            }
            StepAction::Command(command) => {
                let doing = command.run.join(" ");
                succeeded(&doing, &command.on, world.run(&command.on, &command.run, within).await?)
            }
            StepAction::PowerOff { node } => {
                world.kill(node).await?;
                world.await_down(node).await.map(|()| "no process is left".to_owned())
            }
            StepAction::Start { node } => self.start(node).await,
            StepAction::Heal { settle } => self.heal_all(*settle).await,
            StepAction::AwaitWriter { database, name, node } => self.await_writer(database, name, node).await,
            StepAction::RefusesWrites { node, database, name, user, statement } => {
                let target = target(node, name, database);
                match world.attempt_write(&target, user, statement, within).await? {
                    WriteAttempt::Refused(words) => Ok(format!("refused: {words}")),
                    WriteAttempt::Accepted => {
                        let doing = format!("see {node} refuse writes");
                        Err(WorldError::new(WorldErrorKind::Answered, doing, "it would have taken the write"))
                    }
                }
            }
        }
    }

    async fn start(&self, node: &str) -> Result<String> {
        let scene = &self.scene;
        scene.world.await_down(node).await?;
        scene.world.start(node).await?;
        if let Some(planned) = scene.plan.node(node) {
            crate::topology::until_ready(scene.world.as_ref(), &scene.plan, &planned.node).await?;
        }
        Ok("it answers".to_owned())
    }

    async fn heal_all(&self, settle: Duration) -> Result<String> {
        let mut healed = Vec::new();
        for standing in self.standing.lock().await.iter_mut() {
            if standing.stands() && standing.fault.action.is_reversible() {
                self.scene.heal(standing).await?;
                healed.push(standing.fault.kind);
            }
        }
        tokio::time::sleep(settle).await;
        Ok(if healed.is_empty() { "nothing was in place".to_owned() } else { format!("healed {}", healed.join(", ")) })
    }

    async fn await_writer(&self, database: &Database, name: &str, node: &str) -> Result<String> {
        let target = target(node, name, database);
        loop {
            if let Ok(true) = self.scene.world.is_writer(&target, Duration::from_secs(1)).await {
                return Ok("it takes writes".to_owned());
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

fn target(node: &str, name: &str, database: &Database) -> SqlTarget {
    SqlTarget { node: node.to_owned(), database: name.to_owned(), access: database.clone() }
}

fn succeeded(name: &str, node: &str, done: CommandOutput) -> Result<String> {
    let output = done.output.trim().to_owned();
    if done.status == 0 {
        return Ok(output);
    }
    let happened = format!("exit status {}: {output}", done.status);
    Err(WorldError::new(WorldErrorKind::Answered, format!("{name} on {node}"), happened))
}
