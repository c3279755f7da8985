//! What a plan asks for that the model does not know. Such a drill needs containers: taken for done, it would pass without
//! having been tried.

use super::operations::Modelled;
use crate::{
    plan::{Plan, PlannedStep},
    scenario::{fault::FaultKind, step::StepKind},
};

/// Why a plan cannot be simulated, a reason a line; none where it can.
pub fn beyond_the_model(plan: &Plan) -> Vec<String> {
    if plan.has_secondary() {
        return vec!["the model knows no second environment that takes over".to_owned()];
    }
    let faults = plan.conditions.iter().chain(&plan.faults);
    let has_packets = faults.into_iter().any(|fault| matches!(fault.kind, FaultKind::BadLink(_)));
    let packets = has_packets.then(|| "the model knows no packets that a link could lose, double or delay".to_owned());
    let mut reasons: Vec<String> = plan.steps().filter_map(beyond).chain(packets).collect();
    reasons.dedup();
    reasons
}

fn beyond(step: &PlannedStep) -> Option<String> {
    match &step.kind {
        StepKind::OperationStep(it) if Modelled::named(&it.name).is_none() => {
            Some(format!("the model does not know the operation `{}`", it.name))
        }
        StepKind::Command(it) => Some(format!("the model does not know what `{}` does", it.run.join(" "))),
        _ => None,
    }
}
