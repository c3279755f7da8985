//! Rules of what breaks, and of the conditions under which it does. What only one kind can break is a rule of that kind, in its
//! file in `harness/src/scenario/fault/`.

use super::{Note, PairRule, ScenarioRule, names::more_than_nothing};
use crate::scenario::{
    Scenario, System,
    drill::{Cause, DisasterClass, Origin},
    fault::{Declares, Fault},
    units::Span,
};

pub(super) const RULES: &[ScenarioRule] = &[kinds, first_fault, self_healing, disaster, disaster_and_faults];
pub(super) const PAIR_RULES: &[PairRule] = &[kinds_together];

/// The least time of load before the first fault: without it there is no *before* to compare with.
const LEAST_BEFORE: Span = Span::from_ms(1000);

fn each_fault(scenario: &Scenario) -> impl Iterator<Item = (String, &Fault)> {
    scenario.faults.iter().enumerate().map(|(index, fault)| (format!("faults[{index}]"), fault))
}

/// What each fault and each condition declares of itself, with its key.
fn each_declared(scenario: &Scenario) -> impl Iterator<Item = (String, &dyn Declares)> {
    let faults =
        each_fault(scenario).map(|(key, fault)| (format!("{key}.{}", fault.kind.key()), fault.kind.declared()));
    let conditions =
        scenario.conditions.iter().enumerate().map(|(index, condition)| {
            (format!("conditions[{index}].{}", condition.kind.key()), condition.kind.declared())
        });
    faults.chain(conditions)
}

fn kinds(scenario: &Scenario) -> Vec<Note> {
    each_declared(scenario).flat_map(|(key, declared)| declared.notes(&key, scenario)).collect()
}

fn kinds_together(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_declared(scenario).flat_map(|(key, declared)| declared.notes_together(&key, scenario, system)).collect()
}

fn first_fault(scenario: &Scenario) -> Vec<Note> {
    each_fault(scenario)
        .filter(|(_, fault)| fault.at.from < LEAST_BEFORE)
        .map(|(key, fault)| {
            let problem = format!("{} leaves too little load before the fault to compare with", fault.at);
            Note::new(format!("{key}.at"), problem, format!("write {LEAST_BEFORE} or later"))
        })
        .collect()
}

fn self_healing(scenario: &Scenario) -> Vec<Note> {
    each_fault(scenario)
        .filter_map(|(key, fault)| {
            let key = format!("{key}.heal_after");
            if fault.heal_after?.ms() == 0.0 {
                return more_than_nothing(key, true);
            }
            let mend = "drop `heal_after`; bring the nodes back by `start` in the procedure";
            let note = || Note::new(key, "what was killed or destroyed cannot be healed", mend);
            (!fault.kind.declared().effects().reversible).then(note)
        })
        .collect()
}

fn disaster(scenario: &Scenario) -> Vec<Note> {
    let DisasterClass { origin, cause } = scenario.disaster;
    let mend = match (origin, cause) {
        (Origin::Natural, Cause::Nature) | (Origin::None, Cause::None) => return Vec::new(),
        (Origin::ManMade, cause) if !matches!(cause, Cause::Nature | Cause::None) => return Vec::new(),
        (Origin::Natural, _) => "write `nature`, or make the origin `man-made`",
        (Origin::None, _) => "write `none`, or name the origin",
        (Origin::ManMade, _) => "write `infrastructure-failure`, `software-bug` or `failed-change`",
    };
    vec![Note::new("disaster.cause", "this cause does not belong to that origin", mend)]
}

fn disaster_and_faults(scenario: &Scenario) -> Vec<Note> {
    match (scenario.disaster.origin, scenario.faults.is_empty()) {
        (Origin::None, false) => {
            vec![Note::new("disaster.origin", "a drill with faults has a disaster", "write `natural` or `man-made`")]
        }
        (Origin::Natural | Origin::ManMade, true) => {
            let mend = "declare what breaks; or write `origin: none` and `cause: none`, for a control";
            vec![Note::new("disaster.origin", "a disaster is declared, and nothing breaks", mend)]
        }
        _ => Vec::new(),
    }
}
