//! Rules of the storage array: what it can take, where it lies, and what befalls it.

use super::{
    Note, PairRule, ScenarioRule, SystemRule,
    names::{not_empty, twice, unknown, unknown_node},
};
use crate::scenario::{
    Scenario, System,
    backup::{ArrayCopy, BackupKind, BackupMethod},
    drill::Expectation,
    step::StepKind,
    system::Role,
    units::Size,
};

pub(super) const SYSTEM_RULES: &[SystemRule] = &[sizes, remote_site, array_methods, data_classes];
pub(super) const RULES: &[ScenarioRule] = &[expectations];
pub(super) const PAIR_RULES: &[PairRule] = &[interrupted_arrays];

/// The least that the file system of a disk needs.
const LEAST_DISK: u64 = 320 * 1024 * 1024;

fn sizes(system: &System) -> Vec<Note> {
    let Some(storage) = &system.storage else { return Vec::new() };
    let small = (storage.disk.bytes() < LEAST_DISK).then(|| {
        let problem = format!("a disk of {} is too small for its file system", storage.disk);
        Note::new("storage.disk", problem, "write 320MiB or more")
    });
    let tight = |key: &str, pool: Size| {
        let problem = format!("a pool of {pool} holds no disk of {}", storage.disk);
        (pool <= storage.disk).then(|| Note::new(key, problem, "write a larger one"))
    };
    let remote = storage.remote.as_ref().and_then(|remote| tight("storage.remote.pool", remote.pool));
    [small, tight("storage.pool", storage.pool), remote].into_iter().flatten().collect()
}

/// What is sent to the remote pool is a copy of the data, so that pool must stand where copies may lie.
fn remote_site(system: &System) -> Vec<Note> {
    let Some(remote) = system.storage.as_ref().and_then(|storage| storage.remote.as_ref()) else { return Vec::new() };
    let sites = system.sites.iter().map(|site| site.name.as_str());
    let nowhere = unknown("storage.remote.site", "site of this system", &remote.site, sites);
    let site = system.sites.iter().find(|site| site.name == remote.site);
    let outside = site.zip(system.residency.as_ref()).filter(|(site, residency)| site.region != residency.region);
    let outside = outside.map(|(site, residency)| {
        let problem = format!(
            "snapshots would be sent to `{}`, region `{}`; the data may not leave `{}`",
            site.name, site.region, residency.region
        );
        Note::new("storage.remote.site", problem, format!("name a site in `{}`", residency.region))
    });
    nowhere.into_iter().chain(outside).collect()
}

fn array_methods(system: &System) -> Vec<Note> {
    let methods = system.backups.iter().filter(|(_, method)| method.is_by_array());
    methods.flat_map(|(name, method)| array_method(&format!("backups.{name}"), method, system)).collect()
}

fn array_method(key: &str, method: &BackupMethod, system: &System) -> Vec<Note> {
    let BackupKind::ArrayMethod(array) = method.kind else { return Vec::new() };
    let key_of = |name: &str| format!("{key}.{name}");
    let without = system.storage.is_none().then(|| {
        Note::new(key_of("array"), "this system has no storage array", "declare `storage`, or take it by a command")
    });
    let has_remote = system.storage.as_ref().is_some_and(|storage| storage.remote.is_some());
    let nowhere = (array.by == ArrayCopy::ReplicatedSnapshot && system.storage.is_some() && !has_remote).then(|| {
        let mend = "declare `storage.remote`, or write `by: group-snapshot`";
        Note::new(key_of("array.by"), "the array has no remote pool to which it could be sent", mend)
    });
    let apart = array.apart.filter(|_| array.by != ArrayCopy::NodeSnapshots).map(|_| {
        let problem = format!("a {} takes all disks at once", array.by.name());
        Note::new(key_of("array.apart"), problem, "drop it, or write `by: node-snapshots`")
    });
    let unused =
        [("on", method.on.is_some()), ("restore", method.restore.is_some()), ("corrupt", method.corrupt.is_some())];
    let unused = unused.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| {
        Note::new(key_of(name), "no command is run for what the array takes and brings back", "drop it")
    });
    [without, nowhere, apart].into_iter().flatten().chain(unused).collect()
}

fn data_classes(system: &System) -> Vec<Note> {
    let named = || {
        let classes = system.data_classes.iter().enumerate();
        classes.map(|(index, class)| (format!("data_classes[{index}].class"), class.class.name()))
    };
    let shown = system.data_classes.iter().enumerate().flat_map(|(index, class)| {
        let key = format!("data_classes[{index}].shown_by");
        let mend = "name the checks that show it";
        let none = not_empty(key.clone(), class.shown_by.is_empty(), mend);
        let checks = class.shown_by.iter().enumerate().filter_map(move |(place, id)| {
            let known = system.checks.iter().map(|check| check.id.as_str());
            unknown(format!("{key}[{place}]"), "check of this system", id, known)
        });
        none.into_iter().chain(checks).collect::<Vec<_>>()
    });
    twice("class of data", named()).into_iter().chain(shown).collect()
}

/// What is expected of a restore test is of no use where nothing is tested.
fn expectations(scenario: &Scenario) -> Vec<Note> {
    let expected = scenario.backups.iter().enumerate().filter(|(_, backup)| backup.expect == Expectation::Invalid);
    expected
        .filter(|_| !scenario.restore_test)
        .map(|(index, backup)| {
            let problem = format!("`{}` is expected to be invalid, and no backup is tested", backup.id);
            Note::new(format!("backups[{index}].expect"), problem, "write `restore_test: true`, or drop it")
        })
        .collect()
}

/// The array is no node that could be killed in the middle of it.
fn interrupted_arrays(scenario: &Scenario, system: &System) -> Vec<Note> {
    let backups = scenario.backups.iter().enumerate().filter(|(_, backup)| backup.interrupted.is_some());
    let by_array =
        backups.filter(|(_, backup)| system.backups.get(&backup.method).is_some_and(BackupMethod::is_by_array));
    by_array
        .map(|(index, backup)| {
            let problem = format!("`{}` is taken by the array, at one moment that nothing can cut short", backup.id);
            Note::new(format!("backups[{index}].interrupted"), problem, "drop it, or take the backup by a command")
        })
        .collect()
}

/// What is wrong with a node whose disk something befalls: it must have one in the storage array.
pub(in crate::scenario) fn no_disk(key: String, name: &str, system: &System) -> Option<Note> {
    let node = system.nodes.iter().find(|node| node.name == name);
    let has_disk =
        system.storage.is_some() && node.is_some_and(|node| node.data.is_some() && node.role != Role::BackupRepository);
    let mend = "name a node with `data`, of a system that declares `storage`";
    let diskless = || Note::new(key.clone(), format!("`{name}` has no disk in a storage array"), mend);
    unknown_node(key.clone(), name, system).or_else(|| (!has_disk).then(diskless))
}

/// Whether the recovery puts something on disks of the array.
pub(in crate::scenario) fn puts_disks_back(scenario: &Scenario, system: &System) -> bool {
    let by_array = |id: &str| {
        let backup = scenario.backups.iter().find(|backup| backup.id == id);
        backup.and_then(|backup| system.backups.get(&backup.method)).is_some_and(BackupMethod::is_by_array)
    };
    super::recovery::each_step(scenario).any(|(_, step)| match &step.kind {
        StepKind::BringBack(_) => true,
        StepKind::RestoreStep(restore) => by_array(&restore.backup),
        _ => false,
    })
}
