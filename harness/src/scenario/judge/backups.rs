//! Rules of backups: how they are taken, what is restored from them, and whether their schedule can hold the target.

use super::{
    Note, PairRule, ScenarioRule, SystemRule,
    names::{exactly_one, more_than_nothing, not_empty, twice, unknown, unknown_database, unknown_node},
    recovery::each_step,
    templates::not_filled_in,
};
use crate::scenario::{
    Scenario, System,
    backup::BackupMethod,
    drill::{Expectation, Interruption, RestoreStep, RestoreTo, Schedule, TakenBackup},
    fault::{BackupSpoiled, BadChange, DataLost},
    system::Role,
    units::Span,
};

pub(super) const SYSTEM_RULES: &[SystemRule] = &[methods];
pub(super) const RULES: &[ScenarioRule] = &[
    names,
    intervals,
    schedule_and_target,
    restored_backups,
    spoiled_backups,
    judged_backups,
    back_before_what,
    never_complete,
    forward_only,
];
pub(super) const PAIR_RULES: &[PairRule] = &[
    known_methods,
    kept_apart,
    nodes_of_restores,
    restorable,
    judgeable,
    one_primary,
    spoilable,
    lost_nodes,
    changed_database,
    alerted_database,
    interrupted_nodes,
    interruptible,
    marked_points,
];

fn methods(system: &System) -> Vec<Note> {
    system.backups.iter().flat_map(|(name, method)| method_of(&format!("backups.{name}"), method, system)).collect()
}

fn method_of(key: &str, method: &BackupMethod, system: &System) -> Vec<Note> {
    let kinds = [("take", !method.take.is_empty()), ("array", method.array.is_some())];
    let one = exactly_one(key, "a way to take backups", &kinds);
    let on = match (method.on.as_deref(), method.take.is_empty()) {
        (Some("writer"), _) => None,
        (Some(on), _) => unknown_node(format!("{key}.on"), on, system),
        (None, true) => None,
        (None, false) => Some(Note::new(key, "nothing says where it is taken", "add `on`, a node or `writer`")),
    };
    let within = more_than_nothing(format!("{key}.within"), method.within.ms() == 0.0);
    let texts = |what: &str, run: &[String], known: &[&str]| -> Vec<Note> {
        let each = run.iter().enumerate();
        each.flat_map(|(index, text)| not_filled_in(&format!("{key}.{what}[{index}]"), text, known)).collect()
    };
    let take = texts("take", &method.take, &["id"]);
    let restore = texts("restore", method.restore.as_deref().unwrap_or_default(), &["backup", "point"]);
    let spoil = texts("spoil", method.spoil.as_deref().unwrap_or_default(), &["backup", "by"]);
    let half_way = method.half_way.iter();
    let half_way = half_way.flat_map(|it| {
        let take = texts("half_way.take", it.take.as_deref().unwrap_or_default(), &["id"]);
        take.into_iter().chain(texts(
            "half_way.restore",
            it.restore.as_deref().unwrap_or_default(),
            &["backup", "point"],
        ))
    });
    [one, on, within].into_iter().flatten().chain(take).chain(restore).chain(spoil).chain(half_way).collect()
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
            "use letters, digits and hyphens, the first of which is no hyphen",
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
        let problem = format!("{every} is no whole number of seconds, and servers archive by the second");
        Note::new("schedule.archive_every", problem, "write whole seconds, such as 2s")
    });
    spans.into_iter().filter_map(zero).chain(short).chain(uneven).collect()
}

/// The most that a disaster can cost is what came after the last backup, or after the last archived log.
fn schedule_and_target(scenario: &Scenario) -> Vec<Note> {
    let target = scenario.targets.rpo.as_ref().and_then(|rpo| rpo.time).filter(|time| time.ms() > 0.0);
    let loses_data = scenario.faults.iter().any(|fault| fault.data_lost.is_some());
    let (Some(target), Some(schedule), true) = (target, scenario.schedule, loses_data) else { return Vec::new() };
    let (key, interval, what) = match schedule.archive_every {
        Some(every) => ("schedule.archive_every", every, "archived log"),
        None => ("schedule.backup_every", schedule.backup_every, "backup"),
    };
    if interval <= target {
        return Vec::new();
    }
    let problem = format!("a loss just before the next {what} costs up to {interval}, and the target is {target}");
    let mend = match schedule.archive_every {
        Some(_) => format!("write {target} or less, or allow an RPO of {interval}"),
        None => format!("take a backup every {target}, or archive the log at least so often with `archive_every`"),
    };
    vec![Note::new(key, problem, mend)]
}

fn each_restore(scenario: &Scenario) -> impl Iterator<Item = (String, &RestoreStep)> {
    each_step(scenario).filter_map(|(key, step)| Some((format!("{key}.restore"), step.restore.as_ref()?)))
}

fn restored_backups(scenario: &Scenario) -> Vec<Note> {
    let known = || scenario.backups.iter().map(|backup| backup.id.as_str());
    each_restore(scenario)
        .flat_map(|(key, step)| {
            let backup = unknown(format!("{key}.backup"), "backup of this scenario", &step.backup, known());
            let point = match &step.to {
                RestoreTo::Point(id) => unknown(format!("{key}.to.point"), "backup of this scenario", id, known()),
                _ => None,
            };
            backup.into_iter().chain(point)
        })
        .collect()
}

fn each_spoiled(scenario: &Scenario) -> impl Iterator<Item = (String, &BackupSpoiled)> {
    let faults = scenario.faults.iter().enumerate();
    faults
        .filter_map(|(index, fault)| Some((format!("faults[{index}].backup_spoiled"), fault.backup_spoiled.as_ref()?)))
}

fn spoiled_backups(scenario: &Scenario) -> Vec<Note> {
    let known = || scenario.backups.iter().map(|backup| backup.id.as_str());
    each_spoiled(scenario)
        .filter_map(|(key, spoiled)| {
            unknown(format!("{key}.backup"), "backup of this scenario", &spoiled.backup, known())
        })
        .collect()
}

fn judged_backups(scenario: &Scenario) -> Vec<Note> {
    let is_idle = scenario.judge_backups && scenario.backups.is_empty();
    let note = || Note::new("judge_backups", "no backup is taken that could be judged", "add `backups`, or drop it");
    is_idle.then(note).into_iter().collect()
}

/// Whoever judges has something to judge, and expects something only of what is judged.
fn judgeable(scenario: &Scenario, system: &System) -> Vec<Note> {
    let is_judged = |backup: &TakenBackup| {
        let method = system.backups.get(&backup.method);
        let has_restore = method.is_none_or(|method| method.restore.is_some() || method.array.is_some());
        has_restore && backup.interrupted.is_none()
    };
    let idle = scenario.judge_backups && !scenario.backups.is_empty() && !scenario.backups.iter().any(is_judged);
    let idle = idle.then(|| {
        Note::new("judge_backups", "none of the backups can be restored by itself", "take one that can, or drop it")
    });
    let expected = scenario.backups.iter().enumerate().filter(|(_, backup)| backup.expect == Expectation::Invalid);
    let unjudged = expected.filter(|(_, backup)| !is_judged(backup)).map(|(index, backup)| {
        let problem = format!("`{}` is expected to be invalid, and is never restored by itself", backup.id);
        Note::new(format!("backups[{index}].expect"), problem, "drop it")
    });
    idle.into_iter().chain(unjudged).collect()
}

/// A copy gets its data back on its primary; without one, it would be judged for what was never restored.
fn one_primary(scenario: &Scenario, system: &System) -> Vec<Note> {
    let primaries = system.nodes.iter().filter(|node| node.role == Role::Primary).count();
    let note = || {
        let problem = format!("a copy is restored on its one primary, and this system has {primaries}");
        Note::new("judge_backups", problem, "drop it, or give one node the role `primary`")
    };
    (scenario.judge_backups && primaries != 1).then(note).into_iter().collect()
}

fn spoilable(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_spoiled(scenario)
        .filter_map(|(key, spoiled)| {
            let backup = scenario.backups.iter().find(|backup| backup.id == spoiled.backup)?;
            let method = system.backups.get(&backup.method)?;
            let problem = format!("the system does not say how a backup by `{}` is spoiled", backup.method);
            let mend = format!("add `spoil` to `backups.{}` of the system", backup.method);
            method.spoil.is_none().then(|| Note::new(format!("{key}.backup"), problem, mend))
        })
        .collect()
}

/// A restore begins at a backup and goes on from there: there is no way back from it.
fn forward_only(scenario: &Scenario) -> Vec<Note> {
    let place = |id: &str| scenario.backups.iter().position(|backup| backup.id == id);
    let is_before = |point: &str, backup: &str| Some(place(point)? < place(backup)?);
    each_restore(scenario)
        .filter_map(|(key, step)| {
            let RestoreTo::Point(point) = &step.to else { return None };
            let problem =
                format!("the point `{point}` lies before backup `{}`, and the log leads only forward", step.backup);
            let note =
                || Note::new(format!("{key}.to.point"), problem, "name a backup that was taken before the point");
            is_before(point, &step.backup)?.then(note)
        })
        .collect()
}

/// What can be restored by itself is a backup; the log knows no point by its name.
fn marked_points(scenario: &Scenario, system: &System) -> Vec<Note> {
    let is_backup = |id: &str| {
        let backup = scenario.backups.iter().find(|backup| backup.id == id)?;
        Some(is_restorable(system.backups.get(&backup.method)?))
    };
    let marks: Vec<&str> =
        system.backups.iter().filter(|(_, method)| !is_restorable(method)).map(|(name, _)| name.as_str()).collect();
    each_restore(scenario)
        .filter_map(|(key, step)| {
            let RestoreTo::Point(point) = &step.to else { return None };
            let problem = format!("`{point}` is a backup, and marks no point in the log");
            let mend = match marks.as_slice() {
                [] => "write `end` or `backup`; no method of this system marks points".to_owned(),
                marks => format!("name one that is taken by `{}`", marks.join("` or `")),
            };
            is_backup(point)?.then(|| Note::new(format!("{key}.to.point"), problem, mend))
        })
        .collect()
}

/// Each interruption of the scenario, and whether it is one of a backup.
fn each_interruption(scenario: &Scenario) -> Vec<(String, &Interruption, bool)> {
    let backups = scenario.backups.iter().enumerate().filter_map(|(index, backup)| {
        Some((format!("backups[{index}].interrupted"), backup.interrupted.as_ref()?, true))
    });
    let restores = each_restore(scenario)
        .filter_map(|(key, step)| Some((format!("{key}.interrupted"), step.interrupted.as_ref()?, false)));
    backups.chain(restores).collect()
}

/// What never gets complete can be neither restored nor spoiled, nor judged.
fn never_complete(scenario: &Scenario) -> Vec<Note> {
    let is_cut_short = |id: &str| scenario.backups.iter().any(|it| it.id == id && it.interrupted.is_some());
    let restored = each_restore(scenario).map(|(key, step)| (format!("{key}.backup"), step.backup.as_str()));
    let points = each_restore(scenario).filter_map(|(key, step)| match &step.to {
        RestoreTo::Point(id) => Some((format!("{key}.to.point"), id.as_str())),
        _ => None,
    });
    let spoiled = each_spoiled(scenario).map(|(key, spoiled)| (format!("{key}.backup"), spoiled.backup.as_str()));
    let used = restored.chain(points).chain(spoiled).filter(|(_, id)| is_cut_short(id)).map(|(key, id)| {
        Note::new(key, format!("`{id}` is interrupted and never gets complete"), "name a backup that does")
    });
    let none_left = scenario.judge_backups
        && !scenario.backups.is_empty()
        && scenario.backups.iter().all(|backup| backup.interrupted.is_some());
    let note = || Note::new("judge_backups", "every backup is interrupted, so there is none to judge", "take another");
    used.chain(none_left.then(note)).collect()
}

/// Before the first fault the load must not suffer, as nothing would account for it: only a vault may go then.
fn interrupted_nodes(scenario: &Scenario, system: &System) -> Vec<Note> {
    let each = each_interruption(scenario).into_iter();
    each.filter_map(|(key, it, is_backup)| {
        let key = format!("{key}.kill");
        let Some(node) = system.nodes.iter().find(|node| node.name == it.kill) else {
            return unknown_node(key, &it.kill, system);
        };
        let problem = format!("`{}` is no vault, and its end would be an outage that no fault accounts for", it.kill);
        let note = || Note::new(key, problem, "kill a vault, or declare a fault");
        (is_backup && node.role != Role::Vault).then(note)
    })
    .collect()
}

/// Whoever strikes in the middle must be told where the middle is.
fn interruptible(scenario: &Scenario, system: &System) -> Vec<Note> {
    let method = |id: &str| scenario.backups.iter().find(|backup| backup.id == id).map(|backup| backup.method.as_str());
    let backups = scenario.backups.iter().enumerate().filter_map(|(index, backup)| {
        backup.interrupted.as_ref()?;
        Some((format!("backups[{index}].interrupted"), backup.method.as_str(), "take"))
    });
    let restores = each_restore(scenario).filter_map(|(key, step)| {
        step.interrupted.as_ref()?;
        Some((format!("{key}.interrupted"), method(&step.backup)?, "restore"))
    });
    backups
        .chain(restores)
        .filter_map(|(key, name, what)| {
            let half_way = system.backups.get(name)?.half_way.as_ref();
            let command = half_way.and_then(|it| if what == "take" { it.take.as_ref() } else { it.restore.as_ref() });
            let problem = format!("`{name}` does not say how it is found in the middle of that");
            let mend = format!("add `half_way.{what}` to `{name}` in the system's `backups`");
            command.is_none_or(Vec::is_empty).then(|| Note::new(key, problem, mend))
        })
        .collect()
}

fn back_before_what(scenario: &Scenario) -> Vec<Note> {
    let has_change = scenario.faults.iter().any(|fault| fault.bad_change.is_some());
    let needs = |to: &RestoreTo| matches!(to, RestoreTo::TimeBeforeChange | RestoreTo::PositionBeforeChange);
    each_restore(scenario)
        .filter(|(_, step)| needs(&step.to) && !has_change)
        .map(|(key, _)| {
            let problem = "no change is made in this drill that one could go back before";
            Note::new(format!("{key}.to"), problem, "write `end`, `backup` or `point`, or declare a `bad_change`")
        })
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

fn nodes_of_restores(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_restore(scenario)
        .filter_map(|(key, step)| {
            let backup = scenario.backups.iter().find(|backup| backup.id == step.backup)?;
            let by_array = system.backups.get(&backup.method)?.array.is_some();
            match (&step.node, by_array) {
                (Some(node), false) => unknown_node(format!("{key}.node"), node, system),
                (None, true) if step.to == RestoreTo::Backup => None,
                (None, true) => {
                    let problem = format!("the array took `{}`, and knows no log that goes on after it", backup.id);
                    Some(Note::new(format!("{key}.to"), problem, "write `to: backup`"))
                }
                (None, false) => Some(Note::new(key, "nothing says where it is restored", "add `node`")),
                (Some(_), true) => {
                    let problem = format!("the array took `{}`, and brings back every disk", backup.id);
                    Some(Note::new(format!("{key}.node"), problem, "drop it"))
                }
            }
        })
        .collect()
}

/// A point is no backup: it lies in the log, behind one.
fn restorable(scenario: &Scenario, system: &System) -> Vec<Note> {
    let method = |id: &str| {
        let backup = scenario.backups.iter().find(|backup| backup.id == id)?;
        Some((backup, system.backups.get(&backup.method)?))
    };
    each_restore(scenario)
        .filter_map(|(key, step)| {
            let (backup, method) = method(&step.backup)?;
            let problem =
                format!("`{}` is taken by `{}`, which cannot be restored by itself", backup.id, backup.method);
            let mend = "name a backup that was taken before it, and write `to: {point: ...}`";
            (!is_restorable(method)).then(|| Note::new(format!("{key}.backup"), problem, mend))
        })
        .collect()
}

const fn is_restorable(method: &BackupMethod) -> bool {
    method.restore.is_some() || method.array.is_some()
}

fn kept_apart(scenario: &Scenario, system: &System) -> Vec<Note> {
    let has_vault = system.nodes.iter().any(|node| node.role == Role::Vault);
    let has_remote = system.storage.as_ref().is_some_and(|storage| storage.remote.is_some());
    let note = || {
        let problem = "this system has no vault and no remote pool, so backups would lie beside what they protect";
        Note::warning("backups", problem, "add a node with the role `vault`, or a remote pool to the array")
    };
    (!scenario.backups.is_empty() && !has_vault && !has_remote).then(note).into_iter().collect()
}

fn lost_nodes(scenario: &Scenario, system: &System) -> Vec<Note> {
    let lost = scenario.faults.iter().enumerate().filter_map(|(index, fault)| Some((index, fault.data_lost.as_ref()?)));
    lost.flat_map(|(index, DataLost { nodes })| {
        let key = format!("faults[{index}].data_lost.nodes");
        let none = not_empty(key.clone(), nodes.is_empty(), "name the nodes that lose their data");
        let each = nodes.iter().enumerate().filter_map(|(index, name)| {
            let key = format!("{key}[{index}]");
            let Some(node) = system.nodes.iter().find(|node| node.name == *name) else {
                return unknown_node(key, name, system);
            };
            let problem = format!("`{name}` has no volume that could be lost");
            node.data.is_none().then(|| Note::new(key, problem, "name a node with `data`"))
        });
        none.into_iter().chain(each).collect::<Vec<_>>()
    })
    .collect()
}

fn changed_database(scenario: &Scenario, system: &System) -> Vec<Note> {
    let changes =
        scenario.faults.iter().enumerate().filter_map(|(index, fault)| Some((index, fault.bad_change.as_ref()?)));
    changes
        .flat_map(|(index, BadChange { database, user, statement, shows })| {
            let key = format!("faults[{index}].bad_change");
            let empty = [
                ("user", user.trim().is_empty(), "name the role of the applications"),
                ("statement", statement.trim().is_empty(), "write the change"),
                ("shows", shows.trim().is_empty(), "write a query that lists what must not be"),
            ];
            let empty =
                empty.into_iter().filter_map(|(what, is, mend)| not_empty(format!("{key}.{what}"), is, mend)).collect();
            let in_database = format!("{key}.database");
            let note = match system.databases.get(database) {
                None => unknown_database(in_database, database, system),
                Some(known) => known.moment.is_none().then(|| {
                    let problem = format!("`{database}` does not say how it tells the moment");
                    let mend = "declare `moment` with the database: a query that gives its time and its position";
                    Note::new(in_database, problem, mend)
                }),
            };
            note.into_iter().chain::<Vec<Note>>(empty).collect::<Vec<_>>()
        })
        .collect()
}

fn alerted_database(scenario: &Scenario, system: &System) -> Vec<Note> {
    let Some(alert) = &scenario.recovery.alert else { return Vec::new() };
    let database = unknown_database("recovery.alert.database".to_owned(), &alert.database, system);
    let every = more_than_nothing("recovery.alert.every".to_owned(), alert.every.ms() == 0.0);
    let empty = not_empty("recovery.alert.query".to_owned(), alert.query.trim().is_empty(), "write the query");
    [database, every, empty].into_iter().flatten().collect()
}
