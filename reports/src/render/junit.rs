//! The report as JUnit XML: one suite per run; one case per check, per target and per recovery step, one for the
//! verdict and one for what was left behind.
//!
//! A failed check is a failure. What could not be evaluated (an error, not reached, inconclusive, not exercised) is an
//! error, as it says nothing about the system. What is not declared is skipped. The case of the verdict makes sure
//! that a suite is never green over a run that did not pass.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{text, view, words};
use crate::record::{Record, Status, TargetVerdict, Verdict};

pub fn render(record: &Record) -> String {
    let mut report = Report::new("blackstart");
    report.add_test_suite(suite(record));
    report.to_string().unwrap_or_else(|error| {
        let reason = error.to_string().replace(['<', '>', '&', '"'], " ");
        format!("<testsuites name=\"blackstart\" tests=\"1\" errors=\"1\"><testsuite name=\"blackstart\" tests=\"1\" errors=\"1\"><testcase name=\"report\"><error message=\"{reason}\"/></testcase></testsuite></testsuites>\n")
    })
}

fn suite(record: &Record) -> TestSuite {
    let id = text::clean(&record.scenario.id);
    let name = words::mark(record).map_or_else(|| id.clone(), |mark| format!("{id} [{mark}]"));
    let mut suite = TestSuite::new(name);
    for (name, value) in view::identity(record) {
        suite.add_property(Property::new(name, value));
    }
    if let Some(mark) = words::mark(record) {
        suite.add_property(Property::new("mark", mark));
        suite.set_system_out(mark);
    }
    if let Some(time) = duration(view::total_seconds(record)) {
        suite.set_time(time);
    }
    suite.add_test_case(verdict_case(record, &id));
    suite.add_test_cases(target_cases(record, &id));
    suite.add_test_cases(step_cases(record, &id));
    suite.add_test_cases(check_cases(record, &id));
    suite.add_test_case(leftovers_case(record, &id));
    suite
}

fn verdict_case(record: &Record, id: &str) -> TestCase {
    let reasons = view::reasons(record).join("\n");
    let (word, _) = words::verdict(record.verdict);
    let message = format!("{word}: {}", words::meaning(record.verdict));
    let status = match record.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed => non_success(NonSuccessKind::Failure, "failed", &message, &reasons),
        Verdict::Inconclusive => non_success(NonSuccessKind::Error, "inconclusive", &message, &reasons),
        Verdict::CouldNotRun => non_success(NonSuccessKind::Error, "could not run", &message, &reasons),
    };
    case(id, "verdict", "verdict".to_owned(), status)
}

/// One case for each half of the RPO and each recovery time that a target speaks of; the others are skipped.
fn target_cases(record: &Record, id: &str) -> Vec<TestCase> {
    let of_measure = |measure: view::Measure| {
        let (word, _) = words::target(measure.verdict);
        let message = match measure.verdict {
            TargetVerdict::NotDeclared => format!("{word}: measured {}", measure.measured),
            _ => format!("{word}: measured {}, target {}", measure.measured, measure.target),
        };
        let status = match measure.verdict {
            TargetVerdict::Passed => TestCaseStatus::success(),
            TargetVerdict::Failed => non_success(NonSuccessKind::Failure, word, &message, ""),
            // A control owes nothing that it does not exercise.
            TargetVerdict::NotExercised if record.is_control() => skipped(&message),
            TargetVerdict::Inconclusive | TargetVerdict::NotExercised => {
                non_success(NonSuccessKind::Error, word, &message, "")
            }
            TargetVerdict::NotDeclared => skipped(&message),
        };
        let mut case = case(id, "targets", measure.key.to_owned(), status);
        case.set_system_out(message);
        case
    };
    view::measures(record).into_iter().map(of_measure).collect()
}

fn step_cases(record: &Record, id: &str) -> Vec<TestCase> {
    let of_step = |(index, step): (usize, &crate::record::StepResult)| {
        let name = format!("{:02} {}", index + 1, text::clean(&step.name));
        outcome(id, "recovery", name, step.status, &step.detail, step.duration_ms / 1000.0)
    };
    record.procedure.iter().enumerate().map(of_step).collect()
}

fn check_cases(record: &Record, id: &str) -> Vec<TestCase> {
    let mut cases = Vec::new();
    for level in view::levels(record) {
        let group = format!("level {} {}", level.level, text::clean(&level.name));
        if level.checks.is_empty() {
            cases.push(outcome(id, &group, "no check".to_owned(), level.status, "no check is declared", 0.0));
        }
        for check in &level.checks {
            let seconds = check.duration_ms as f64 / 1000.0;
            cases.push(outcome(id, &group, text::clean(&check.id), check.status, &check.detail, seconds));
        }
    }
    cases
}

fn leftovers_case(record: &Record, id: &str) -> TestCase {
    let left = view::clean_lines(&record.leftovers);
    let status = if left.is_empty() {
        TestCaseStatus::success()
    } else {
        non_success(NonSuccessKind::Failure, "left behind", "the run could not remove what it made", &left.join("\n"))
    };
    case(id, "teardown", "nothing is left behind".to_owned(), status)
}

fn outcome(id: &str, group: &str, name: String, status: Status, detail: &str, seconds: f64) -> TestCase {
    let (word, _) = words::status(status);
    let detail = text::clean(detail);
    let message = format!("{word}: {detail}");
    let junit = match status {
        Status::Passed | Status::Tolerated => TestCaseStatus::success(),
        Status::Failed => non_success(NonSuccessKind::Failure, word, &message, ""),
        Status::Error | Status::NotReached => non_success(NonSuccessKind::Error, word, &message, ""),
        Status::NotDeclared => skipped(&message),
    };
    let mut case = case(id, group, name, junit);
    if let Some(time) = duration(seconds) {
        case.set_time(time);
    }
    case.set_system_out(if status == Status::Passed { detail } else { message });
    case
}

fn case(id: &str, group: &str, name: String, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("{id}.{group}"));
    case
}

fn non_success(kind: NonSuccessKind, ty: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty).set_message(message);
    if !description.is_empty() {
        status.set_description(description);
    }
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}
