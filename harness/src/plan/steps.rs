//! The steps of a procedure, with their words and their time.

use super::{PlannedStep, Unplannable};
use crate::scenario::{
    Declared,
    step::{RestoreStep, RestoreTo, Step, Words},
};

/// Steps of a declaration that has been validated.
///
/// # Errors
/// When one names what is not declared.
pub fn steps(steps: &[Step], declared: &Declared) -> Result<Vec<PlannedStep>, Unplannable> {
    steps.iter().map(|step| plan_step(step, declared)).collect()
}

/// A step that puts a backup back on a node, no further than the backup itself goes.
///
/// # Errors
/// When the backup is not declared.
pub fn restore_step(node: &str, backup: &str, declared: &Declared) -> Result<PlannedStep, Unplannable> {
    let (backup, node) = (backup.to_owned(), Some(node.to_owned()));
    let restore = RestoreStep { backup, node, to: RestoreTo::Backup, interrupted: None };
    plan_step(&Step { about: None, kind: restore.into() }, declared)
}

fn plan_step(step: &Step, declared: &Declared) -> Result<PlannedStep, Unplannable> {
    let Declared { scenario, system, .. } = declared;
    let words = step.kind.declared().words(step.about.as_deref(), scenario, system).map_err(Unplannable::new)?;
    let Words { name, how, details, within } = words;
    Ok(PlannedStep { name, how, details, kind: step.kind.clone(), within })
}
