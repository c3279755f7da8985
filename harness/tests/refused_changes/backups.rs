//! Declarations of backups, of their schedule and of what destroys data that are refused: each at its key, with its mend.

use super::Row;

const LOST: &str = "order-management/lost-data";
const CHANGE: &str = "order-management/bad-change";
pub const TESTED: &str = "order-management/backups-tested";
const CORRUPTED: &str = "broken/fails-backup-corrupted";

const INTERRUPTED: &str = "order-management/backup-interrupted";
const TWICE: &str = "order-management/restore-interrupted";

const POINT: &str = "order-management/bad-change-to-point";
const ZONES: &str = "order-management/two-zones-lost";

pub const ROWS: &[Row] = &[
    (TESTED, "id: weekly", "id: secondary", "backups[0].id", "the harness itself gives"),
    (TESTED, "id: weekly", "id: -weekly", "backups[0].id", "not a hyphen"),
    (
        TESTED,
        "{id: weekly, method: full}\n  - {id: daily, method: differential, after: 500ms}\n  - {id: hourly, method: incremental, after: 500ms}",
        "{id: named, method: point}",
        "restore_test",
        "can be restored by itself",
    ),
    (
        INTERRUPTED,
        "interrupted: {kill: repository}",
        "interrupted: {kill: repository}, expect: invalid",
        "backups[1].expect",
        "never restored by itself",
    ),
    (
        POINT,
        "{point: before-release}",
        "{point: nightly}",
        "recovery.procedure[0].restore.to.point",
        "taken by `point`",
    ),
    (
        POINT,
        "{id: nightly, method: full}\n  - {id: before-release, method: point, after: 500ms}",
        "{id: before-release, method: point}\n  - {id: nightly, method: full}",
        "recovery.procedure[0].restore.to.point",
        "leads only forward",
    ),
    (
        ZONES,
        "restore: {node: db-c",
        "restore: {node: db-d",
        "recovery.procedure[2].restore.node",
        "not a node of this system",
    ),
    (INTERRUPTED, "kill: repository", "kill: repositoryy", "backups[1].interrupted.kill", "did you mean `repository`?"),
    (
        INTERRUPTED,
        "kill: repository",
        "kill: db-a",
        "backups[1].interrupted.kill",
        "an outage that no fault accounts for",
    ),
    (
        INTERRUPTED,
        "{id: cut-short, method: full",
        "{id: cut-short, method: point",
        "backups[1].interrupted",
        "`half_way.take`",
    ),
    (TWICE, "kill: db-a", "kill: db-x", "recovery.procedure[0].restore.interrupted.kill", "not a node of this system"),
    (
        TWICE,
        "method: full}",
        "method: full, interrupted: {kill: repository}}",
        "recovery.procedure[0].restore.backup",
        "never gets complete",
    ),
    (LOST, "archive_every: 2s", "archive_every: 10s", "schedule.archive_every", "write 5s or less"),
    (LOST, ", archive_every: 2s", "", "schedule.backup_every", "take a backup every 5s, or archive"),
    (LOST, "archive_every: 2s", "archive_every: 1500ms", "schedule.archive_every", "whole seconds"),
    (LOST, "keep: 7d", "keep: 1h", "schedule.keep", "longer than 24h"),
    (LOST, "method: full", "method: fulll", "backups[0].method", "did you mean `full`?"),
    (LOST, "{id: daily,", "{id: weekly,", "backups[1].id", "weekly"),
    (LOST, "{id: daily,", "{id: da ily,", "backups[1].id", "letters, digits and hyphens"),
    (LOST, "backup: daily, to: end", "backup: dayly, to: end", "recovery.procedure[0].restore.backup", "did you mean"),
    (
        LOST,
        "node: db-a, backup",
        "node: db-x, backup",
        "recovery.procedure[0].restore.node",
        "not a node of this system",
    ),
    (LOST, "to: end", "to: time-before-change", "recovery.procedure[0].restore.to", "no change is made"),
    (LOST, "to: end", "to: {point: x}", "recovery.procedure[0].restore.to.point", "not a backup of this scenario"),
    (LOST, "method: differential", "method: point", "recovery.procedure[0].restore.backup", "restored by itself"),
    (LOST, "[db-a, db-b]}", "[db-a, app-a]}", "faults[0].data_lost.nodes[1]", "no volume"),
    (LOST, "[db-a, db-b]}", "[]}", "faults[0].data_lost.nodes", "name the nodes"),
    (LOST, "[db-a, db-b]}", "[db-a, db-b]}\n    heal_after: 1s", "faults[0].heal_after", "cannot be healed"),
    (CHANGE, "database: orders\n", "database: monitor\n", "faults[0].bad_change.database", "declare `moment`"),
    (
        CHANGE,
        "alert: {sql: {database: orders",
        "alert: {sql: {database: ordres",
        "recovery.alert.sql.database",
        "did you mean",
    ),
    (CHANGE, "every: 250ms}", "every: 0ms}", "recovery.alert.every", "zero"),
    (TESTED, "backups:\n", "backups: []\nx-backups:\n", "x-backups", ""),
    (
        CORRUPTED,
        "{backup: daily, by",
        "{backup: nightly, by",
        "faults[0].backup_corrupted.backup",
        "not a backup of this scenario",
    ),
    (CORRUPTED, "restore_test: true\n", "", "faults[0]", "nothing would show it"),
    (CORRUPTED, "method: differential", "method: point", "faults[0].backup_corrupted.backup", "add `corrupt`"),
];
