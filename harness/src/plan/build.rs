//! From a declaration and a seed to a plan.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt, seq::IndexedRandom};

use super::{
    FaultAction, Plan, PlannedFault, PlannedLoad, PlannedNode, PlannedRecovery, PlannedStep, StepAction, or_default,
    random::stream,
};
use crate::scenario::{
    Declared, System,
    drill::{Condition, Darkness, Fault, Scenario, Step},
    system::{Command, Database, Node, Operation, Replication, Role},
    units::{Moment, OneOf},
};

/// The plan of a declaration that has been judged.
pub fn build(declared: Declared, seed: u64) -> Plan {
    let Declared { scenario, system, .. } = &declared;
    let conditions: Vec<_> = scenario.conditions.iter().filter_map(plan_condition).collect();
    let mut faults: Vec<_> = scenario
        .faults
        .iter()
        .enumerate()
        .filter_map(|(index, fault)| plan_fault(system, fault, index, seed))
        .collect();
    faults.sort_by_key(|fault| fault.at);
    let mut checks = system.checks.clone();
    checks.sort_by_key(|check| check.level);
    Plan {
        seed,
        nodes: plan_nodes(system),
        helpers: plan_helpers(&conditions, &faults),
        load: plan_load(scenario, system),
        conditions,
        faults,
        recovery: plan_recovery(scenario, system),
        service_level: scenario.service_level.clone(),
        checks,
        declared,
    }
}

/// Addresses start at 10 in the order of the system, so that a node's address is the same in every run.
const FIRST_HOST: usize = 10;

fn plan_nodes(system: &System) -> Vec<PlannedNode> {
    let fill = |(index, node): (usize, &Node)| {
        let mut node = node.clone();
        let values = node_values(system, &node);
        node.command = node.command.iter().map(|text| fill_in(text, &values)).collect();
        node.environment.values_mut().for_each(|text| *text = fill_in(text, &values));
        PlannedNode { node, host: (FIRST_HOST + index) as u8 }
    };
    system.nodes.iter().enumerate().map(fill).collect()
}

/// What `${...}` stands for in the strings of one node.
fn node_values(system: &System, node: &Node) -> Vec<(&'static str, String)> {
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
    ]
}

fn fill_in(text: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// The nodes at whose network namespace something is done.
fn plan_helpers(conditions: &[PlannedFault], faults: &[PlannedFault]) -> Vec<String> {
    let mut helpers: Vec<String> = Vec::new();
    for fault in conditions.iter().chain(faults) {
        match &fault.action {
            FaultAction::Cut { .. } => helpers.extend(fault.victims.iter().cloned()),
            FaultAction::SlowLink { from, .. } => helpers.push(from.clone()),
            FaultAction::Kill | FaultAction::Freeze => {}
        }
    }
    helpers.sort();
    helpers.dedup();
    helpers
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
        survivors: system.service.survivors.clone(),
    }
}

fn plan_condition(condition: &Condition) -> Option<PlannedFault> {
    let link = condition.slow_link.as_ref()?;
    Some(PlannedFault {
        kind: "slow_link",
        at: None,
        heal_after: None,
        victims: vec![link.from.clone()],
        summary: format!("the link from {} to {} carries {}", link.from, link.to, link.bandwidth),
        action: FaultAction::SlowLink { from: link.from.clone(), to: link.to.clone(), bandwidth: link.bandwidth },
    })
}

fn plan_fault(system: &System, fault: &Fault, index: usize, seed: u64) -> Option<PlannedFault> {
    let victim = |names: &OneOf| draw_victim(names, seed, index);
    let (kind, action, victims, summary) = if let Some(kill) = &fault.kill {
        let node = victim(&kill.node);
        ("kill", FaultAction::Kill, vec![node.clone()], format!("{node} is killed"))
    } else if let Some(pause) = &fault.pause {
        let node = victim(&pause.node);
        ("pause", FaultAction::Freeze, vec![node.clone()], format!("{node} is frozen"))
    } else if let Some(dark) = &fault.zone_dark {
        darken(system, &victim(&dark.zone), dark.by)
    } else if let Some(cut) = &fault.cut {
        let pairs: Vec<String> =
            cut.refuses.iter().map(|(node, from)| format!("{node} refuses {}", from.join(", "))).collect();
        let victims = cut.refuses.keys().cloned().collect();
        ("cut", FaultAction::Cut { refuses: cut.refuses.clone() }, victims, pairs.join("; "))
    } else {
        return None;
    };
    let at = Some(draw_time(fault.at, seed, index));
    Some(PlannedFault { kind, at, heal_after: fault.heal_after.map(|span| span.duration()), action, victims, summary })
}

fn draw_victim(names: &OneOf, seed: u64, index: usize) -> String {
    let mut random = stream(seed, &format!("victim of fault {index}"));
    names.0.choose(&mut random).cloned().unwrap_or_default()
}

fn draw_time(moment: Moment, seed: u64, index: usize) -> Duration {
    let (from, to) = (moment.from.duration().as_millis() as u64, moment.to.duration().as_millis() as u64);
    Duration::from_millis(stream(seed, &format!("time of fault {index}")).random_range(from..=to))
}

type Darkened = (&'static str, FaultAction, Vec<String>, String);

fn darken(system: &System, zone: &str, by: Darkness) -> Darkened {
    let is_inside = |node: &&Node| node.zone.as_deref() == Some(zone);
    let victims: Vec<String> = system.nodes.iter().filter(is_inside).map(|node| node.name.clone()).collect();
    let (action, how) = match by {
        Darkness::Killed => (FaultAction::Kill, "every node in it is killed"),
        Darkness::Frozen => (FaultAction::Freeze, "every node in it is frozen"),
        Darkness::CutOff => (cut_off(system, &victims), "every node in it is cut off from all others, both ways"),
    };
    let summary = format!("zone {zone} goes dark: {how} ({})", victims.join(", "));
    ("zone_dark", action, victims, summary)
}

/// Each victim refuses every node outside, and every node outside refuses each victim.
fn cut_off(system: &System, victims: &[String]) -> FaultAction {
    let outside: Vec<String> =
        system.nodes.iter().map(|node| node.name.clone()).filter(|name| !victims.contains(name)).collect();
    let mut refuses: BTreeMap<String, Vec<String>> =
        victims.iter().map(|victim| (victim.clone(), outside.clone())).collect();
    refuses.extend(outside.into_iter().map(|node| (node, victims.to_vec())));
    FaultAction::Cut { refuses }
}

fn plan_recovery(scenario: &Scenario, system: &System) -> PlannedRecovery {
    let recovery = &scenario.recovery;
    let decision = recovery.decision.as_ref();
    let steps = |steps: &[Step]| steps.iter().filter_map(|step| plan_step(step, system)).collect();
    PlannedRecovery {
        by: recovery.by,
        detect: recovery.detect.clone(),
        decision: decision.and_then(|decision| decision.takes).map(|span| span.duration()).unwrap_or_default(),
        excluded: decision.and_then(|decision| decision.excluded.clone()),
        procedure: steps(&recovery.procedure),
        afterwards: steps(&recovery.afterwards),
        within: or_default(recovery.within, 60_000),
    }
}

/// How long a step may take where nothing is said.
const STEP_MS: u64 = 30_000;

fn plan_step(step: &Step, system: &System) -> Option<PlannedStep> {
    let default = Duration::from_millis(STEP_MS);
    let (name, action, within) = if let Some(it) = &step.operation {
        let operation = system.operations.get(&it.name)?;
        let run = operation_command(operation, it.argument.as_deref());
        let action = StepAction::Operation { name: it.name.clone(), node: it.node.clone(), run };
        (format!("{} {}", it.name, it.node), action, operation.within.duration())
    } else if let Some(it) = &step.power_off {
        (format!("power off {}", it.node), StepAction::PowerOff { node: it.node.clone() }, default)
    } else if let Some(it) = &step.start {
        (format!("start {}", it.node), StepAction::Start { node: it.node.clone() }, default)
    } else if let Some(it) = &step.heal {
        ("heal every fault in place".to_owned(), StepAction::Heal { settle: it.settle.duration() }, default)
    } else if let Some(it) = &step.await_writer {
        let action = StepAction::AwaitWriter {
            database: database(system, &it.database)?,
            name: it.database.clone(),
            node: it.node.clone(),
        };
        (format!("wait until {} takes writes", it.node), action, it.within.duration())
    } else if let Some(it) = &step.refuses_writes {
        let action = StepAction::RefusesWrites {
            node: it.node.clone(),
            database: database(system, &it.database)?,
            name: it.database.clone(),
            user: it.user.clone(),
            statement: it.statement.clone(),
        };
        (format!("{} must refuse writes", it.node), action, default)
    } else if let Some(it) = &step.command {
        (command_name(it), StepAction::Command(it.clone()), or_default(it.within, STEP_MS))
    } else {
        return None;
    };
    Some(PlannedStep { name, action, within })
}

fn database(system: &System, name: &str) -> Option<Database> {
    system.databases.get(name).cloned()
}

fn operation_command(operation: &Operation, argument: Option<&str>) -> Vec<String> {
    let values = [("argument", argument.unwrap_or_default().to_owned())];
    operation.run.iter().map(|text| fill_in(text, &values)).collect()
}

fn command_name(command: &Command) -> String {
    command.about.clone().unwrap_or_else(|| format!("{} on {}", command.run.join(" "), command.on))
}
