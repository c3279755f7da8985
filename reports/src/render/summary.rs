//! One table over several runs.

use super::terminal::Page;
use super::view::{self, Cell, Sheet};
use super::words::{self, Tone};
use super::{Style, text};
use crate::record::{Endpoint, Interval, Record, Rto, Verdict};

/// A table over several runs: scenario, seed, verdict, what was lost, the recovery time that the target speaks of, the
/// six levels as signs, and how long the run took. Without colour, as wide as it needs to be.
pub fn render_summary(records: &[Record]) -> String {
    if records.is_empty() {
        return "no runs\n".to_owned();
    }
    let sheet = Sheet {
        title: "Runs",
        header: &["scenario", "seed", "verdict", "lost writes", "RTO", "levels", "took"],
        numeric: &[1, 6],
        rows: records.iter().map(row).collect(),
    };
    let mut page = Page::new(Style { color: false, width: 160, verbose: false });
    page.sheet(&sheet);
    page.lines(&[words::MARKS.to_owned()]);
    page.text
}

fn row(record: &Record) -> Vec<Cell> {
    let (verdict, tone) = words::verdict(record.verdict);
    let verdict = match words::mark(record) {
        Some(mark) => format!("{verdict} [{mark}]"),
        None => verdict.to_owned(),
    };
    let lost = match &record.rpo {
        Some(rpo) if rpo.exercised => text::counts(rpo.lost_writes),
        Some(_) => "not exercised".to_owned(),
        None => "-".to_owned(),
    };
    let rto = recovery(record).map_or_else(|| "-".to_owned(), text::span);
    let plain = |text: String| Cell { text, tone: Tone::Plain };
    vec![
        plain(text::clean(&record.scenario.id)),
        plain(record.seed.to_string()),
        Cell { text: verdict, tone },
        plain(lost),
        plain(rto),
        plain(view::signs(record)),
        plain(text::seconds(view::total_seconds(record))),
    ]
}

/// The evaluated recovery time of a run: absent where nothing was broken or the drill stopped, infinite where the run ended
/// without it.
pub(super) fn recovery(record: &Record) -> Option<Interval<f64>> {
    let rto = record.rto.as_ref().filter(|_| record.verdict != Verdict::CouldNotRun && !record.faults.is_empty())?;
    Some(evaluated_bounds(rto).unwrap_or(Interval::exactly(f64::INFINITY)))
}

/// The recovery time between the end points that the target speaks of.
pub(super) const fn evaluated_bounds(rto: &Rto) -> Option<Interval<f64>> {
    match rto.endpoint {
        Endpoint::Service => rto.service,
        Endpoint::Recovery => rto.recovery,
        Endpoint::Verified => rto.verified,
    }
}
