//! How long a drill may take, and how much it may send, by what it declares. What would take a day in a simulated world,
//! or more memory than a machine has, is refused before it begins.

use super::{Note, PairRule, recovery::each_step};
use crate::scenario::{Scenario, System, step::Step, units::Span};

pub(super) const PAIR_RULES: &[PairRule] = &[length, requests];

/// The longest that a drill may take, in seconds.
const LONGEST_SECONDS: f64 = 12.0 * 3600.0;
/// The most requests that a drill may send.
const MOST_REQUESTS: f64 = 3e6;
/// How long a step, a check or a backup may take where nothing is said: more than any of the defaults.
const UNSAID: Span = Span::from_ms(120_000);

fn length(scenario: &Scenario, system: &System) -> Vec<Note> {
    let parts = parts(scenario, system);
    let seconds = total(&parts);
    let longest = parts.into_iter().max_by(|one, other| one.1.total_cmp(&other.1));
    let too_long = longest.filter(|_| seconds > LONGEST_SECONDS).map(|(key, most)| {
        let problem = format!(
            "by what is declared, this drill may take {:.1} hours, {:.1} of them here; the most is {:.0} hours",
            seconds / 3600.0,
            most / 3600.0,
            LONGEST_SECONDS / 3600.0
        );
        Note::new(key, problem, "scale the drill down, and say so")
    });
    too_long.into_iter().collect()
}

fn requests(scenario: &Scenario, system: &System) -> Vec<Note> {
    let seconds = total(&parts(scenario, system)).min(LONGEST_SECONDS);
    let every = |span: Span| if span.seconds() > 0.0 { seconds / span.seconds() } else { 0.0 };
    let detect = scenario.recovery.detect.as_ref().map_or(0.0, |detect| every(detect.every));
    let alert = scenario.recovery.alert.as_ref().map_or(0.0, |alert| every(alert.every));
    let sent = [
        ("load.rate", seconds * scenario.load.rate.per_second()),
        ("probe.every", every(scenario.probe.every)),
        ("recovery.detect.every", detect),
        ("recovery.alert.every", alert),
    ];
    let total: f64 = sent.iter().map(|(_, count)| count).sum();
    let most = sent.into_iter().max_by(|one, other| one.1.total_cmp(&other.1));
    let too_many = most.filter(|_| total > MOST_REQUESTS).map(|(key, _)| {
        let problem = format!(
            "in the {:.1} hours that this drill may take, it may send {total:.0} requests; the most is {MOST_REQUESTS:.0}",
            seconds / 3600.0
        );
        Note::new(key, problem, "send fewer in a second, or let less time pass: scale the drill down, and say so")
    });
    too_many.into_iter().collect()
}

fn total(parts: &[(String, f64)]) -> f64 {
    parts.iter().map(|(_, seconds)| seconds).sum()
}

/// Every span that a drill may have to wait for, with its key, in seconds.
fn parts(scenario: &Scenario, system: &System) -> Vec<(String, f64)> {
    let recovery = &scenario.recovery;
    let mut parts = vec![
        ("recovery.within".to_owned(), recovery.within.unwrap_or(UNSAID)),
        ("service_level.sustained_for".to_owned(), scenario.service_level.sustained_for),
        ("load.deadline".to_owned(), scenario.load.deadline),
        ("probe.deadline".to_owned(), scenario.probe.deadline),
    ];
    let decision = recovery.decision.as_ref().and_then(|decision| decision.takes);
    parts.extend(decision.map(|takes| ("recovery.decision.takes".to_owned(), takes)));
    parts.extend(recovery.alert.iter().map(|alert| ("recovery.alert.every".to_owned(), alert.every)));
    for (index, fault) in scenario.faults.iter().enumerate() {
        parts.push((format!("faults[{index}].at"), fault.at.to));
        parts.extend(fault.heal_after.map(|after| (format!("faults[{index}].heal_after"), after)));
    }
    for (index, backup) in scenario.backups.iter().enumerate() {
        let method = system.backups.get(&backup.method);
        let apart = method.and_then(|method| method.array()).and_then(|array| array.apart);
        parts.extend(backup.after.map(|after| (format!("backups[{index}].after"), after)));
        parts.push((format!("backups[{index}].method"), method.map_or(UNSAID, |method| method.within)));
        parts.extend(apart.map(|apart| (format!("backups[{index}].method"), apart)));
    }
    let mut parts: Vec<(String, f64)> = parts.into_iter().map(|(key, span)| (key, span.seconds())).collect();
    parts.extend(detection(scenario));
    parts.extend(steps(scenario, system));
    parts.push(("system".to_owned(), checks(scenario, system)));
    parts
}

fn detection(scenario: &Scenario) -> Option<(String, f64)> {
    let detect = scenario.recovery.detect.as_ref()?;
    let each = detect.every.seconds().max(detect.deadline.seconds());
    Some(("recovery.detect.every".to_owned(), each * f64::from(detect.failures)))
}

fn steps(scenario: &Scenario, system: &System) -> Vec<(String, f64)> {
    let within = |(key, step): (String, &Step)| {
        let words = step.kind.declared().words(None, scenario, system);
        let within = words.map_or(UNSAID.duration(), |words| words.within);
        (format!("{key}.{}", step.kind.key()), within.as_secs_f64())
    };
    each_step(scenario).map(within).collect()
}

/// The checks of the drill, and those of every backup that is tested.
fn checks(scenario: &Scenario, system: &System) -> f64 {
    let rounds = if scenario.restore_test { 1 + scenario.backups.len() } else { 1 };
    let within = system.checks.iter().map(|check| check.within.map_or(5.0, Span::seconds));
    rounds as f64 * within.sum::<f64>()
}
