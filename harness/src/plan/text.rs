//! The plan in words: what `blackstart plan` prints, and what a run stores as `plan.txt`.

use std::fmt::Write;

use super::{FaultAction, Plan, PlannedStep, StepAction};
use crate::scenario::drill::{Recoverer, RtoEndpoint};

/// The plan in words. The same plan gives the same text, byte for byte.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_plan(&mut out, plan);
    out
}

fn write_plan(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let scenario = &plan.declared.scenario;
    writeln!(out, "{} (seed {})", scenario.scenario, plan.seed)?;
    writeln!(out, "  {}", scenario.title)?;
    writeln!(out, "  covers {}", scenario.covers.join(", "))?;
    write_nodes(out, plan)?;
    write_load(out, plan)?;
    write_faults(out, plan)?;
    write_recovery(out, plan)?;
    write_checks(out, plan)
}

fn write_nodes(out: &mut String, plan: &Plan) -> std::fmt::Result {
    writeln!(out, "\nprovision")?;
    for planned in &plan.nodes {
        let node = &planned.node;
        let zone = node.zone.as_deref().map_or("no zone".to_owned(), |zone| format!("zone {zone}"));
        let mut remarks = vec![format!("{:?}", node.role).to_lowercase(), zone];
        if let (Some(of), Some(replication)) = (&node.of, node.replication) {
            remarks.push(format!("follows {of}, {replication:?}").to_lowercase());
        }
        if node.data.is_some() {
            remarks.push("holds data".to_owned());
        }
        writeln!(out, "  .{:<3} {:<12} {}", planned.host, node.name, remarks.join(", "))?;
    }
    for helper in &plan.helpers {
        writeln!(out, "  helper in the network of {helper}")?;
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

fn write_faults(out: &mut String, plan: &Plan) -> std::fmt::Result {
    writeln!(out, "\ninject")?;
    if plan.faults.is_empty() {
        writeln!(out, "  nothing: this is a control")?;
    }
    for fault in &plan.faults {
        writeln!(out, "  at {:?}: {}", fault.at.unwrap_or_default(), fault.summary)?;
        if let FaultAction::Cut { refuses } = &fault.action {
            for (node, from) in refuses {
                writeln!(out, "    {node} refuses {}", from.join(", "))?;
            }
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
        let how = match &step.action {
            StepAction::Operation { run, .. } => format!(": {}", run.join(" ")),
            StepAction::Command(command) => format!(": {} on {}", command.run.join(" "), command.on),
            StepAction::RefusesWrites { user, statement, .. } => format!(": as {user}, `{statement}`"),
            _ => String::new(),
        };
        writeln!(out, "  {}. {}{how} (within {:?})", index + 1, step.name, step.within)?;
    }
    Ok(())
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
    Ok(())
}
