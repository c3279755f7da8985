//! Rules of detection, decision and the procedure. What only one step can break is a rule of that step, in its file in
//! `harness/src/scenario/step/`.

use super::{
    Note, PairRule, ScenarioRule,
    names::{exactly_one, more_than_nothing, not_empty},
};
use crate::scenario::{
    Scenario, System,
    drill::Recoverer,
    step::{Declares, Step},
    system::Role,
};

pub(super) const RULES: &[ScenarioRule] = &[recoverer, nothing_to_recover, detection, decision, steps, time_limit];
pub(super) const PAIR_RULES: &[PairRule] = &[steps_together, override_of_replication];

/// Those that look at each step by itself, wherever its list stands.
pub(super) const STEP_RULES: &[ScenarioRule] = &[steps];
pub(super) const STEP_PAIR_RULES: &[PairRule] = &[steps_together];

/// Every step of a scenario, with its key.
pub(super) fn each_step(scenario: &Scenario) -> impl Iterator<Item = (String, &Step)> {
    let recovery = &scenario.recovery;
    let lists = [("procedure", &recovery.procedure), ("afterwards", &recovery.afterwards)];
    lists.into_iter().flat_map(|(name, steps)| {
        steps.iter().enumerate().map(move |(index, step)| (format!("recovery.{name}[{index}]"), step))
    })
}

fn recoverer(scenario: &Scenario) -> Vec<Note> {
    let recovery = &scenario.recovery;
    let steps = |problem| {
        (!recovery.procedure.is_empty())
            .then(|| Note::new("recovery.procedure", problem, "drop the steps, or write `by: procedure`"))
    };
    let notes = match recovery.by {
        Recoverer::Procedure => {
            let without = "the procedure has no steps";
            let steps = recovery.procedure.is_empty();
            let steps =
                steps.then(|| Note::new("recovery.procedure", without, "write them, or let the system recover"));
            let without = "nothing says how the failure is detected";
            let mend = "add `detect`: which request, how often, and how many failures; or `alert`, for damage";
            let is_blind = recovery.detect.is_none() && recovery.alert.is_none();
            [steps, is_blind.then(|| Note::new("recovery.detect", without, mend))]
        }
        Recoverer::System => [steps("the system recovers by itself, and yet there are steps"), None],
        Recoverer::Nobody => {
            let problem = "`by: nobody` declares no recovery, yet there are steps afterwards";
            let afterwards =
                (!recovery.afterwards.is_empty()).then(|| Note::new("recovery.afterwards", problem, "drop the steps"));
            [steps("nobody recovers, and yet there are steps"), afterwards]
        }
    };
    notes.into_iter().flatten().collect()
}

fn nothing_to_recover(scenario: &Scenario) -> Vec<Note> {
    // What befalls only a backup is found when that is restored, and nothing is to be recovered.
    let breaks_service = scenario.faults.iter().any(|fault| fault.kind.declared().effects().takes_service);
    let note = match (scenario.recovery.by, scenario.faults.is_empty()) {
        (Recoverer::Nobody, false) if breaks_service => {
            Note::new("recovery.by", "something breaks, and nobody recovers", "write `system` or `procedure`")
        }
        (Recoverer::System | Recoverer::Procedure, true) => {
            Note::new("recovery.by", "nothing breaks, so that there is nothing to recover", "write `nobody`")
        }
        _ => return Vec::new(),
    };
    vec![note]
}

fn detection(scenario: &Scenario) -> Vec<Note> {
    let Some(detect) = &scenario.recovery.detect else { return Vec::new() };
    let zeros = [
        ("every", detect.every.ms() == 0.0),
        ("deadline", detect.deadline.ms() == 0.0),
        ("failures", detect.failures == 0),
    ];
    zeros.into_iter().filter_map(|(key, zero)| more_than_nothing(format!("recovery.detect.{key}"), zero)).collect()
}

fn decision(scenario: &Scenario) -> Vec<Note> {
    let Some(decision) = &scenario.recovery.decision else { return Vec::new() };
    let kinds = [("takes", decision.takes.is_some()), ("excluded", decision.excluded.is_some())];
    let kind = exactly_one("recovery.decision", "a decision", &kinds);
    let is_silent = decision.excluded.as_ref().is_some_and(|why| why.trim().is_empty());
    let why = not_empty("recovery.decision.excluded", is_silent, "say why the time is left out");
    kind.into_iter().chain(why).collect()
}

fn time_limit(scenario: &Scenario) -> Vec<Note> {
    let is_zero = scenario.recovery.within.is_some_and(|span| span.ms() == 0.0);
    more_than_nothing("recovery.within", is_zero).into_iter().collect()
}

/// What each step declares of itself, with its key.
fn each_declared(scenario: &Scenario) -> impl Iterator<Item = (String, &dyn Declares)> {
    each_step(scenario).map(|(key, step)| (format!("{key}.{}", step.kind.key()), step.kind.declared()))
}

fn steps(scenario: &Scenario) -> Vec<Note> {
    each_declared(scenario).flat_map(|(key, declared)| declared.notes(&key, scenario)).collect()
}

fn steps_together(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_declared(scenario).flat_map(|(key, declared)| declared.notes_together(&key, scenario, system)).collect()
}

fn override_of_replication(scenario: &Scenario, system: &System) -> Vec<Note> {
    let has_standby = system.nodes.iter().any(|node| node.role == Role::Standby);
    let is_idle = scenario.replication.is_some() && !has_standby;
    let note = || Note::new("replication", "this system has no standby whose replication it could change", "drop it");
    is_idle.then(note).into_iter().collect()
}
