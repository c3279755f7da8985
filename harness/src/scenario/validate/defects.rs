//! Rules of a system's self-test and of its defects.

use blackstart_reports::selftest::RPO;

use super::{
    Note, SystemRule,
    names::{more_than_nothing, not_empty, twice, unknown},
    recovery, service,
};
use crate::scenario::{
    System,
    selftest::{Defect, SelfTest},
    step::Step,
};

pub(super) const RULES: &[SystemRule] =
    &[without_self_test, identifiers, catchers, nothing_done, times, steps, traffic, reserved];

fn each_defect(system: &System) -> impl Iterator<Item = (String, &Defect)> {
    system.defects.iter().enumerate().map(|(index, defect)| (format!("defects[{index}]"), defect))
}

fn without_self_test(system: &System) -> Vec<Note> {
    let missing = !system.defects.is_empty() && system.selftest.is_none();
    let problem = "there are defects, and nothing says how the system is made ready for them and brought back";
    let note = || Note::new("defects", problem, "add `selftest` with `load`, `save` and `restore`");
    missing.then(note).into_iter().collect()
}

fn identifiers(system: &System) -> Vec<Note> {
    let named = || each_defect(system).map(|(key, defect)| (format!("{key}.id"), defect.id.as_str()));
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_fine = |id: &str| !id.is_empty() && id.len() <= 100 && id.chars().all(is_letter);
    let odd = named().filter(|(_, id)| !is_fine(id)).map(|(key, id)| {
        Note::new(key, format!("`{id}` cannot identify a defect"), "use small letters, digits and hyphens")
    });
    let families = each_defect(system).filter_map(|(key, defect)| {
        not_empty(format!("{key}.family"), defect.family.trim().is_empty(), "write what kind of damage it is: `data`")
    });
    odd.chain(twice("defect", named())).chain(families).collect()
}

/// Somebody must find a defect, or it must be said why nobody can.
fn catchers(system: &System) -> Vec<Note> {
    each_defect(system)
        .flat_map(|(key, defect)| {
            let by = format!("{key}.must_be_caught_by");
            let known = system.checks.iter().map(|check| check.id.as_str()).chain([RPO]);
            let named = || defect.must_be_caught_by.iter().enumerate();
            let each = || named().map(|(index, id)| (format!("{by}[{index}]"), id.as_str()));
            let strangers = each()
                .filter_map(|(key, id)| unknown(key, "check of this system", id, known.clone()))
                .collect::<Vec<_>>();
            let why_not = format!("{key}.cannot_be_caught");
            let whether = match (&defect.cannot_be_caught, defect.must_be_caught_by.is_empty()) {
                (None, true) => Some(Note::new(
                    by.clone(),
                    format!("nothing must find `{}`", defect.id),
                    "name the checks that must, or say in `cannot_be_caught` why none can",
                )),
                (Some(_), false) => Some(Note::new(
                    why_not,
                    format!("`{}` must be found, and yet it cannot be", defect.id),
                    "keep one of `must_be_caught_by` and `cannot_be_caught`",
                )),
                (Some(why), true) => not_empty(why_not, why.trim().is_empty(), "say why no check can find it"),
                (None, false) => None,
            };
            strangers.into_iter().chain(twice("check", each())).chain(whether).collect::<Vec<_>>()
        })
        .collect()
}

fn nothing_done(system: &System) -> Vec<Note> {
    let inject = each_defect(system).filter_map(|(key, defect)| {
        not_empty(format!("{key}.inject"), defect.inject.is_empty(), "write the steps that put the defect in place")
    });
    let around = system.selftest.iter().flat_map(|it| {
        let save = not_empty("selftest.save", it.save.is_empty(), "write the steps that save the system's state");
        let restore = not_empty(
            "selftest.restore",
            it.restore.iter().all(Vec::is_empty),
            "write the steps that bring the saved state back",
        );
        save.into_iter().chain(restore)
    });
    inject.chain(around).collect()
}

fn times(system: &System) -> Vec<Note> {
    let Some(it) = &system.selftest else { return Vec::new() };
    let patience = it.patience.is_some_and(|span| span.ms() == 0.0);
    let spans = [("selftest.lasts", it.lasts.ms() == 0.0), ("selftest.patience", patience)];
    spans.into_iter().filter_map(|(key, is_nothing)| more_than_nothing(key, is_nothing)).collect()
}

/// Every list of steps, with its key.
fn each_list(system: &System) -> Vec<(String, &[Step])> {
    let around = system.selftest.iter().flat_map(|SelfTest { midway, save, restore, .. }| {
        let restore =
            restore.iter().enumerate().map(|(index, steps)| (format!("selftest.restore[{index}]"), &steps[..]));
        let around = [("selftest.midway", midway), ("selftest.save", save)];
        around.map(|(key, steps)| (key.to_owned(), &steps[..])).into_iter().chain(restore).collect::<Vec<_>>()
    });
    let defects = each_defect(system).flat_map(|(key, defect)| {
        let lists = [("prepare", &defect.prepare), ("inject", &defect.inject), ("undo", &defect.undo)];
        lists.map(|(name, steps)| (format!("{key}.{name}"), &steps[..]))
    });
    around.chain(defects).collect()
}

/// Steps are validated as those of a recovery's procedure are; only their keys are other ones.
fn steps(system: &System) -> Vec<Note> {
    let Some(selftest) = &system.selftest else { return Vec::new() };
    each_list(system)
        .into_iter()
        .flat_map(|(key, steps)| {
            let scenario = selftest.scenario(system, steps);
            let alone = recovery::STEP_RULES.iter().flat_map(|rule| rule(&scenario));
            let together = recovery::STEP_PAIR_RULES.iter().flat_map(|rule| rule(&scenario, system));
            let notes: Vec<Note> = alone.chain(together).collect();
            notes.into_iter().map(move |note| Note { key: note.key.replacen("recovery.procedure", &key, 1), ..note })
        })
        .collect()
}

/// The load and the probe are validated as those of a scenario are.
fn traffic(system: &System) -> Vec<Note> {
    let Some(selftest) = &system.selftest else { return Vec::new() };
    let scenario = selftest.scenario(system, &[]);
    let alone = service::SCENARIO_RULES.iter().flat_map(|rule| rule(&scenario));
    let together = service::PAIR_RULES.iter().flat_map(|rule| rule(&scenario, system));
    let at = |note: Note| match note.key.strip_prefix("probe") {
        Some(_) => Note { key: "selftest.probe".to_owned(), ..note },
        None => Note { key: format!("selftest.{}", note.key), ..note },
    };
    alone.chain(together).map(at).collect()
}

fn reserved(system: &System) -> Vec<Note> {
    let checks = system.checks.iter().enumerate().filter(|(_, check)| check.id == RPO);
    let note = |(index, _)| {
        let problem = "`rpo` stands for the measured recovery point wherever checks are named";
        Note::new(format!("checks[{index}].id"), problem, "give the check another name")
    };
    checks.map(note).collect()
}
