//! Rules of what is demanded, and of whether the drill can measure it finely enough.

use super::{
    Note, PairRule, ScenarioRule,
    names::{more_than_nothing, not_empty, twice, unknown},
};
use crate::scenario::{
    Scenario, System,
    drill::{RtoEndpoint, RtoTarget},
    step::{SecondaryKind, SecondaryStep, Step, StepKind},
    units::Span,
};

pub(super) const RULES: &[ScenarioRule] =
    &[covers, title, something_demanded, resolution_of_rto, resolution_of_rpo, failback, service_level, reasons];
pub(super) const PAIR_RULES: &[PairRule] = &[tolerated, something_verified];

fn covers(scenario: &Scenario) -> Vec<Note> {
    let named = || scenario.covers.iter().enumerate().map(|(index, id)| (format!("covers[{index}]"), id.as_str()));
    let odd = named().filter(|(_, id)| !is_requirement(id)).map(|(key, id)| {
        Note::new(
            key,
            format!("`{id}` is not an identifier of a requirement"),
            "write capital letters, a hyphen, a number: OM-3",
        )
    });
    odd.chain(twice("requirement", named())).collect()
}

fn is_requirement(id: &str) -> bool {
    let Some((system, number)) = id.split_once('-') else { return false };
    let is_all = |text: &str, test: fn(&char) -> bool| !text.is_empty() && text.chars().all(|c| test(&c));
    is_all(system, char::is_ascii_uppercase) && is_all(number, char::is_ascii_digit)
}

fn title(scenario: &Scenario) -> Vec<Note> {
    not_empty("title", scenario.title.trim().is_empty(), "say in one line what happens").into_iter().collect()
}

fn something_demanded(scenario: &Scenario) -> Vec<Note> {
    let targets = &scenario.targets;
    let nothing = (targets.rpo.is_none() && targets.rto.is_none() && targets.failback.is_none()).then(|| {
        let problem = "no target is declared: the drill can only fail by its checks";
        Note::warning("targets", problem, "add `rpo` or `rto`")
    });
    let empty = targets.rpo.as_ref().filter(|rpo| rpo.lost_writes.is_none() && rpo.time.is_none());
    let empty = empty.map(|_| Note::new("targets.rpo", "this demands nothing", "add `lost_writes` or `time`"));
    let rto = targets.rto.as_ref().and_then(|rto| more_than_nothing("targets.rto.within", rto.within.ms() == 0.0));
    [nothing, empty, rto].into_iter().flatten().collect()
}

/// The resolution of a recovery time is the interval of the probe. Over a tenth of the target, no verdict could be trusted.
fn resolution_of_rto(scenario: &Scenario) -> Vec<Note> {
    let targets = &scenario.targets;
    let rto = targets.rto.as_ref().map(|rto| ("an RTO target", rto.within));
    let failback = targets.failback.as_ref().map(|failback| ("a target for the failback", failback.within));
    let demanded = [rto, failback].into_iter().flatten().filter(|(_, within)| within.ms() > 0.0);
    demanded.flat_map(|(what, within)| too_coarse(scenario, what, within)).collect()
}

fn too_coarse(scenario: &Scenario, what: &str, within: Span) -> Vec<Note> {
    let probe = &scenario.probe;
    let coarse = (probe.every.ms() * 10.0 > within.ms()).then(|| {
        let problem = format!("a probe every {} is too coarse for {what} of {within}", probe.every);
        Note::new("probe.every", problem, format!("probe every {} or more often", tenth(within)))
    });
    let late = (probe.deadline >= within).then(|| {
        let problem = format!("a probe that waits {} cannot tell an outage of {within}", probe.deadline);
        Note::new("probe.deadline", problem, format!("let it wait less than {within}"))
    });
    coarse.into_iter().chain(late).collect()
}

/// A failback is what the steps afterwards make by shutting the secondary environment down.
fn failback(scenario: &Scenario) -> Vec<Note> {
    let Some(target) = &scenario.targets.failback else { return Vec::new() };
    let is_away =
        |step: &Step| matches!(step.kind, StepKind::SecondaryStep(SecondaryStep { kind: SecondaryKind::ShutDown(_) }));
    let none = (!scenario.recovery.afterwards.iter().any(is_away)).then(|| {
        let problem = "no step afterwards shuts the secondary environment down, so there is no failback to time";
        Note::new("targets.failback", problem, "drop it, or bring the service back under `recovery.afterwards`")
    });
    let nothing = more_than_nothing("targets.failback.within", target.within.ms() == 0.0);
    none.into_iter().chain(nothing).collect()
}

/// Without checks there is no moment at which everything was verified.
fn something_verified(scenario: &Scenario, system: &System) -> Vec<Note> {
    let is_verified = |rto: &&RtoTarget| rto.endpoint == RtoEndpoint::Verified;
    let unverified = scenario.targets.rto.as_ref().filter(is_verified).filter(|_| system.checks.is_empty());
    let note = |_| {
        let problem = "the system declares no check, so there is no moment at which it is verified";
        Note::new("targets.rto.endpoint", problem, "declare `checks` for the system, or time to `service`")
    };
    unverified.map(note).into_iter().collect()
}

fn tenth(span: Span) -> Span {
    Span::from_ms((span.ms() / 10.0).max(1.0) as u64)
}

/// The resolution of a recovery point in time is the interval of acknowledged writes.
fn resolution_of_rpo(scenario: &Scenario) -> Vec<Note> {
    let target = scenario.targets.rpo.as_ref().and_then(|rpo| rpo.time).filter(|time| time.ms() > 0.0);
    let Some(target) = target else { return Vec::new() };
    let rate = scenario.load.rate;
    let coarse = target.seconds() < 10.0 / rate.per_second();
    let note = || {
        let problem = format!("a load of {rate} is too low for an RPO target of {target}");
        let least = (10.0 / target.seconds()).ceil();
        Note::new("load.rate", problem, format!("write {least}/s or more, so that ten writes fall within the target"))
    };
    coarse.then(note).into_iter().collect()
}

fn service_level(scenario: &Scenario) -> Vec<Note> {
    let level = &scenario.service_level;
    let every = scenario.probe.every;
    let short = (level.sustained_for.ms() < 5.0 * every.ms()).then(|| {
        let problem =
            format!("{} holds fewer than five probes, of which there is one every {every}", level.sustained_for);
        let least = Span::from_ms((5.0 * every.ms()).ceil() as u64);
        Note::new("service_level.sustained_for", problem, format!("write {least} or more, or probe more often"))
    });
    let throughput = more_than_nothing("service_level.throughput", level.throughput.fraction() == 0.0);
    let errors = (level.errors.fraction() >= 1.0).then(|| {
        Note::new("service_level.errors", "a service that may fail every request is no service", "write less than 100%")
    });
    [short, throughput, errors].into_iter().flatten().collect()
}

fn reasons(scenario: &Scenario) -> Vec<Note> {
    let tolerances = || scenario.tolerate.iter().enumerate();
    let silent = tolerances().filter_map(|(index, tolerance)| {
        let is_silent = tolerance.because.trim().is_empty();
        not_empty(format!("tolerate[{index}].because"), is_silent, "say why it is tolerable")
    });
    let named = tolerances().map(|(index, tolerance)| (format!("tolerate[{index}].check"), tolerance.check.as_str()));
    silent.chain(twice("tolerance of", named)).collect()
}

fn tolerated(scenario: &Scenario, system: &System) -> Vec<Note> {
    let known = system.checks.iter().map(|check| check.id.as_str());
    scenario
        .tolerate
        .iter()
        .enumerate()
        .filter_map(|(index, tolerance)| {
            let key = format!("tolerate[{index}].check");
            let Some(check) = system.checks.iter().find(|check| check.id == tolerance.check) else {
                return unknown(key, "check of this system", &tolerance.check, known.clone());
            };
            (check.level < 3).then(|| {
                let problem = format!("`{}` is a check of level {}, where nothing is tolerable", check.id, check.level);
                Note::new(key, problem, "drop it: deviations are tolerable from level 3 on")
            })
        })
        .collect()
}
