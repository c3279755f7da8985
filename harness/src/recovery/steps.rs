//! The steps of a procedure, carried out one after the other.

use std::{sync::Arc, time::Duration};

use blackstart_reports::record::{Status, StepResult};
use tokio::sync::Mutex;

use super::secondary::Secondary;
use crate::{
    fault::{InPlace, Scene},
    plan::{FaultAction, PlannedBackup, PlannedStep, StepAction, fill_in_all},
    scenario::{
        drill::{Interruption, RestoreTo},
        system::Database,
    },
    topology,
    world::{Moment, NodeState, Point, Result, SqlTarget, WorldError, WorldErrorKind, WriteAttempt},
};

/// The faults that are in place, shared between what injects them and what heals them.
pub type Standing = Arc<Mutex<Vec<InPlace>>>;

/// How long a command may take where nothing is said, in milliseconds.
pub(super) const STEP_MS: u64 = 30_000;

/// How often a wait asks again.
const EVERY: Duration = Duration::from_millis(20);

/// The limit of a step is the one that counts; this one only keeps the world from waiting for ever.
const FOR_EVER: Duration = Duration::from_secs(600);

/// A procedure on the way.
pub struct Procedure {
    /// What it works on.
    pub scene: Scene,
    /// What it can heal.
    pub standing: Standing,
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
        let done = tokio::time::timeout(step.within, self.act(&step.action)).await;
        let (status, detail) = match done {
            Ok(Ok(detail)) => (Status::Passed, detail),
            Ok(Err(error)) if matches!(error.kind, WorldErrorKind::EngineGone | WorldErrorKind::WithoutEffect) => {
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

    async fn act(&self, action: &StepAction) -> Result<String> {
        let world = self.scene.world.as_ref();
        let within = FOR_EVER;
        match action {
            StepAction::Operation { name, node, run } => {
                world.operate(name, node, run, within).await?.success(format!("{name} on {node}"))
            }
            StepAction::Command(command) => {
                let doing = format!("{} on {}", command.run.join(" "), command.on);
                world.run(&command.on, &command.run, within).await?.success(doing)
            }
            StepAction::PowerOff { node } => {
                world.kill(node).await?;
                world.await_down(node).await.map(|()| "no process is left".to_owned())
            }
            StepAction::Start { node } => self.start(node).await,
            StepAction::Heal { settle } => self.heal_all(*settle).await,
            StepAction::Restore { node, backup, to, interrupted } => {
                self.restore(node, backup, to, interrupted.as_ref()).await
            }
            StepAction::Revert { backup } => self.revert(backup).await,
            StepAction::Secondary(action) => self.at_secondary(action).await,
            StepAction::BringBack => self.bring_back().await,
            StepAction::Redirect { to } => {
                let doing = format!("redirect clients to the {} environment", to.name());
                Err(WorldError::new(WorldErrorKind::Other, doing, "where clients go is for the drill to say"))
            }
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
        self.until_lost(node).await;
        scene.world.await_down(node).await?;
        scene.start_again(node).await?;
        Ok("it answers".to_owned())
    }

    /// A node that is down is started, and not waited for: without data it has nothing to answer with.
    async fn restore(
        &self,
        node: &str,
        backup: &PlannedBackup,
        to: &RestoreTo,
        interrupted: Option<&Interruption>,
    ) -> Result<String> {
        let doing = format!("restore {node} from {}", backup.id);
        let missing = |what: String| WorldError::new(WorldErrorKind::NotFound, &doing, what);
        let taken = self.scene.on_shelf(&backup.id).await.ok_or_else(|| missing("it was not taken".to_owned()))?;
        let command = backup.restore.as_ref().ok_or_else(|| missing("it cannot be restored by itself".to_owned()))?;
        let point = match to {
            RestoreTo::End => Point::End,
            RestoreTo::Backup => Point::Backup,
            RestoreTo::TimeBeforeChange => Point::Time(self.before_change(&doing).await?.time),
            RestoreTo::PositionBeforeChange => Point::Position(self.before_change(&doing).await?.position),
            RestoreTo::Point(id) => {
                let marked = self.scene.on_shelf(id).await.ok_or_else(|| missing(format!("{id} was not marked")))?;
                Point::Named(marked.label)
            }
        };
        self.until_lost(node).await;
        let world = self.scene.world.as_ref();
        if world.state(node).await? == NodeState::Down {
            world.start(node).await?;
        }
        let values = [("backup", taken.label.clone()), ("point", point.to_string())];
        let command = fill_in_all(command, &values);
        let attempt = || async {
            world.restore(node, &taken, &point, &command, FOR_EVER).await?.success(format!("restore on {node}"))
        };
        let Some(interruption) = interrupted else { return attempt().await };
        let half_way = fill_in_all(backup.half_way.restore.as_deref().unwrap_or_default(), &values);
        let half_done = world.begin_restore(node, &half_way, FOR_EVER).await?;
        let seen = self.scene.interrupt("the restore", interruption, half_done).await?;
        if interruption.kill == node {
            world.start(node).await?;
        } else {
            self.scene.start_again(&interruption.kill).await?;
        }
        Ok(format!("{seen}; then from the beginning: {}", attempt().await?))
    }

    /// Every node goes down, every disk goes back, and all come up again: what the array took is a state of the whole.
    async fn revert(&self, backup: &PlannedBackup) -> Result<String> {
        let Scene { world, plan, .. } = &self.scene;
        let missing = || {
            WorldError::new(WorldErrorKind::NotFound, format!("put disks back to {}", backup.id), "it was not taken")
        };
        let taken = self.scene.on_shelf(&backup.id).await.ok_or_else(missing)?;
        for node in taken.disks.keys() {
            self.until_lost(node).await;
        }
        topology::fall(world.as_ref(), plan).await?;
        for (node, saved) in &taken.disks {
            world.revert(node, saved).await?;
        }
        topology::rise(world.as_ref(), plan).await?;
        Ok(format!("{} disks as of {}; every node is ready", taken.disks.len(), backup.id))
    }

    /// A node that is being killed, or whose data is being lost, cannot be started before that is complete. It shows in its
    /// proof; should that never come, the run ends with the error of the fault.
    async fn until_lost(&self, node: &str) {
        let is_under_way = |fault: &InPlace| {
            let action = &fault.fault.action;
            matches!(action, FaultAction::Kill | FaultAction::LoseData | FaultAction::LosePower | FaultAction::LoseSite)
                && fault.proof.is_empty()
                && fault.fault.victims.iter().any(|it| it == node)
        };
        while self.standing.lock().await.iter().any(is_under_way) {
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn before_change(&self, doing: &str) -> Result<Moment> {
        let moment = self.standing.lock().await.iter().find_map(|fault| fault.moment.clone());
        moment.ok_or_else(|| WorldError::new(WorldErrorKind::NotFound, doing, "no change was made"))
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
