//! From a declaration and a seed to a plan.

use std::sync::Arc;

use super::{
    Plan, PlannedBackup, PlannedFault, PlannedLoad, PlannedNode, PlannedRecovery, Taking, Unplannable, faults,
    or_default, steps::steps,
};
use crate::scenario::{
    Declared, System,
    backup::{ArrayMethod, BackupKind, BackupMethod, Take},
    check::{Check, CheckKind, QuestionCheck},
    drill::{Expectation, Scenario, TakenBackup},
    question::{Expected, On, Question, RowsAre, SqlQuestion},
    system::{HalfWay, Node, Parameter, Replication, Role},
};

/// The plan of a declaration that has been validated.
///
/// # Errors
/// When something is declared that cannot be carried out, which [`validate`](crate::scenario::validate) refuses.
pub fn build(declared: impl Into<Arc<Declared>>, seed: u64) -> Result<Plan, Unplannable> {
    build_for(declared.into(), seed, false)
}

/// The plan of a copy of the same system that is restored in isolation: the same nodes by the same names, nothing that
/// breaks, and no way back into the archive.
///
/// # Errors
/// None that [`build`] did not have.
pub fn isolated(plan: &Plan) -> Result<Plan, Unplannable> {
    let mut declared = Declared::clone(&plan.declared);
    declared.scenario.faults.clear();
    declared.scenario.conditions.clear();
    build_for(declared.into(), plan.seed, true)
}

fn build_for(declared: Arc<Declared>, seed: u64, is_isolated: bool) -> Result<Plan, Unplannable> {
    let Declared { scenario, system, .. } = &*declared;
    let faults = faults::faults(&declared, seed)?;
    let mut checks = system.checks.clone();
    checks.retain(|check| is_isolated || !check.isolated);
    checks.extend(damage_gone(&faults));
    checks.sort_by_key(|check| check.level);
    Ok(Plan {
        seed,
        nodes: plan_nodes(scenario, system, is_isolated),
        backups: scenario.backups.iter().map(|backup| plan_backup(backup, system)).collect::<Result<_, _>>()?,
        load: plan_load(scenario, system),
        conditions: faults::conditions(&declared)?,
        faults,
        recovery: plan_recovery(&declared)?,
        service_level: scenario.service_level.clone(),
        checks,
        declared,
    })
}

/// Addresses start at 10 in the order of the system, so that a node's address is the same in every run.
const FIRST_HOST: usize = 10;

fn plan_nodes(scenario: &Scenario, system: &System, is_isolated: bool) -> Vec<PlannedNode> {
    let fill = |(index, node): (usize, &Node)| {
        let mut node = node.clone();
        let mut values = node_values(scenario, system, &node);
        values.extend(chosen(scenario, system));
        values.push(("archive", if is_isolated { "off" } else { "on" }.to_owned()));
        node.command = fill_in_all(&node.command, &values);
        node.environment.values_mut().for_each(|text| *text = fill_in(text, &values));
        PlannedNode { node, host: (FIRST_HOST + index) as u8 }
    };
    system.nodes.iter().enumerate().map(fill).collect()
}

/// What is chosen for each parameter of the system.
pub(super) fn chosen<'a>(scenario: &Scenario, system: &'a System) -> Vec<(&'a str, String)> {
    let choice = |(name, parameter): (&'a String, &Parameter)| {
        let choice = scenario.parameters.get(name).or(parameter.one_of.first());
        (name.as_str(), choice.cloned().unwrap_or_default())
    };
    system.parameters.iter().map(choice).collect()
}

/// What `${...}` stands for in the strings of one node.
fn node_values<'a>(scenario: &Scenario, system: &System, node: &Node) -> Vec<(&'a str, String)> {
    let names = |wanted: &dyn Fn(&Node) -> bool| {
        let names: Vec<&str> = system.nodes.iter().filter(|other| wanted(other)).map(|n| n.name.as_str()).collect();
        names.join(" ")
    };
    let cluster = |other: &Node| other.of.clone().unwrap_or_else(|| other.name.clone());
    let in_cluster = |other: &Node| other.role.is_clustered() && cluster(other) == cluster(node);
    let waits_for = |other: &Node| {
        other.role == Role::Standby
            && other.of.as_ref() == Some(&node.name)
            && other.replication == Some(Replication::Synchronous)
    };
    vec![
        ("node", node.name.clone()),
        ("zone", node.zone.clone().unwrap_or_default()),
        ("upstream", node.of.clone().unwrap_or_default()),
        ("peers", names(&|other| in_cluster(other) && other.name != node.name)),
        ("synchronous", names(&waits_for)),
        ("repository", names(&|other| other.role == Role::BackupRepository)),
        ("spares", names(&|other| other.role == Role::Spare)),
        ("clustered", names(&|other| other.role.is_clustered())),
        ("archive_seconds", archive_seconds(scenario).to_string()),
    ]
}

/// How often the log is archived at the least, in whole seconds, as servers want it; ten where nothing is said.
fn archive_seconds(scenario: &Scenario) -> u64 {
    let every = scenario.schedule.and_then(|schedule| schedule.archive_every);
    every.map_or(10, |every| every.duration().as_secs().max(1))
}

fn plan_backup(backup: &TakenBackup, system: &System) -> Result<PlannedBackup, Unplannable> {
    let unknown = || Unplannable::new(format!("backup `{}` is taken by no known method", backup.id));
    let method = system.backups.get(&backup.method).ok_or_else(unknown)?;
    let values = [("id", backup.id.clone())];
    Ok(PlannedBackup {
        id: backup.id.clone(),
        method: backup.method.clone(),
        after: or_default(backup.after, 0),
        taking: plan_taking(backup, method)?,
        restore: method.restore.clone(),
        corrupt: method.corrupt.clone(),
        half_way: half_way(method, &values),
        within: method.within.duration(),
        interrupted: backup.interrupted.clone(),
        is_expected_invalid: backup.expect == Expectation::Invalid,
    })
}

fn plan_taking(backup: &TakenBackup, method: &BackupMethod) -> Result<Taking, Unplannable> {
    let Take(take) = match &method.kind {
        BackupKind::ArrayMethod(ArrayMethod { by, apart }) => {
            return Ok(Taking::Array { by: *by, apart: or_default(*apart, 0) });
        }
        BackupKind::Take(take) => take,
    };
    let nowhere = || Unplannable::new(format!("nothing says on which node backup `{}` is taken", backup.id));
    let run = fill_in_all(take, &[("id", backup.id.clone())]);
    Ok(Taking::Command { on: method.on.clone().ok_or_else(nowhere)?, run })
}

fn half_way(method: &BackupMethod, values: &[(&str, String)]) -> HalfWay {
    let declared = method.half_way.clone().unwrap_or(HalfWay { take: None, restore: None });
    HalfWay { take: declared.take.map(|take| fill_in_all(&take, values)), ..declared }
}

/// A drill with a bad change has a check of its own: what the change left must be gone.
fn damage_gone(faults: &[PlannedFault]) -> Option<Check> {
    let shown = faults.iter().find_map(|fault| fault.kind.declared().shown())?;
    Some(Check {
        id: "damage-gone".to_owned(),
        level: 3,
        about: "Nothing is left of the bad change.".to_owned(),
        isolated: false,
        cannot_prove: Some("That no good row went with it; that is the RPO's to say.".to_owned()),
        models: None,
        within: None,
        kind: CheckKind::QuestionCheck(QuestionCheck {
            expect: Some(Expected::Rows(RowsAre::None)),
            kind: Question::SqlQuestion(SqlQuestion {
                on: Some(On::Writer),
                database: Some(shown.database.to_owned()),
                query: shown.query.to_owned(),
            }),
        }),
    })
}

/// The texts of a command, with everything put in that `${...}` stands for.
pub fn fill_in_all(texts: &[String], values: &[(&str, String)]) -> Vec<String> {
    texts.iter().map(|text| fill_in(text, values)).collect()
}

fn fill_in(text: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

fn plan_load(scenario: &Scenario, system: &System) -> PlannedLoad {
    PlannedLoad {
        interval: scenario.load.rate.interval(),
        mix: scenario.load.mix.iter().map(|(name, weight)| (name.clone(), *weight)).collect(),
        deadline: scenario.load.deadline.duration(),
        probe: scenario.probe.request.clone(),
        probe_interval: scenario.probe.every.duration(),
        probe_deadline: scenario.probe.deadline.duration(),
        requests: system.service.requests.clone(),
        survivors: system.service.survivors.kind.clone(),
    }
}

fn plan_recovery(declared: &Declared) -> Result<PlannedRecovery, Unplannable> {
    let recovery = &declared.scenario.recovery;
    let decision = recovery.decision.as_ref();
    Ok(PlannedRecovery {
        by: recovery.by,
        detect: recovery.detect.clone(),
        alert: recovery.alert.clone(),
        decision: decision.and_then(|decision| decision.takes).map(|span| span.duration()).unwrap_or_default(),
        excluded: decision.and_then(|decision| decision.excluded.clone()),
        procedure: steps(&recovery.procedure, declared)?,
        afterwards: steps(&recovery.afterwards, declared)?,
        within: or_default(recovery.within, 60_000),
    })
}
