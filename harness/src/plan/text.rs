//! The plan in words: what `blackstart plan` prints, and what a run stores as `plan.txt`.

use std::fmt::Write;

use blackstart_reports::safe;

use super::{Plan, PlannedStep, Taking, build::chosen};
use crate::scenario::{
    drill::{Interruption, Recoverer, RtoEndpoint},
    fault::Tool,
};

/// The plan in words. The same plan gives the same text, byte for byte.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_plan(&mut out, plan);
    safe::page(&out)
}

fn write_plan(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let scenario = &plan.declared.scenario;
    writeln!(out, "{} (seed {})", scenario.scenario, plan.seed)?;
    writeln!(out, "  {}", scenario.title)?;
    writeln!(out, "  covers {}", scenario.covers.join(", "))?;
    write_nodes(out, plan)?;
    write_load(out, plan)?;
    write_backups(out, plan)?;
    write_faults(out, plan)?;
    write_recovery(out, plan)?;
    write_checks(out, plan)
}

fn write_nodes(out: &mut String, plan: &Plan) -> std::fmt::Result {
    writeln!(out, "\nprovision")?;
    for planned in &plan.nodes {
        let node = &planned.node;
        let zone = node.zone.as_deref().map_or("no zone".to_owned(), |zone| format!("zone {zone}"));
        let mut remarks = vec![node.role.name().to_owned(), zone];
        if let (Some(of), Some(replication)) = (&node.of, node.replication) {
            remarks.push(format!("follows {of}, {replication:?}").to_lowercase());
        }
        if node.data.is_some() {
            remarks.push("holds data".to_owned());
        }
        writeln!(out, "  .{:<3} {:<12} {}", planned.host, node.name, remarks.join(", "))?;
    }
    if let Some(storage) = &plan.declared.system.storage {
        let disks: Vec<&str> = plan.disks().collect();
        writeln!(out, "  array: a pool of {}, a disk of {} each for {}", storage.pool, storage.disk, disks.join(", "))?;
        if let Some(remote) = &storage.remote {
            writeln!(out, "  array: a remote pool of {} at {}", remote.pool, remote.site)?;
        }
    }
    for helper in plan.with_tool(Tool::Helper) {
        writeln!(out, "  helper in the network of {helper}")?;
    }
    for node in plan.with_tool(Tool::Wiper) {
        writeln!(out, "  wiper of the volume of {node}")?;
    }
    for (name, choice) in chosen(&plan.declared.scenario, &plan.declared.system) {
        writeln!(out, "  {name}: {choice}")?;
    }
    for command in &plan.declared.system.setup {
        writeln!(out, "  set up on {}: {}", command.on, command.run.join(" "))?;
    }
    Ok(())
}

fn write_load(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let load = &plan.load;
    let mix: Vec<String> = load.mix.iter().map(|(name, weight)| format!("{name} {weight}")).collect();
    writeln!(out, "\nload")?;
    for condition in &plan.conditions {
        writeln!(out, "  from the start: {}", condition.summary)?;
    }
    writeln!(out, "  a request every {:?} ({}), deadline {:?}", load.interval, mix.join(", "), load.deadline)?;
    writeln!(out, "  probe `{}` every {:?}, deadline {:?}", load.probe, load.probe_interval, load.probe_deadline)?;
    let first: Vec<String> = super::draws(plan.seed, &load.mix).take(8).map(|draw| draw.kind).collect();
    writeln!(out, "  order of requests: {} ...", first.join(" "))
}

fn write_backups(out: &mut String, plan: &Plan) -> std::fmt::Result {
    if plan.backups.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nprotect")?;
    for (index, backup) in plan.backups.iter().enumerate() {
        let after = if backup.after.is_zero() { String::new() } else { format!(" after {:?}", backup.after) };
        let (id, method) = (&backup.id, &backup.method);
        let how = match &backup.taking {
            Taking::Command { on, run } => {
                let run = interrupted_or(backup.interrupted.as_ref(), backup.half_way.take.as_ref(), Some(run));
                format!("{method} on {on}{after}: {run}")
            }
            Taking::Array { by, apart } if apart.is_zero() => format!("{method}{after}: {} by the array", by.name()),
            Taking::Array { by, apart } => format!("{method}{after}: {} by the array, {apart:?} apart", by.name()),
        };
        let expected = if backup.is_expected_invalid { "; expected to be invalid" } else { "" };
        writeln!(out, "  {}. {id}: {how}{expected}", index + 1)?;
        write_interruption(out, backup.interrupted.as_ref())?;
    }
    Ok(())
}

fn write_faults(out: &mut String, plan: &Plan) -> std::fmt::Result {
    writeln!(out, "\ninject")?;
    if plan.faults.is_empty() {
        writeln!(out, "  nothing: this is a control")?;
    }
    for fault in &plan.faults {
        let since = if plan.backups.is_empty() { "" } else { " after the last backup" };
        writeln!(out, "  at {:?}{since}: {}", fault.at.unwrap_or_default(), fault.summary)?;
        for line in fault.kind.declared().details(&fault.victims, &plan.declared.system) {
            writeln!(out, "    {line}")?;
        }
        if let Some(after) = fault.heal_after {
            writeln!(out, "    healed after {after:?}")?;
        }
    }
    Ok(())
}

fn write_recovery(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let recovery = &plan.recovery;
    writeln!(out, "\nrecover")?;
    match recovery.by {
        Recoverer::Nobody => writeln!(out, "  nothing to recover")?,
        Recoverer::System => {
            writeln!(out, "  by the system itself, within {:?}; the harness watches", recovery.within)?
        }
        Recoverer::Procedure => writeln!(out, "  by the procedure, within {:?}", recovery.within)?,
    }
    if let Some(detect) = &recovery.detect {
        writeln!(
            out,
            "  detect: `{}` every {}, deadline {}, {} failures in a row",
            detect.request, detect.every, detect.deadline, detect.failures
        )?;
    }
    if let Some(alert) = &recovery.alert {
        writeln!(out, "  alert: {}, asked every {}", alert.in_words(), alert.every)?;
    }
    match &recovery.excluded {
        Some(why) => writeln!(out, "  decision: left out of the measured time ({why})")?,
        None if recovery.by == Recoverer::Procedure => writeln!(out, "  decision: takes {:?}", recovery.decision)?,
        None => {}
    }
    write_steps(out, &recovery.procedure)?;
    if !recovery.afterwards.is_empty() {
        writeln!(out, "  afterwards, once service is sustained")?;
        write_steps(out, &recovery.afterwards)?;
    }
    Ok(())
}

fn write_steps(out: &mut String, steps: &[PlannedStep]) -> std::fmt::Result {
    for (index, step) in steps.iter().enumerate() {
        let how = if step.how.is_empty() { String::new() } else { format!(": {}", step.how) };
        writeln!(out, "  {}. {}{how} (within {:?})", index + 1, step.name, step.within)?;
        for line in &step.details {
            writeln!(out, "     {line}")?;
        }
    }
    Ok(())
}

/// The command that is run first.
fn interrupted_or(it: Option<&Interruption>, half_way: Option<&Vec<String>>, whole: Option<&Vec<String>>) -> String {
    let command = if it.is_some() { half_way } else { whole };
    command.map(|run| run.join(" ")).unwrap_or_default()
}

fn write_interruption(out: &mut String, it: Option<&Interruption>) -> std::fmt::Result {
    let Some(Interruption { kill }) = it else { return Ok(()) };
    writeln!(out, "     interrupted: {kill} is killed once it stands half-way, and started again")
}

/// The checks that are asked only of a copy restored in isolation.
fn isolated_checks(plan: &Plan) -> impl Iterator<Item = &crate::scenario::check::Check> {
    plan.declared.system.checks.iter().filter(|check| check.isolated)
}

fn write_checks(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let level = &plan.service_level;
    writeln!(
        out,
        "\nverify\n  service: {} of the throughput before, at most {} errors, for {} and to the end",
        level.throughput, level.errors, level.sustained_for
    )?;
    for check in &plan.checks {
        writeln!(out, "  level {}  {:<28} {}", check.level, check.id, check.about)?;
    }
    let scenario = &plan.declared.scenario;
    if scenario.restore_test {
        let ids: Vec<&str> = plan.backups.iter().filter(|it| it.is_restorable()).map(|it| it.id.as_str()).collect();
        writeln!(out, "\nrestore-test\n  each restored in isolation and put to every check: {}", ids.join(", "))?;
        for check in isolated_checks(plan) {
            writeln!(out, "  level {}  {:<28} {}", check.level, check.id, check.about)?;
        }
    }
    let targets = &plan.declared.scenario.targets;
    writeln!(out, "\ntargets")?;
    if let Some(rpo) = &targets.rpo {
        let writes = rpo.lost_writes.map(|most| format!("at most {most} lost writes"));
        let time = rpo.time.map(|most| format!("at most {most} of work"));
        writeln!(out, "  RPO: {}", [writes, time].into_iter().flatten().collect::<Vec<_>>().join(", "))?;
    }
    if let Some(rto) = &targets.rto {
        let endpoint = match rto.endpoint {
            RtoEndpoint::Service => "from the fault to sustained service",
            RtoEndpoint::Recovery => "from the start of recovery to sustained service",
            RtoEndpoint::Verified => "from the fault to all levels verified",
        };
        writeln!(out, "  RTO: within {}, {endpoint}", rto.within)?;
    }
    if let Some(failback) = &targets.failback {
        writeln!(out, "  failback: within {}, from shutting down to sustained service", failback.within)?;
    }
    Ok(())
}
