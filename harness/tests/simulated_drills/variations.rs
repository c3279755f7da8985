//! Variations of the scenarios, drawn by a seed: other times, rates, links, probes, deadlines, mechanisms and targets.

use blackstart::{
    plan::{Plan, build, random::stream},
    scenario::{
        Declared,
        drill::RpoTarget,
        fault::{Condition, FaultKind, OutageCause, SlowLink},
        system::{Replication, Role},
        units::{Moment, OneOf, Span},
    },
};
use rand::{Rng, RngExt};

/// A variation of a scenario, and its plan.
pub fn vary(base: &Declared, seed: u64) -> Plan {
    let mut random = stream(seed, "variation");
    let mut declared = base.clone();
    vary_load(&mut declared, &mut random);
    vary_replication(&mut declared, &mut random);
    vary_faults(&mut declared, &mut random);
    vary_recovery(&mut declared, &mut random);
    vary_targets(&mut declared, &mut random);
    build(declared, seed).unwrap()
}

fn ms(random: &mut impl Rng, from: u64, to: u64) -> Span {
    Span::from_ms(random.random_range(from..=to))
}

fn vary_load(declared: &mut Declared, random: &mut impl Rng) {
    let scenario = &mut declared.scenario;
    scenario.load.rate = format!("{}/s", random.random_range(4..=80)).parse().unwrap();
    scenario.load.deadline = ms(random, 300, 3000);
    scenario.probe.every = ms(random, 15, 120);
    scenario.probe.deadline = ms(random, 100, 800);
    scenario.service_level.sustained_for = ms(random, 1000, 3000);
}

fn vary_replication(declared: &mut Declared, random: &mut impl Rng) {
    if random.random_bool(0.5) {
        return;
    }
    let is_synchronous = random.random_bool(0.5);
    let replication = if is_synchronous { Replication::Synchronous } else { Replication::Asynchronous };
    declared.scenario.replication = Some(replication);
    let standbys = declared.system.nodes.iter_mut().filter(|node| node.role == Role::Standby);
    standbys.for_each(|node| node.replication = Some(replication));
    let is_there = |name: &str| declared.system.nodes.iter().any(|node| node.name == name);
    let has_link = is_there("db-a") && is_there("db-b");
    // Replication that waits for a slow link is overloaded before anything breaks.
    if !is_synchronous && has_link && random.random_bool(0.5) {
        let bandwidth = format!("{}kbit/s", random.random_range(100..=2000)).parse().unwrap();
        let slow_link = SlowLink { from: "db-a".to_owned(), to: "db-b".to_owned(), bandwidth };
        declared.scenario.conditions = vec![Condition { kind: slow_link.into() }];
    }
}

fn vary_faults(declared: &mut Declared, random: &mut impl Rng) {
    for fault in &mut declared.scenario.faults {
        let at = ms(random, 1000, 6000);
        fault.at = Moment { from: at, to: at };
        let FaultKind::ZoneOutage(outage) = &mut fault.kind else { continue };
        if random.random_bool(0.4) {
            outage.by = [OutageCause::Killed, OutageCause::Paused, OutageCause::Partitioned][random.random_range(0..3)];
        }
        if random.random_bool(0.1) {
            outage.zone = OneOf(["a", "b", "c"].map(str::to_owned).to_vec());
        }
        if outage.by != OutageCause::Killed && random.random_bool(0.2) {
            fault.heal_after = Some(ms(random, 50, 5000));
        }
    }
}

fn vary_recovery(declared: &mut Declared, random: &mut impl Rng) {
    let recovery = &mut declared.scenario.recovery;
    recovery.within = Some(ms(random, 8000, 20_000));
    if let Some(detect) = &mut recovery.detect {
        detect.every = ms(random, 50, 400);
        detect.deadline = ms(random, 100, 600);
        detect.failures = random.random_range(2..=5);
    }
    if let Some(decision) = &mut recovery.decision
        && random.random_bool(0.2)
    {
        decision.takes = Some(ms(random, 10, 2000));
    }
}

fn vary_targets(declared: &mut Declared, random: &mut impl Rng) {
    let targets = &mut declared.scenario.targets;
    let lost_writes = random.random_bool(0.8).then(|| random.random_range(0..=60));
    let time = random.random_bool(0.8).then(|| ms(random, 0, 3000));
    targets.rpo = Some(RpoTarget { lost_writes, time });
    if let Some(rto) = &mut targets.rto {
        rto.within = ms(random, 300, 8000);
    }
    if let Some(failback) = &mut targets.failback {
        failback.within = ms(random, 2000, 12_000);
        // A site goes back to its last copy, which is older than any of these targets; most drills must tell of the times alone.
        targets.rpo = targets.rpo.take().filter(|_| random.random_bool(0.2));
    }
}
