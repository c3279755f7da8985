//! From a declaration and a seed to a plan.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rand::{RngExt, seq::IndexedRandom};

use super::{
    FaultAction, Plan, PlannedBackup, PlannedFault, PlannedLoad, PlannedNode, PlannedRecovery, PlannedStep,
    SecondaryAction, StepAction, Taking, or_default, random::stream,
};
use crate::scenario::{
    Declared, System,
    backup::{ArrayMethod, BackupMethod},
    drill::{Expectation, RestoreStep, RestoreTo, Scenario, Step, TakenBackup},
    fault::{BackupSpoiled, BadChange, Condition, Darkness, Fault},
    secondary::{DisksStep, LevelsStep, NodesStep, SecondaryStep},
    system::{Check, Command, Database, HalfWay, Node, Operation, Parameter, Replication, Role, SqlCheck},
    units::{Moment, OneOf},
};

/// The plan of a declaration that has been judged.
pub fn build(declared: impl Into<Arc<Declared>>, seed: u64) -> Plan {
    build_for(declared.into(), seed, false)
}

/// The plan of a copy of the same system that is restored in isolation: the same nodes by the same names, nothing that
/// breaks, and no way back into the archive.
pub fn isolated(plan: &Plan) -> Plan {
    let mut declared = Declared::clone(&plan.declared);
    declared.scenario.faults.clear();
    declared.scenario.conditions.clear();
    build_for(declared.into(), plan.seed, true)
}

fn build_for(declared: Arc<Declared>, seed: u64, is_isolated: bool) -> Plan {
    let Declared { scenario, system, .. } = &*declared;
    let conditions: Vec<_> = scenario.conditions.iter().filter_map(plan_condition).collect();
    let mut faults: Vec<_> = scenario
        .faults
        .iter()
        .enumerate()
        .filter_map(|(index, fault)| plan_fault(scenario, system, fault, index, seed))
        .collect();
    faults.sort_by_key(|fault| fault.at);
    let mut checks = system.checks.clone();
    checks.retain(|check| is_isolated || !check.isolated);
    checks.extend(damage_gone(&faults));
    checks.sort_by_key(|check| check.level);
    Plan {
        seed,
        nodes: plan_nodes(scenario, system, is_isolated),
        backups: scenario.backups.iter().filter_map(|backup| plan_backup(backup, system)).collect(),
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
        ("vault", names(&|other| other.role == Role::Vault)),
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

fn plan_backup(backup: &TakenBackup, system: &System) -> Option<PlannedBackup> {
    let method = system.backups.get(&backup.method)?;
    let values = [("id", backup.id.clone())];
    Some(PlannedBackup {
        id: backup.id.clone(),
        method: backup.method.clone(),
        after: or_default(backup.after, 0),
        taking: match method.array {
            Some(ArrayMethod { by, apart }) => Taking::Array { by, apart: or_default(apart, 0) },
            None => {
                Taking::Command { on: method.on.clone().unwrap_or_default(), run: fill_in_all(&method.take, &values) }
            }
        },
        restore: method.restore.clone(),
        spoil: method.spoil.clone(),
        half_way: half_way(method, &values),
        within: method.within.duration(),
        interrupted: backup.interrupted.clone(),
        is_expected_invalid: backup.expect == Expectation::Invalid,
    })
}

fn half_way(method: &BackupMethod, values: &[(&str, String)]) -> HalfWay {
    let declared = method.half_way.clone().unwrap_or(HalfWay { take: None, restore: None });
    HalfWay { take: declared.take.map(|take| fill_in_all(&take, values)), ..declared }
}

/// A drill with a bad change has a check of its own: what the change left must be gone.
fn damage_gone(faults: &[PlannedFault]) -> Option<Check> {
    let shows = faults.iter().find_map(|fault| match &fault.action {
        FaultAction::BadChange { database, shows, .. } => Some((database, shows)),
        _ => None,
    });
    let (database, shows) = shows?;
    Some(Check {
        id: "damage-gone".to_owned(),
        level: 3,
        about: "Nothing is left of the bad change.".to_owned(),
        isolated: false,
        cannot_prove: Some("That no good row went with it; that is the RPO's to say.".to_owned()),
        models: None,
        within: None,
        sql: Some(SqlCheck {
            on: "writer".to_owned(),
            database: database.clone(),
            query: shows.clone(),
            no_rows: true,
            value: None,
            at_least: None,
        }),
        http: None,
        command: None,
        one_writer: None,
        agreement: None,
        content_hash: None,
        history: None,
        invocation: None,
    })
}

/// The texts of a command, with everything put in that `${...}` stands for.
pub fn fill_in_all(texts: &[String], values: &[(&str, String)]) -> Vec<String> {
    texts.iter().map(|text| fill_in(text, values)).collect()
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
            FaultAction::Kill
            | FaultAction::Freeze
            | FaultAction::LoseData
            | FaultAction::LosePower
            | FaultAction::FillDisk
            | FaultAction::FailDisk
            | FaultAction::LoseSite
            | FaultAction::BadChange { .. }
            | FaultAction::SpoilBackup { .. } => {}
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

fn plan_fault(scenario: &Scenario, system: &System, fault: &Fault, index: usize, seed: u64) -> Option<PlannedFault> {
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
    } else if let Some(lost) = &fault.data_lost {
        let summary = format!("the data of {} is lost: killed, and their volumes emptied", lost.nodes.join(" and "));
        ("data_lost", FaultAction::LoseData, lost.nodes.clone(), summary)
    } else if let Some(lost) = &fault.power_loss {
        let summary = format!("{} lose their power, and what their disks had not flushed", lost.nodes.join(" and "));
        ("power_loss", FaultAction::LosePower, lost.nodes.clone(), summary)
    } else if let Some(full) = &fault.disk_full {
        let node = victim(&full.node);
        ("disk_full", FaultAction::FillDisk, vec![node.clone()], format!("the disk of {node} fills up to its end"))
    } else if let Some(gone) = &fault.disk_gone {
        let node = victim(&gone.node);
        ("disk_gone", FaultAction::FailDisk, vec![node.clone()], format!("the disk of {node} is gone while it runs"))
    } else if let Some(lost) = &fault.site_lost {
        lose_site(system, &lost.site)
    } else if let Some(change) = &fault.bad_change {
        plan_change(system, change)?
    } else if let Some(spoiled) = &fault.backup_spoiled {
        plan_spoiling(scenario, system, spoiled)?
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

/// The kind of a fault, what is done, to whom, and in words.
type Struck = (&'static str, FaultAction, Vec<String>, String);

/// Replicas follow at once, so every node that holds the database is hit.
fn plan_change(system: &System, change: &BadChange) -> Option<Struck> {
    let BadChange { database, user, statement, shows } = change.clone();
    let victims = system.databases.get(&database)?.nodes.clone();
    let summary = format!("{user} changes {database}: {}", statement.split_whitespace().collect::<Vec<_>>().join(" "));
    Some(("bad_change", FaultAction::BadChange { database, user, statement, shows }, victims, summary))
}

fn plan_spoiling(scenario: &Scenario, system: &System, spoiled: &BackupSpoiled) -> Option<Struck> {
    let backup = plan_backup(scenario.backups.iter().find(|backup| backup.id == spoiled.backup)?, system)?;
    let summary = format!("backup {} is spoiled where it is kept: {}", backup.id, spoiled.by.name());
    let Taking::Command { on, .. } = &backup.taking else { return None };
    let victims = vec![on.clone()];
    Some(("backup_spoiled", FaultAction::SpoilBackup { backup, by: spoiled.by }, victims, summary))
}

fn darken(system: &System, zone: &str, by: Darkness) -> Struck {
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

fn lose_site(system: &System, name: &str) -> Struck {
    let zones = system.sites.iter().filter(|site| site.name == name).flat_map(|site| &site.zones);
    let zones: Vec<&String> = zones.collect();
    let is_inside = |node: &&Node| node.zone.as_ref().is_some_and(|zone| zones.contains(&zone));
    let victims: Vec<String> = system.nodes.iter().filter(is_inside).map(|node| node.name.clone()).collect();
    let summary = format!("site {name} is lost, with every node and disk in it ({})", victims.join(", "));
    ("site_lost", FaultAction::LoseSite, victims, summary)
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
    let steps =
        |steps: &[Step]| steps.iter().filter_map(|step| plan_step(step, &scenario.backups, system)).collect::<Vec<_>>();
    PlannedRecovery {
        by: recovery.by,
        detect: recovery.detect.clone(),
        alert: recovery.alert.clone(),
        decision: decision.and_then(|decision| decision.takes).map(|span| span.duration()).unwrap_or_default(),
        excluded: decision.and_then(|decision| decision.excluded.clone()),
        procedure: steps(&recovery.procedure),
        afterwards: steps(&recovery.afterwards),
        within: or_default(recovery.within, 60_000),
    }
}

/// How long a step may take where nothing is said.
const STEP_MS: u64 = 30_000;

/// Steps of a system that has been judged, with everything filled in; none of them restores a backup.
pub fn steps(steps: &[Step], system: &System) -> Vec<PlannedStep> {
    steps.iter().filter_map(|step| plan_step(step, &[], system)).collect()
}

fn plan_step(step: &Step, backups: &[TakenBackup], system: &System) -> Option<PlannedStep> {
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
    } else if let Some(it) = &step.restore {
        let backup = backups.iter().find(|backup| backup.id == it.backup)?;
        return Some(plan_restore(it, &plan_backup(backup, system)?));
    } else if let Some(it) = &step.secondary {
        return plan_secondary(step.about.as_deref(), it);
    } else if let Some(it) = step.redirect {
        (format!("redirect clients to the {} environment", it.to.name()), StepAction::Redirect { to: it.to }, default)
    } else if step.bring_back.is_some() {
        ("bring the data back to the primary environment".to_owned(), StepAction::BringBack, LONG)
    } else {
        return None;
    };
    Some(PlannedStep { name, action, within })
}

/// How long a step may take that starts a whole system.
const LONG: Duration = Duration::from_secs(120);

/// A step at the secondary environment. Its words are those of the declaration, which tell more than its kind.
fn plan_secondary(about: Option<&str>, step: &SecondaryStep) -> Option<PlannedStep> {
    let (words, action) = if step.install.is_some() {
        ("install it".to_owned(), SecondaryAction::Install)
    } else if let Some(DisksStep { backup, nodes }) = step.disks.clone() {
        (format!("lay the disks of {} from {backup}", nodes.join(", ")), SecondaryAction::Disks { backup, nodes })
    } else if let Some(NodesStep { nodes }) = step.start.clone() {
        (format!("start {}", nodes.join(", ")), SecondaryAction::Start { nodes })
    } else if let Some(command) = step.run.clone() {
        (command_name(&command), SecondaryAction::Run(command))
    } else if let Some(LevelsStep { levels }) = step.check.clone() {
        let named: Vec<String> = levels.iter().map(u8::to_string).collect();
        (format!("levels {} must hold", named.join(", ")), SecondaryAction::Check { levels })
    } else {
        step.shut_down?;
        ("shut it down".to_owned(), SecondaryAction::ShutDown)
    };
    let about = about.map(|about| format!(" ({})", about.trim_end_matches('.'))).unwrap_or_default();
    let name = format!("at the secondary environment: {words}{about}");
    Some(PlannedStep { name, action: StepAction::Secondary(action), within: LONG })
}

/// A step that puts a backup back on a node.
pub fn restore_step(node: &str, backup: &PlannedBackup, to: RestoreTo) -> PlannedStep {
    plan_restore(&RestoreStep { backup: backup.id.clone(), node: Some(node.to_owned()), to, interrupted: None }, backup)
}

/// A restore that is interrupted has the time of two.
fn plan_restore(step: &RestoreStep, backup: &PlannedBackup) -> PlannedStep {
    let RestoreStep { node, to, interrupted, .. } = step.clone();
    let Some(node) = node else {
        let name = format!("put every disk back to {}", backup.id);
        return PlannedStep { name, action: StepAction::Revert { backup: backup.clone() }, within: LONG };
    };
    let times = if interrupted.is_some() { 2 } else { 1 };
    let action = StepAction::Restore { node, backup: backup.clone(), to, interrupted };
    PlannedStep { name: restore_name(step), action, within: backup.within * times }
}

fn restore_name(step: &RestoreStep) -> String {
    let to = match &step.to {
        RestoreTo::End => "the end of the archive".to_owned(),
        RestoreTo::Backup => "its own end".to_owned(),
        RestoreTo::TimeBeforeChange => "the time before the change".to_owned(),
        RestoreTo::PositionBeforeChange => "the position before the change".to_owned(),
        RestoreTo::Point(name) => format!("the point {name}"),
    };
    let again = if step.interrupted.is_some() { ", interrupted and begun again" } else { "" };
    format!("restore {} from {} up to {to}{again}", step.node.as_deref().unwrap_or_default(), step.backup)
}

fn database(system: &System, name: &str) -> Option<Database> {
    system.databases.get(name).cloned()
}

fn operation_command(operation: &Operation, argument: Option<&str>) -> Vec<String> {
    let values = [("argument", argument.unwrap_or_default().to_owned())];
    fill_in_all(&operation.run, &values)
}

fn command_name(command: &Command) -> String {
    command.about.clone().unwrap_or_else(|| format!("{} on {}", command.run.join(" "), command.on))
}
