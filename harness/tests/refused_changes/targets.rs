//! Targets that make no sense, and what no check can verify.

use super::{Row, read_changed};

const POWER: &str = "process-cell/power-lost";
const SITE: &str = "process-cell/site-lost-and-return";

pub const ROWS: &[Row] = &[
    (
        POWER,
        "rto: {within: 40s}",
        "rto: {within: 40s}\n  failback: {within: 20s}",
        "targets.failback",
        "no failback to time",
    ),
    (SITE, "failback: {within: 120s}", "failback: {within: 0s}", "targets.failback.within", "write more than zero"),
    (
        SITE,
        "failback: {within: 120s}",
        "failback: {within: 450ms}",
        "probe.every",
        "too coarse for a target for the failback",
    ),
];

/// A text without the checks of a system.
fn without_checks(text: &str) -> String {
    let Some((before, checks)) = text.split_once("\nchecks:\n") else { return text.to_owned() };
    let after = checks.split_inclusive('\n').skip_while(|line| line.starts_with([' ', '#', '\n']));
    format!("{before}\nchecks: []\n{}", after.collect::<String>())
}

#[test]
fn a_recovery_time_up_to_the_verification_is_refused_where_nothing_is_verified() {
    let change =
        |text: &str| without_checks(text).replace("rto: {within: 1s}", "rto: {within: 1s, endpoint: verified}");
    let refusals = read_changed("order-management/nothing-broken", &change).unwrap_err().0;
    let found = refusals.iter().find(|refusal| refusal.key == "targets.rto.endpoint");
    assert!(found.is_some_and(|it| it.problem.contains("declares no check")), "{refusals:#?}");
}
