//! Faults and conditions with their victims and times: what the seed draws of them is drawn here.

use std::time::Duration;

use rand::{RngExt, seq::IndexedRandom};

use super::{PlannedFault, Unplannable, random::stream};
use crate::scenario::{
    Declared,
    fault::{Fault, FaultKind},
    units::{Moment, OneOf},
};

/// What breaks, in the order of time.
pub(super) fn faults(declared: &Declared, seed: u64) -> Result<Vec<PlannedFault>, Unplannable> {
    let faults = declared.scenario.faults.iter().enumerate();
    let mut planned: Vec<_> =
        faults.map(|(index, fault)| plan_fault(declared, fault, index, seed)).collect::<Result<_, _>>()?;
    planned.sort_by_key(|fault| fault.at);
    Ok(planned)
}

/// What is in place from the start of the load on. Nothing of it is drawn.
pub(super) fn conditions(declared: &Declared) -> Result<Vec<PlannedFault>, Unplannable> {
    let conditions = declared.scenario.conditions.iter();
    conditions.map(|condition| strike(declared, condition.kind.clone().into(), None, None)).collect()
}

fn plan_fault(declared: &Declared, fault: &Fault, index: usize, seed: u64) -> Result<PlannedFault, Unplannable> {
    let mut kind = fault.kind.clone();
    kind.declared_mut().choose(&|names| draw_victim(names, seed, index));
    let at = draw_time(fault.at, seed, index);
    strike(declared, kind, Some(at), fault.heal_after.map(|span| span.duration()))
}

fn strike(
    declared: &Declared,
    kind: FaultKind,
    at: Option<Duration>,
    heal_after: Option<Duration>,
) -> Result<PlannedFault, Unplannable> {
    let victims = kind.declared().victims(&declared.scenario, &declared.system);
    if victims.is_empty() {
        return Err(Unplannable::new(format!("`{}` hits no node of this system", kind.key())));
    }
    let summary = kind.declared().summary(&victims);
    Ok(PlannedFault { kind, at, heal_after, victims, summary })
}

fn draw_victim(names: &OneOf, seed: u64, index: usize) -> OneOf {
    let mut random = stream(seed, &format!("victim of fault {index}"));
    OneOf(names.0.choose(&mut random).cloned().into_iter().collect())
}

fn draw_time(moment: Moment, seed: u64, index: usize) -> Duration {
    let (from, to) = (moment.from.duration().as_millis() as u64, moment.to.duration().as_millis() as u64);
    Duration::from_millis(stream(seed, &format!("time of fault {index}")).random_range(from..=to))
}
