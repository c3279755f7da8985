//! What a plan asks for that the model does not know. Such a drill needs containers: taken for done, it would pass without
//! having been tried.

use crate::{
    plan::{Plan, PlannedStep},
    scenario::{
        System,
        fault::FaultKind,
        question::Question,
        step::{SecondaryKind, SecondaryStep, StepKind},
    },
};

/// Why a plan cannot be simulated, a reason a line; none where it can.
pub fn beyond_the_model(plan: &Plan) -> Vec<String> {
    let faults = plan.conditions.iter().chain(&plan.faults);
    let has_packets = faults.into_iter().any(|fault| matches!(fault.kind, FaultKind::BadLink(_)));
    let packets = has_packets.then(|| "the model knows no packets that a link could lose, double or delay".to_owned());
    let has_variants = plan.has_secondary() && !plan.declared.scenario.parameters.is_empty();
    let variants =
        has_variants.then(|| "the model does not know what parameters change at a secondary environment".to_owned());
    let steps = plan.steps().filter_map(|step| beyond(step, &plan.declared.system));
    let mut reasons: Vec<String> = steps.chain(packets).chain(variants).chain(beyond_its_answers(plan)).collect();
    reasons.dedup();
    reasons
}

/// Questions whose answer the model would have to word as a program of the system does.
fn beyond_its_answers(plan: &Plan) -> Vec<String> {
    let survivors = matches!(plan.load.survivors, Question::HttpQuestion(_));
    let survivors = survivors.then(|| "the model holds no documents in which survivors could be looked for".to_owned());
    let databases = plan.declared.system.databases.iter();
    let roles = databases.filter(|(_, database)| database.is_writer.as_ref().is_some_and(|it| it.expect.is_some()));
    let roles =
        roles.map(|(name, _)| format!("the model knows no words by which the writer of `{name}` is recognised"));
    survivors.into_iter().chain(roles).collect()
}

fn beyond(step: &PlannedStep, system: &System) -> Option<String> {
    match &step.kind {
        StepKind::OperationStep(it) if it.operation(system)?.does.is_none() => {
            Some(format!("the model does not know what the operation `{}` does", it.name))
        }
        StepKind::SecondaryStep(SecondaryStep { kind: SecondaryKind::Command(it) }) | StepKind::Command(it) => {
            Some(format!("the model does not know what `{}` does", it.run.join(" ")))
        }
        _ => None,
    }
}
