//! Declarations of the storage array, of what befalls it, of the secondary environment, and of parameters.

use super::Row;

const COMPARED: &str = "process-cell/backups-compared";
const FULL: &str = "process-cell/disk-full";
const GONE: &str = "process-cell/disk-gone";
const POWER: &str = "process-cell/power-lost";
const SITE: &str = "process-cell/site-lost-and-return";

const ELSEWHERE: &str = "process-cell/site-lost-addresses-rewritten";

pub const ROWS: &[Row] = &[
    (ELSEWHERE, "{hosts_by: address}", "{host_by: address}", "parameters.host_by", "did you mean `hosts_by`?"),
    (ELSEWHERE, "{hosts_by: address}", "{hosts_by: adress}", "parameters.hosts_by", "did you mean `address`?"),
    (ELSEWHERE, "one_of: [name, address]", "one_of: []", "parameters.hosts_by.one_of", "what can be chosen"),
    (ELSEWHERE, "\n  hosts_by:\n", "\n  zone:\n", "parameters.zone", "already stands for"),
    (
        ELSEWHERE,
        "BY: ${hosts_by}",
        "BY: ${host_by}",
        "nodes[3].environment.ORDERFLOW_HOSTS_BY",
        "did you mean `hosts_by`?",
    ),
    (COMPARED, "disk: 1GiB", "disk: 100MiB", "storage.disk", "too small"),
    (COMPARED, "  pool: 6GiB\n  disk", "  pool: 1GiB\n  disk", "storage.pool", "holds no disk"),
    (COMPARED, "site: recovery, pool", "site: elsewhere, pool", "storage.remote.site", "elsewhere"),
    (
        COMPARED,
        "{name: recovery, region: eu-central,",
        "{name: recovery, region: us-east,",
        "storage.remote.site",
        "may not leave `eu-central`",
    ),
    (
        COMPARED,
        "by: node-snapshots, apart",
        "by: group-snapshot, apart",
        "backups.node-snapshots.array.apart",
        "at once",
    ),
    (COMPARED, "restore_test: true\n", "", "backups[2].expect", "no backup is tested"),
    (
        COMPARED,
        "{id: cold, method: cold-copy, after: 2s}",
        "{id: cold, method: cold-copy, after: 2s, interrupted: {kill: repository}}",
        "backups[0].interrupted",
        "taken by the array",
    ),
    (
        FULL,
        "disk_full: {node: db}",
        "disk_full: {node: balancer}",
        "faults[0].disk_full.node",
        "no disk in a storage array",
    ),
    (
        GONE,
        "{backup: last, to: backup}",
        "{backup: last, node: db, to: backup}",
        "recovery.procedure[0].restore.node",
        "every disk",
    ),
    (GONE, "{backup: last, to: backup}", "{backup: last, to: end}", "recovery.procedure[0].restore.to", "no log"),
    (GONE, "disk_gone: {node: db}", "data_lost: {nodes: [db]}", "faults[0].data_lost", "cannot be emptied"),
    (GONE, "backup_every: 10s", "backup_every: 60s", "schedule.backup_every", "costs up to 1m, and the target is 10s"),
    (SITE, "backup_every: 15s", "backup_every: 60s", "schedule.backup_every", "costs up to 1m, and the target is 15s"),
    (GONE, "rpo: {time: 10s}", "rpo: {time: 0s}", "schedule.backup_every", "leave a copy of the data whole"),
    (POWER, "nodes: [db, monitor-db,", "nodes: [db, repository,", "faults[0].power_loss.nodes[1]", "repository"),
    (SITE, "site_lost: {site: primary}", "site_lost: {site: secondary}", "faults[0].site_lost.site", "secondary"),
    (
        SITE,
        "    - about: 1. Installation data.\n      secondary: {install: {}}\n",
        "",
        "recovery.procedure[0]",
        "not installed before this step",
    ),
    (
        SITE,
        "    - secondary: {shut_down: {}}\n",
        "",
        "recovery.afterwards[0].bring_back",
        "cannot be brought back whole",
    ),
    (
        SITE,
        "check: {levels: [1, 2]}",
        "check: {levels: [1, 5]}",
        "recovery.procedure[8].secondary.check.levels[1]",
        "clients do not go there yet",
    ),
    (
        SITE,
        "check: {levels: [1, 2]}",
        "check: {levels: [1, 7]}",
        "recovery.procedure[8].secondary.check.levels[1]",
        "no level 7",
    ),
    (
        SITE,
        "disks: {backup: sent-last, nodes: [db,",
        "disks: {backup: sent-never, nodes: [db,",
        "recovery.procedure[1].secondary.disks.backup",
        "sent-never",
    ),
];
