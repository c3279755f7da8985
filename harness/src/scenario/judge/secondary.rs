//! Rules of the secondary environment: what is done there, and in which order it makes sense.

use super::{
    Note, PairRule, ScenarioRule,
    names::{exactly_one, not_empty, unknown, unknown_node},
    recovery::each_step,
};
use crate::scenario::{
    Scenario, System,
    drill::Step,
    secondary::{Environment, SecondaryStep},
};

pub(super) const RULES: &[ScenarioRule] = &[kinds, levels, order];
pub(super) const PAIR_RULES: &[PairRule] = &[nodes, disks];

fn each_secondary(scenario: &Scenario) -> impl Iterator<Item = (String, &SecondaryStep)> {
    each_step(scenario).filter_map(|(key, step)| Some((format!("{key}.secondary"), step.secondary.as_ref()?)))
}

fn kinds(scenario: &Scenario) -> Vec<Note> {
    each_secondary(scenario)
        .filter_map(|(key, step)| {
            let kinds = [
                ("install", step.install.is_some()),
                ("disks", step.disks.is_some()),
                ("start", step.start.is_some()),
                ("run", step.run.is_some()),
                ("check", step.check.is_some()),
                ("shut_down", step.shut_down.is_some()),
            ];
            exactly_one(&key, "a step at the secondary environment", &kinds)
        })
        .collect()
}

fn levels(scenario: &Scenario) -> Vec<Note> {
    each_secondary(scenario)
        .filter_map(|(key, step)| Some((format!("{key}.check.levels"), &step.check.as_ref()?.levels)))
        .flat_map(|(key, levels)| {
            let none = not_empty(key.clone(), levels.is_empty(), "name the levels that are checked");
            let odd =
                levels.iter().enumerate().filter(|(_, level)| !(1..=4).contains(*level)).map(move |(place, level)| {
                    let problem = match level {
                        5 | 6 => format!("level {level} brings work of its own, and clients do not go there yet"),
                        _ => format!("there is no level {level}"),
                    };
                    Note::new(format!("{key}[{place}]"), problem, "write 1 to 4")
                });
            none.into_iter().chain(odd).collect::<Vec<_>>()
        })
        .collect()
}

/// Nothing is done at an environment before it is installed, and nothing is brought back from one that is not shut down.
fn order(scenario: &Scenario) -> Vec<Note> {
    let steps: Vec<(String, &Step)> = each_step(scenario).collect();
    let is_secondary = |step: &Step, is: fn(&SecondaryStep) -> bool| step.secondary.as_ref().is_some_and(is);
    let place_of = |is: fn(&SecondaryStep) -> bool| steps.iter().position(|(_, step)| is_secondary(step, is));
    let installed = place_of(|step| step.install.is_some());
    let shut_down = place_of(|step| step.shut_down.is_some());
    let mut notes = Vec::new();
    for (place, (key, step)) in steps.iter().enumerate() {
        let goes_there = step.redirect.is_some_and(|redirect| redirect.to == Environment::Secondary);
        let needs_it = is_secondary(step, |step| step.install.is_none()) || goes_there;
        if needs_it && installed.is_none_or(|installed| installed > place) {
            let mend = "begin with `secondary: {install: {}}`";
            notes.push(Note::new(key, "the secondary environment is not installed before this step", mend));
        }
        if step.bring_back.is_some() && shut_down.is_none_or(|down| down > place) {
            let problem = "what still runs at the secondary environment cannot be brought back whole";
            notes.push(Note::new(
                format!("{key}.bring_back"),
                problem,
                "shut it down before, by `secondary: {shut_down: {}}`",
            ));
        }
    }
    notes
}

fn nodes(scenario: &Scenario, system: &System) -> Vec<Note> {
    let named = each_secondary(scenario).flat_map(|(key, step)| {
        let disks = step.disks.as_ref().map(|disks| ("disks", &disks.nodes));
        let started = step.start.as_ref().map(|start| ("start", &start.nodes));
        let ran = step.run.iter().map({
            let key = key.clone();
            move |run| (format!("{key}.run.on"), &run.on)
        });
        let lists = disks.into_iter().chain(started);
        let lists = lists.flat_map(move |(kind, nodes)| {
            let key = key.clone();
            nodes.iter().enumerate().map(move |(place, name)| (format!("{key}.{kind}.nodes[{place}]"), name))
        });
        lists.chain(ran).collect::<Vec<_>>()
    });
    named.filter_map(|(key, name)| unknown_node(key, name, system)).collect()
}

/// Disks are laid from what the array took.
fn disks(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_secondary(scenario)
        .filter_map(|(key, step)| Some((format!("{key}.disks.backup"), step.disks.as_ref()?)))
        .filter_map(|(key, disks)| {
            let known = scenario.backups.iter().map(|backup| backup.id.as_str());
            let missing = unknown(key.clone(), "backup of this scenario", &disks.backup, known);
            let backup = scenario.backups.iter().find(|backup| backup.id == disks.backup);
            let method = backup.and_then(|backup| system.backups.get(&backup.method));
            let by_command = method.filter(|method| method.array.is_none());
            let problem = || format!("`{}` was not taken by the array, and holds no disks", disks.backup);
            missing.or_else(|| by_command.map(|_| Note::new(key, problem(), "name a backup that the array takes")))
        })
        .collect()
}
