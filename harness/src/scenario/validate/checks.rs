//! Rules of a system's checks. What only one kind can break is a rule of that kind, in its file in `harness/src/scenario/check/`.

use super::{
    Note, SystemRule,
    names::{more_than_nothing, twice},
};
use crate::scenario::{System, check::Check};

pub(super) const RULES: &[SystemRule] = &[identifiers, levels, levels_without_checks, kinds, time_limits];

fn each_check(system: &System) -> impl Iterator<Item = (String, &Check)> {
    system.checks.iter().enumerate().map(|(index, check)| (format!("checks[{index}]"), check))
}

fn identifiers(system: &System) -> Vec<Note> {
    let named = || each_check(system).map(|(key, check)| (format!("{key}.id"), check.id.as_str()));
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_fine = |id: &str| !id.is_empty() && id.len() <= 100 && id.chars().all(is_letter);
    let odd = named().filter(|(_, id)| !is_fine(id)).map(|(key, id)| {
        let problem = format!("`{id}` cannot identify a check");
        Note::new(key, problem, "use small letters, digits and hyphens")
    });
    odd.chain(twice("check", named())).collect()
}

fn levels(system: &System) -> Vec<Note> {
    each_check(system)
        .filter(|(_, check)| !(1..=6).contains(&check.level))
        .map(|(key, check)| {
            let problem = format!("there is no level {}", check.level);
            let mend = "write 1 (system), 2 (module), 3 (instance), 4 (consistency), 5 (invocation) or 6 (monitoring)";
            Note::new(format!("{key}.level"), problem, mend)
        })
        .collect()
}

fn levels_without_checks(system: &System) -> Vec<Note> {
    (1..=6)
        .filter(|level| !system.checks.iter().any(|check| check.level == *level))
        .map(|level| {
            let problem = format!("no check is declared at level {level}");
            Note::warning("checks", problem, "declare one; until then the level is reported as not declared")
        })
        .collect()
}

fn kinds(system: &System) -> Vec<Note> {
    let notes =
        |(key, check): (String, &Check)| check.kind.declared().notes(&format!("{key}.{}", check.kind.key()), system);
    each_check(system).flat_map(notes).collect()
}

fn time_limits(system: &System) -> Vec<Note> {
    each_check(system)
        .filter_map(|(key, check)| more_than_nothing(format!("{key}.within"), check.within?.ms() == 0.0))
        .collect()
}
