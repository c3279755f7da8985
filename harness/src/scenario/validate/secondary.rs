//! Rules of the secondary environment: in which order its steps make sense.

use super::{Note, ScenarioRule, recovery::each_step};
use crate::scenario::{
    Scenario,
    step::{Environment, SecondaryKind, StepKind},
};

pub(super) const RULES: &[ScenarioRule] = &[order];

/// What a step is to the secondary environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It makes it.
    Installs,
    /// It needs it.
    Uses,
    /// It uses it for the last time.
    ShutsDown,
    /// It needs what it left.
    BringsBack,
}

fn part(kind: &StepKind) -> Option<Part> {
    match kind {
        StepKind::SecondaryStep(step) => Some(match step.kind {
            SecondaryKind::Install(_) => Part::Installs,
            SecondaryKind::ShutDown(_) => Part::ShutsDown,
            _ => Part::Uses,
        }),
        StepKind::RedirectStep(redirect) => (redirect.to == Environment::Secondary).then_some(Part::Uses),
        StepKind::BringBack(_) => Some(Part::BringsBack),
        _ => None,
    }
}

/// Nothing is done at an environment before it is installed, and nothing is brought back from one that is not shut down.
fn order(scenario: &Scenario) -> Vec<Note> {
    let (mut is_installed, mut is_down) = (false, false);
    let mut notes = Vec::new();
    for (key, step) in each_step(scenario) {
        let part = part(&step.kind);
        if matches!(part, Some(Part::Uses | Part::ShutsDown)) && !is_installed {
            let mend = "begin with `secondary: {install: {}}`";
            notes.push(Note::new(&key, "the secondary environment is not installed before this step", mend));
        }
        if part == Some(Part::BringsBack) && !is_down {
            let problem = "what still runs at the secondary environment cannot be brought back whole";
            let mend = "shut it down before, by `secondary: {shut_down: {}}`";
            notes.push(Note::new(format!("{key}.bring_back"), problem, mend));
        }
        is_installed |= part == Some(Part::Installs);
        is_down |= part == Some(Part::ShutsDown);
    }
    notes
}
