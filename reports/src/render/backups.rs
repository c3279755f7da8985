//! The backups as every rendering shows them: how each was taken, whether it came back, and what came back with it.

use super::{
    text,
    view::{Cell, Sheet, moments, origin},
    words::{self, Tone},
};
use crate::{
    record::{Backup, Consistency, DataClass, Interval, Record},
    verdict::newest_valid,
};

/// The tables about backups; those without rows are left out by whoever draws them.
pub(super) fn sheets(record: &Record) -> [Sheet; 3] {
    [taken(record), consistency(record), classes(record)]
}

/// What the newest valid backup would have been worth.
pub(super) fn remark(record: &Record) -> Option<String> {
    let newest = newest_valid(record)?;
    let (lower, upper) =
        (text::seconds(newest.work_after_seconds.lower), text::seconds(newest.work_after_seconds.upper));
    Some(format!(
        "The newest valid backup is {}: of what was acknowledged until the end, it lacks the last {lower} to {upper}.",
        newest.id
    ))
}

fn tested(backup: &Backup) -> Cell {
    Cell::toned(match (backup.valid, backup.expected_invalid) {
        (Some(true), false) => ("valid", Tone::Good),
        (Some(true), true) => ("valid, unexpectedly", Tone::Bad),
        (Some(false), true) => ("invalid, as expected", Tone::Quiet),
        (Some(false), false) => ("invalid, discard", Tone::Bad),
        (None, _) if backup.restore_test.is_some() => ("unknown", Tone::Warn),
        (None, _) if backup.interrupted.is_some() => ("interrupted", Tone::Quiet),
        (None, _) => ("not restored", Tone::Quiet),
    })
}

fn or_dash(text: Option<String>) -> Cell {
    Cell::plain(text.unwrap_or_else(|| "-".to_owned()))
}

fn taken(record: &Record) -> Sheet {
    let row = |backup: &Backup| {
        let restore_test = backup.restore_test.as_ref();
        let restored = restore_test.and_then(|restore_test| restore_test.restore_seconds);
        let until = restore_test.and_then(|restore_test| restore_test.holds_until_ms);
        let load = backup.load.as_ref();
        let rate = load.filter(|load| load.seconds > 0.0).map(|load| load.acknowledged as f64 / load.seconds);
        let down = backup.downtime_seconds.map(|down| text::seconds(down.upper));
        vec![
            Cell::plain(&backup.id),
            Cell::plain(&backup.method),
            tested(backup),
            or_dash(backup.interrupted.is_none().then(|| text::bytes(backup.bytes))),
            Cell::plain(text::seconds(backup.seconds)),
            or_dash(rate.map(|rate| format!("{rate:.1}"))),
            or_dash(load.and_then(|load| load.latency_ms).map(|latency| text::millis(latency.p99))),
            or_dash(down),
            or_dash(restored.map(text::seconds)),
            // The lower end: up to then it surely does.
            or_dash(until.map(|until| moments(&origin(record), Interval::exactly(until.lower)))),
        ]
    };
    Sheet {
        title: "Backups",
        header: &[
            "backup",
            "method",
            "tested",
            "size",
            "took",
            "per s",
            "p99",
            "down",
            "came back in",
            "holds all until",
        ],
        numeric: &[3, 4, 5, 6, 7, 8],
        rows: record.backups.iter().map(row).collect(),
    }
}

fn consistency(record: &Record) -> Sheet {
    let row = |backup: &Backup, what: &str, verdict: &Consistency| {
        vec![
            Cell::plain(&backup.id),
            Cell::plain(what),
            Cell::toned(words::status(verdict.status)),
            Cell::plain(&verdict.detail),
        ]
    };
    let rows = record.backups.iter().filter_map(|backup| Some((backup, backup.restore_test.as_ref()?)));
    let rows = rows.flat_map(|(backup, restore_test)| {
        let crash = restore_test.crash_consistency.as_ref().map(|verdict| row(backup, "crash", verdict));
        let application =
            restore_test.application_consistency.as_ref().map(|verdict| row(backup, "application", verdict));
        crash.into_iter().chain(application)
    });
    Sheet {
        title: "Consistency of backups",
        header: &["backup", "consistency", "verdict", "drawn from"],
        numeric: &[],
        rows: rows.collect(),
    }
}

fn classes(record: &Record) -> Sheet {
    let row = |class: &DataClass| {
        vec![
            Cell::plain(&class.class),
            Cell::plain(&class.about),
            Cell::plain(&class.comes_back),
            Cell::toned(words::status(class.status)),
            Cell::plain(&class.detail),
        ]
    };
    Sheet {
        title: "Classes of data",
        header: &["class", "what", "comes back", "seen", "by"],
        numeric: &[],
        rows: record.data_classes.iter().map(row).collect(),
    }
}
