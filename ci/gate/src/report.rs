//! The table of what was run, and what it comes to.

use std::{cmp::Ordering, fmt::Write as _, time::Duration};

use crate::summary::Count;

/// What came of a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    /// Something it needs is not here.
    DidNotRun,
    /// It was asked for without.
    LeftOut,
    /// It said nothing, and is tried once more below.
    NoVerdict,
    /// Passed when it was tried again.
    Flaky,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::DidNotRun | Self::LeftOut => "did not run",
            Self::NoVerdict => "no verdict",
            Self::Flaky => "flaky",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    pub took: Duration,
    pub outcome: Outcome,
    pub what: String,
}

/// What was run so far.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    stages: Vec<(String, Duration)>,
    count: Count,
    failures: Vec<String>,
}

/// The most lines of what failed tests said: a log that is truncated keeps its end, and the table must be in it.
const FAILURES: usize = 150;

/// How many rows are named as those that took longest.
const LONGEST: usize = 8;

impl Report {
    /// A row of the table.
    pub fn row(&mut self, took: Duration, outcome: Outcome, what: impl Into<String>) {
        self.rows.push(Row { took, outcome, what: what.into() });
    }

    /// A row that counts as one test.
    pub fn test(&mut self, took: Duration, is_passed: bool, what: impl Into<String>) {
        self.count += Count { passed: usize::from(is_passed), failed: usize::from(!is_passed), skipped: 0 };
        self.row(took, if is_passed { Outcome::Passed } else { Outcome::Failed }, what);
    }

    /// Tests that a stage counted.
    pub fn tests(&mut self, count: Count) {
        self.count += count;
    }

    /// What tests that failed said.
    pub fn failures(&mut self, lines: &[&str]) {
        self.failures.extend(lines.iter().map(|line| (*line).to_owned()));
    }

    /// How long a stage took.
    pub fn stage(&mut self, name: &str, took: Duration) {
        self.stages.push((name.to_owned(), took));
    }

    fn rows_that(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }

    fn is_unfailed(&self) -> bool {
        self.rows_that(Outcome::Failed) == 0 && self.count.failed == 0
    }

    /// Whether all of it ran that was asked for, and nothing failed.
    pub fn is_passed_as_asked(&self) -> bool {
        self.is_unfailed() && self.rows_that(Outcome::DidNotRun) == 0
    }

    /// Whether all of it ran, and nothing failed.
    pub fn is_passed(&self) -> bool {
        self.is_passed_as_asked() && self.rows_that(Outcome::LeftOut) == 0
    }

    pub fn exit_status(&self) -> u8 {
        match (self.is_unfailed(), self.is_passed()) {
            (false, _) => 1,
            (true, false) => 3,
            (true, true) => 0,
        }
    }

    /// The table, what failed tests said, the times, and last of all the line that others read.
    pub fn text(&self, took: Duration) -> String {
        let mut text = format!("\n{}", lines(&self.rows));
        if !self.failures.is_empty() {
            let said = &self.failures[..self.failures.len().min(FAILURES)];
            _ = writeln!(text, "ci/test: what the tests that failed said\n{}", said.join("\n"));
        }
        _ = write!(text, "ci/test: what took longest\n{}", lines(&self.longest()));
        _ = writeln!(text, "ci/test: by stage: {}", self.by_stage());
        _ = writeln!(text, "ci/test: {}", self.outcome());
        let Count { passed, failed, skipped } = self.count;
        let (run, seconds) = (passed + failed, seconds(took));
        _ = writeln!(
            text,
            "Summary [{seconds} s] {run} tests run: {passed} passed, {failed} failed, {skipped} skipped"
        );
        text
    }

    fn outcome(&self) -> String {
        let failed = self.rows_that(Outcome::Failed);
        let left_out = self.rows_that(Outcome::DidNotRun) + self.rows_that(Outcome::LeftOut);
        format!("{failed} rows failed, {left_out} did not run")
    }

    fn longest(&self) -> Vec<Row> {
        let mut rows = self.rows.clone();
        rows.sort_by(|one, other| other.took.partial_cmp(&one.took).unwrap_or(Ordering::Equal));
        rows.truncate(LONGEST);
        rows
    }

    fn by_stage(&self) -> String {
        let parts: Vec<String> =
            self.stages.iter().map(|(name, took)| format!("{name} {} s", seconds(*took))).collect();
        parts.join(", ")
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}

fn lines(rows: &[Row]) -> String {
    let line = |row: &Row| format!("{:>8} s  {:<11}  {}\n", seconds(row.took), row.outcome.name(), row.what);
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.row(Duration::from_millis(12_340), Outcome::Passed, "lint");
        report.test(Duration::from_secs(20), true, "drill: a");
        report.stage("lint", Duration::from_millis(12_340));
        report.stage("drills", Duration::from_secs(20));
        report
    }

    #[test]
    fn the_last_line_counts_the_tests() {
        let mut report = report();
        report.tests(Count { passed: 7, failed: 0, skipped: 3 });
        let text = report.text(Duration::from_millis(61_250));
        assert!(text.ends_with("Summary [61.2 s] 8 tests run: 8 passed, 0 failed, 3 skipped\n"), "{text}");
        assert!(text.contains("    12.3 s  passed       lint\n"), "{text}");
        assert!(text.contains("by stage: lint 12.3 s, drills 20.0 s\n"), "{text}");
    }

    #[test]
    fn what_failed_and_what_is_left_out_are_told_apart() {
        let mut report = report();
        assert_eq!((report.exit_status(), report.is_passed()), (0, true));
        report.row(Duration::ZERO, Outcome::DidNotRun, "drills: no engine");
        assert_eq!((report.exit_status(), report.is_passed_as_asked()), (3, false));
        report.test(Duration::ZERO, false, "drill: b");
        assert_eq!((report.exit_status(), report.is_passed_as_asked()), (1, false));
    }

    #[test]
    fn what_was_left_out_on_request_is_as_it_was_asked_for_and_not_all() {
        let mut report = report();
        report.row(Duration::ZERO, Outcome::LeftOut, "drills: as it was asked for");
        assert_eq!((report.exit_status(), report.is_passed_as_asked(), report.is_passed()), (3, true, false));
        assert!(report.text(Duration::ZERO).contains("0 rows failed, 1 did not run"));
    }

    #[test]
    fn a_failed_test_fails_a_run_whose_stages_all_passed() {
        let mut report = report();
        report.tests(Count { passed: 1, failed: 1, skipped: 0 });
        assert_eq!(report.exit_status(), 1);
    }

    #[test]
    fn what_is_flaky_or_tried_again_is_named_and_fails_nothing() {
        let mut report = report();
        report.row(Duration::ZERO, Outcome::Flaky, "a_limit_really_limits");
        report.row(Duration::ZERO, Outcome::NoVerdict, "drill: b");
        assert!(report.is_passed());
        let text = report.text(Duration::ZERO);
        assert!(
            text.contains("flaky        a_limit_really_limits") && text.contains("no verdict   drill: b"),
            "{text}"
        );
    }

    #[test]
    fn the_longest_come_first_and_failures_are_cut() {
        let mut report = report();
        report.failures(&vec!["why"; 500]);
        let text = report.text(Duration::ZERO);
        assert_eq!(text.matches("why\n").count(), FAILURES);
        let longest = text.split("what took longest\n").nth(1).unwrap();
        assert!(longest.trim_start().starts_with("20.0 s  passed       drill: a"), "{longest}");
    }
}
