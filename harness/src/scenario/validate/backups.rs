//! Rules of backups: how they are taken, what is restored from them, and whether their schedule can hold the target.

use std::cell::Cell;

use super::{
    Note, PairRule, ScenarioRule, SystemRule,
    names::{more_than_nothing, not_empty, twice, unknown, unknown_node},
    recovery::each_step,
    templates::not_filled_in,
};
use crate::scenario::{
    Scenario, System,
    backup::{BackupKind, BackupMethod, Take},
    drill::{Expectation, Interruption, Schedule, TakenBackup},
    fault::FaultKind,
    question::{Own, expectation_notes},
    step::StepKind,
    system::Role,
    units::{OneOf, Span},
};

pub(super) const SYSTEM_RULES: &[SystemRule] = &[methods];
pub(super) const RULES: &[ScenarioRule] = &[names, intervals, tested_backups, never_complete, unseen_damage];
pub(super) const PAIR_RULES: &[PairRule] = &[
    schedule_and_target,
    known_methods,
    kept_apart,
    restorable,
    one_primary,
    alerted_database,
    interrupted_nodes,
    interruptible,
];

fn methods(system: &System) -> Vec<Note> {
    system.backups.iter().flat_map(|(name, method)| method_of(&format!("backups.{name}"), method, system)).collect()
}

fn method_of(key: &str, method: &BackupMethod, system: &System) -> Vec<Note> {
    let take = match &method.kind {
        BackupKind::Take(Take(take)) => Some(take.as_slice()),
        BackupKind::ArrayMethod(_) => None,
    };
    let nothing = not_empty(format!("{key}.take"), take.is_some_and(<[_]>::is_empty), "write the command");
    let on = match (method.on.as_deref(), take) {
        (Some("writer"), _) => None,
        (Some(on), _) => unknown_node(format!("{key}.on"), on, system),
        (None, None) => None,
        (None, Some(_)) => Some(Note::new(key, "nothing says where it is taken", "add `on`, a node or `writer`")),
    };
    let within = more_than_nothing(format!("{key}.within"), method.within.ms() == 0.0);
    let texts = |what: &str, run: &[String], known: &[&str]| -> Vec<Note> {
        let each = run.iter().enumerate();
        each.flat_map(|(index, text)| not_filled_in(&format!("{key}.{what}[{index}]"), text, known)).collect()
    };
    let take = texts("take", take.unwrap_or_default(), &["id"]);
    let restore = texts("restore", method.restore.as_deref().unwrap_or_default(), &["backup", "point"]);
    let corrupt = texts("corrupt", method.corrupt.as_deref().unwrap_or_default(), &["backup", "by"]);
    let half_way = method.half_way.iter();
    let half_way = half_way.flat_map(|it| {
        let take = texts("half_way.take", it.take.as_deref().unwrap_or_default(), &["id"]);
        take.into_iter().chain(texts(
            "half_way.restore",
            it.restore.as_deref().unwrap_or_default(),
            &["backup", "point"],
        ))
    });
    [nothing, on, within].into_iter().flatten().chain(take).chain(restore).chain(corrupt).chain(half_way).collect()
}

/// A copy of a backup has its name, beside the secondary environment; and so has what the array saves of it, beside what is
/// brought back from there.
const RESERVED: [&str; 2] = ["secondary", "brought-back"];

fn names(scenario: &Scenario) -> Vec<Note> {
    let named = || scenario.backups.iter().enumerate().map(|(i, backup)| (format!("backups[{i}].id"), &*backup.id));
    let is_plain =
        |id: &str| !id.is_empty() && !id.starts_with('-') && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let odd = named().filter(|(_, id)| !is_plain(id)).map(|(key, id)| {
        Note::new(
            key,
            format!("`{id}` cannot be the name of a backup"),
            "use letters, digits and hyphens, the first of which is not a hyphen",
        )
    });
    let taken = named().filter(|(_, id)| RESERVED.contains(id)).map(|(key, id)| {
        Note::new(key, format!("`{id}` is a name that the harness itself gives"), "choose another one")
    });
    odd.chain(taken).chain(twice("backup", named())).collect()
}

fn intervals(scenario: &Scenario) -> Vec<Note> {
    let Some(Schedule { backup_every, archive_every, keep }) = scenario.schedule else { return Vec::new() };
    let spans = [("backup_every", Some(backup_every)), ("archive_every", archive_every), ("keep", keep)];
    let zero = |(key, span): (&str, Option<Span>)| more_than_nothing(format!("schedule.{key}"), span?.ms() == 0.0);
    let short = keep.filter(|keep| *keep < backup_every).map(|keep| {
        let problem = format!("a backup is kept for {keep}, and the next one comes after {backup_every}");
        Note::new("schedule.keep", problem, format!("keep it for longer than {backup_every}"))
    });
    let uneven = archive_every.filter(|every| every.ms() % 1000.0 != 0.0).map(|every| {
        let problem = format!("{every} is not a whole number of seconds, and servers archive by the second");
        Note::new("schedule.archive_every", problem, "write whole seconds, such as 2s")
    });
    spans.into_iter().filter_map(zero).chain(short).chain(uneven).collect()
}

/// The most that a disaster can cost is what came after the last backup, or after the last archived log, where it leaves no
/// copy of the data.
fn schedule_and_target(scenario: &Scenario, system: &System) -> Vec<Note> {
    let target = scenario.targets.rpo.as_ref().and_then(|rpo| rpo.time);
    let (Some(target), Some(schedule)) = (target, scenario.schedule) else { return Vec::new() };
    let (key, interval, what) = match schedule.archive_every {
        Some(every) => ("schedule.archive_every", every, "archived log"),
        None => ("schedule.backup_every", schedule.backup_every, "backup"),
    };
    if interval <= target || !can_destroy_every_copy(scenario, system) {
        return Vec::new();
    }
    let problem = format!("a loss just before the next {what} costs up to {interval}, and the target is {target}");
    let mend = match schedule.archive_every {
        _ if target.ms() == 0.0 => format!("allow an RPO of {interval}, or leave a copy of the data whole"),
        Some(_) => format!("write {target} or less, or allow an RPO of {interval}"),
        None => format!("take a backup every {target}, or archive the log at least so often with `archive_every`"),
    };
    vec![Note::new(key, problem, mend)]
}

/// Whether the faults leave none of the nodes whole that hold the work of the clients, however the seed draws one of them. A
/// spare holds nothing from birth.
fn can_destroy_every_copy(scenario: &Scenario, system: &System) -> bool {
    let is_spare = |name: &String| system.nodes.iter().any(|node| node.name == *name && node.role == Role::Spare);
    let holders =
        system.work_database().into_iter().flat_map(|(_, database)| &database.nodes).filter(|name| !is_spare(name));
    let holders: Vec<&String> = holders.collect();
    let destroying = scenario.faults.iter().filter(|fault| fault.kind.declared().effects().destroys_data);
    let outcomes: Vec<Vec<Vec<String>>> = destroying.map(|fault| outcomes(&fault.kind, scenario, system)).collect();
    let certain: Vec<&String> = outcomes.iter().filter(|one| one.len() == 1).flatten().flatten().collect();
    let is_all = |drawn: &[String]| holders.iter().all(|name| certain.contains(name) || drawn.contains(name));
    !holders.is_empty() && outcomes.iter().flatten().any(|drawn| is_all(drawn))
}

/// The victims of a fault, once for each node or zone that the seed may draw.
fn outcomes(kind: &FaultKind, scenario: &Scenario, system: &System) -> Vec<Vec<String>> {
    let most = Cell::new(1);
    let choose = |place: usize| {
        let mut kind = kind.clone();
        kind.declared_mut().choose(&|names| {
            most.set(most.get().max(names.0.len()));
            OneOf(names.0.get(place % names.0.len().max(1)).cloned().into_iter().collect())
        });
        kind.declared().victims(scenario, system)
    };
    let first = choose(0);
    std::iter::once(first).chain((1..most.get()).map(choose)).collect()
}

fn tested_backups(scenario: &Scenario) -> Vec<Note> {
    let is_idle = scenario.restore_test && scenario.backups.is_empty();
    let note = || Note::new("restore_test", "no backup is taken that could be tested", "add `backups`, or drop it");
    is_idle.then(note).into_iter().collect()
}

/// A restore test needs a backup that can be restored by itself; only a tested backup can be expected to be invalid.
fn restorable(scenario: &Scenario, system: &System) -> Vec<Note> {
    let is_tested = |backup: &TakenBackup| {
        let method = system.backups.get(&backup.method);
        let has_restore = method.is_none_or(BackupMethod::is_restorable);
        has_restore && backup.interrupted.is_none()
    };
    let idle = scenario.restore_test && !scenario.backups.is_empty() && !scenario.backups.iter().any(is_tested);
    let idle = idle.then(|| {
        Note::new("restore_test", "none of the backups can be restored by itself", "take one that can, or drop it")
    });
    let expected = scenario.backups.iter().enumerate().filter(|(_, backup)| backup.expect == Expectation::Invalid);
    let untested = expected.filter(|(_, backup)| !is_tested(backup)).map(|(index, backup)| {
        let problem = format!("`{}` is expected to be invalid, and is never restored by itself", backup.id);
        Note::new(format!("backups[{index}].expect"), problem, "drop it")
    });
    idle.into_iter().chain(untested).collect()
}

/// A copy gets its data back on its primary; without one, it would be tested for what was never restored.
fn one_primary(scenario: &Scenario, system: &System) -> Vec<Note> {
    let primaries = system.nodes.iter().filter(|node| node.role == Role::Primary).count();
    let note = || {
        let problem = format!("a copy is restored on its one primary, and this system has {primaries}");
        Note::new("restore_test", problem, "drop it, or give one node the role `primary`")
    };
    (scenario.restore_test && primaries != 1).then(note).into_iter().collect()
}

/// Each interruption of a backup, with its key.
fn each_interruption(scenario: &Scenario) -> impl Iterator<Item = (String, &TakenBackup, &Interruption)> {
    scenario.backups.iter().enumerate().filter_map(|(index, backup)| {
        Some((format!("backups[{index}].interrupted"), backup, backup.interrupted.as_ref()?))
    })
}

/// What never gets complete can be neither restored nor tested.
fn never_complete(scenario: &Scenario) -> Vec<Note> {
    let none_left = scenario.restore_test
        && !scenario.backups.is_empty()
        && scenario.backups.iter().all(|backup| backup.interrupted.is_some());
    let note = || Note::new("restore_test", "every backup is interrupted, so there is none to test", "take another");
    none_left.then(note).into_iter().collect()
}

/// What befalls a backup shows only when that is restored.
fn unseen_damage(scenario: &Scenario) -> Vec<Note> {
    let is_seen =
        scenario.restore_test || each_step(scenario).any(|(_, step)| matches!(step.kind, StepKind::RestoreStep(_)));
    let damaging = scenario.faults.iter().enumerate().filter(|(_, it)| it.kind.declared().effects().touches_backups);
    let note = |(index, _)| {
        let problem = "a backup is damaged, and none is restored: nothing would show it";
        Note::new(format!("faults[{index}]"), problem, "write `restore_test: true`, or restore one")
    };
    damaging.filter(|_| !is_seen).map(note).collect()
}

/// Before the first fault the load must not suffer, as nothing would account for it: only a backup repository may go then.
fn interrupted_nodes(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_interruption(scenario)
        .filter_map(|(key, _, it)| {
            let key = format!("{key}.kill");
            let Some(node) = system.nodes.iter().find(|node| node.name == it.kill) else {
                return unknown_node(key, &it.kill, system);
            };
            let problem = format!(
                "`{}` is not a backup repository, and its end would be an outage that no fault accounts for",
                it.kill
            );
            (node.role != Role::BackupRepository)
                .then(|| Note::new(key, problem, "kill a backup repository, or declare a fault"))
        })
        .collect()
}

fn interruptible(scenario: &Scenario, system: &System) -> Vec<Note> {
    let each = each_interruption(scenario);
    each.filter_map(|(key, backup, _)| system.backups.get(&backup.method)?.no_middle(key, &backup.method, "take"))
        .collect()
}

fn known_methods(scenario: &Scenario, system: &System) -> Vec<Note> {
    let known = system.backups.keys().map(String::as_str);
    let backups = scenario.backups.iter().enumerate();
    backups
        .filter_map(|(index, backup)| {
            unknown(format!("backups[{index}].method"), "way to take backups", &backup.method, known.clone())
        })
        .collect()
}

fn kept_apart(scenario: &Scenario, system: &System) -> Vec<Note> {
    let has_repository = system.nodes.iter().any(|node| node.role == Role::BackupRepository);
    let has_remote = system.storage.as_ref().is_some_and(|storage| storage.remote.is_some());
    let note = || {
        let problem =
            "this system has no backup repository and no remote pool, so backups would lie beside what they protect";
        Note::warning("backups", problem, "add a node with the role `backup-repository`, or a remote pool to the array")
    };
    (!scenario.backups.is_empty() && !has_repository && !has_remote).then(note).into_iter().collect()
}

fn alerted_database(scenario: &Scenario, system: &System) -> Vec<Note> {
    let Some(alert) = &scenario.recovery.alert else { return Vec::new() };
    let key = "recovery.alert";
    let every = more_than_nothing(format!("{key}.every"), alert.every.ms() == 0.0);
    let expected = expectation_notes(key, alert.expect.as_ref());
    alert.kind.notes(key, Own::default(), system).into_iter().chain(every).chain(expected).collect()
}
