//! Two runs of one scenario side by side: what became worse, what better, and what the bounds cannot tell apart.

use super::terminal::Page;
use super::view::{Cell, Sheet};
use super::words::{self, Tone};
use super::{Style, text};
use crate::record::{CheckResult, Interval, Record, Status, Verdict};

/// How one thing compares with what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Beyond what the bounds of either run allow, and in the wrong direction.
    Worse,
    /// Beyond what the bounds of either run allow, and in the right direction.
    Better,
    /// The bounds overlap, or it is the same.
    Alike,
}

/// One thing in both runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is compared.
    pub what: String,
    /// As it was.
    pub before: String,
    /// As it is.
    pub after: String,
    /// How it compares.
    pub change: Change,
}

/// Compares two runs: verdict, measurements, and every check whose outcome differs.
pub fn differences(before: &Record, after: &Record) -> Vec<Difference> {
    let mut all = vec![verdicts(before, after)];
    let counts = |record: &Record| {
        let rpo = record.rpo.as_ref().filter(|rpo| rpo.exercised)?;
        Some(Interval::new(rpo.lost_writes.lower as f64, rpo.lost_writes.upper as f64))
    };
    all.push(measured("RPO, acknowledged writes", counts(before), counts(after), whole));
    let lost = |record: &Record| record.rpo.as_ref().filter(|rpo| rpo.exercised).map(|rpo| rpo.seconds);
    all.push(measured("RPO, time", lost(before), lost(after), text::span));
    let service = |record: &Record| record.rto.as_ref().and_then(|rto| rto.service);
    all.push(measured("RTO, fault to service", service(before), service(after), text::span));
    let recovery = |record: &Record| record.rto.as_ref().and_then(|rto| rto.recovery);
    all.push(measured("RTO, recovery to service", recovery(before), recovery(after), text::span));
    all.extend(checks(before, after));
    all
}

fn whole(bounds: Interval<f64>) -> String {
    text::counts(Interval::new(bounds.lower as u64, bounds.upper as u64))
}

fn verdicts(before: &Record, after: &Record) -> Difference {
    let weight = |verdict: Verdict| match verdict {
        Verdict::Passed => 0,
        Verdict::Inconclusive => 1,
        Verdict::Failed => 2,
        Verdict::CouldNotRun => 3,
    };
    let words = |record: &Record| words::verdict(record.verdict).0.to_owned();
    let change = by_order(weight(before.verdict), weight(after.verdict));
    Difference { what: "verdict".to_owned(), before: words(before), after: words(after), change }
}

fn by_order<T: PartialOrd>(before: T, after: T) -> Change {
    if after > before {
        Change::Worse
    } else if after < before {
        Change::Better
    } else {
        Change::Alike
    }
}

/// Less is better. Only intervals that lie apart differ.
fn measured(
    what: &str,
    before: Option<Interval<f64>>,
    after: Option<Interval<f64>>,
    words: impl Fn(Interval<f64>) -> String,
) -> Difference {
    let change = match (before, after) {
        (Some(was), Some(is)) if is.lower > was.upper => Change::Worse,
        (Some(was), Some(is)) if is.upper < was.lower => Change::Better,
        (Some(_), None) => Change::Worse,
        (None, Some(_)) => Change::Better,
        _ => Change::Alike,
    };
    let told = |bounds: Option<Interval<f64>>| bounds.map_or_else(|| "not measured".to_owned(), &words);
    Difference { what: what.to_owned(), before: told(before), after: told(after), change }
}

/// Every check whose outcome differs, also those that only one of the runs has.
fn checks(before: &Record, after: &Record) -> Vec<Difference> {
    let all = |record: &Record| -> Vec<(u8, CheckResult)> {
        let level = |level: &crate::record::LevelResult| -> Vec<(u8, CheckResult)> {
            level.checks.iter().map(|check| (level.level, check.clone())).collect()
        };
        record.levels.iter().flat_map(level).collect()
    };
    let (was, is) = (all(before), all(after));
    let find = |checks: &[(u8, CheckResult)], id: &str| checks.iter().find(|(_, check)| check.id == id).cloned();
    let gone = was.iter().filter(|(_, check)| find(&is, &check.id).is_none());
    let compare = |level: u8, id: &str| {
        let (was, is) = (find(&was, id).map(|it| it.1.status), find(&is, id).map(|it| it.1.status));
        (was != is).then(|| Difference {
            what: format!("level {level}, {id}"),
            before: status_words(was),
            after: status_words(is),
            change: by_order(status_weight(was), status_weight(is)),
        })
    };
    is.iter().chain(gone).filter_map(|(level, check)| compare(*level, &check.id)).collect()
}

fn status_words(status: Option<Status>) -> String {
    status.map_or_else(|| "not there".to_owned(), |status| words::status(status).0.to_owned())
}

/// A check that is no longer there proves nothing any more.
const fn status_weight(status: Option<Status>) -> u8 {
    match status {
        Some(Status::Passed) => 0,
        Some(Status::Tolerated) => 1,
        None | Some(Status::NotDeclared) => 2,
        Some(Status::NotReached | Status::Error) => 3,
        Some(Status::Failed) => 4,
    }
}

/// The comparison as a table.
pub fn render(before: &Record, after: &Record, style: &Style) -> String {
    let row = |difference: Difference| {
        let (change, tone) = match difference.change {
            Change::Worse => ("worse", Tone::Bad),
            Change::Better => ("better", Tone::Good),
            Change::Alike => ("alike", Tone::Quiet),
        };
        vec![
            Cell::plain(difference.what),
            Cell::plain(difference.before),
            Cell::plain(difference.after),
            Cell { text: change.to_owned(), tone },
        ]
    };
    let mut page = Page::new(*style);
    page.lines(&[
        format!("before  {}  {}", text::clean(&before.run_id), text::clean(&before.scenario.title)),
        format!("after   {}  {}", text::clean(&after.run_id), text::clean(&after.scenario.title)),
    ]);
    if before.scenario.digest != after.scenario.digest {
        page.lines(&[
            "The scenario or the system changed between the two: read what follows with that in mind.".to_owned()
        ]);
    }
    page.sheet(&Sheet {
        title: "Differences",
        header: &["what", "before", "after", "change"],
        numeric: &[],
        rows: differences(before, after).into_iter().map(row).collect(),
    });
    page.lines(&["alike: the bounds of the two runs overlap, so no difference has been shown".to_owned()]);
    page.text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_run_is_like_itself() {
        let record = sample::sample_record();
        assert!(differences(&record, &record).iter().all(|it| it.change == Change::Alike));
    }

    #[test]
    fn only_what_lies_apart_differs() {
        let told = |was: (f64, f64), is: (f64, f64)| {
            let of = |(lower, upper)| Some(Interval::new(lower, upper));
            measured("", of(was), of(is), text::span).change
        };
        assert_eq!(told((1.0, 2.0), (1.9, 3.0)), Change::Alike);
        assert_eq!(told((1.0, 2.0), (2.1, 3.0)), Change::Worse);
        assert_eq!(told((1.0, 2.0), (0.1, 0.9)), Change::Better);
    }

    #[test]
    fn a_regression_reads_as_one() {
        let (before, after) = (sample::sample_record(), sample::failed_async());
        insta::assert_snapshot!(render(&before, &after, &Style::default()));
        let worse = differences(&before, &after).iter().filter(|it| it.change == Change::Worse).count();
        assert!(worse >= 2);
    }

    #[test]
    fn a_check_that_is_gone_is_worse() {
        let before = sample::sample_record();
        let mut after = before.clone();
        after.levels[0].checks.pop();
        assert!(differences(&before, &after).iter().any(|it| it.change == Change::Worse && it.after == "not there"));
    }
}
