//! A record that no rendering may stumble over.

use super::failed_async;
use crate::record::*;

/// A record with data that means harm, by accident or otherwise: markup, control characters, no numbers, no lists.
pub(crate) fn hostile() -> Record {
    const NASTY: &str = "a|b <script>alert(1)</script> & `x` *y* [z](http://e)\r\n\u{1b}[31mred\u{0} ]]> ﷽ 漢字";
    let mut record = failed_async();
    record.scenario.title = NASTY.to_owned();
    NASTY.clone_into(&mut record.run_id);
    record.reasons = vec![NASTY.repeat(20), String::new()];
    record.seed = u64::MAX;
    for check in record.levels.iter_mut().flat_map(|level| &mut level.checks) {
        (check.id, check.detail) = (NASTY.repeat(3), NASTY.repeat(9));
        (check.duration_ms, check.status) = (u64::MAX, Status::Failed);
    }
    for entry in &mut record.timeline {
        (entry.at_ms, entry.text) = (f64::NAN, NASTY.to_owned());
    }
    for step in &mut record.procedure {
        (step.began_ms, step.duration_ms, step.name) = (f64::NEG_INFINITY, f64::NAN, String::new());
    }
    for phase in &mut record.phases {
        phase.seconds = f64::INFINITY;
    }
    for fault in &mut record.faults {
        (fault.began_ms, fault.proof) = (Interval::new(f64::NAN, -1.0), "x".repeat(4_000));
    }
    if let Some(rto) = &mut record.rto {
        rto.service = Some(Interval::new(f64::NAN, f64::INFINITY));
        rto.target = Some(f64::NAN);
        rto.outages.push(Outage {
            began_ms: Interval::new(9e300, -9e300),
            ended_ms: None,
            failed_requests: u64::MAX,
            upper_is_sample: false,
        });
    }
    record.milestones.insert(NASTY.to_owned(), Interval::exactly(f64::NAN));
    record.notes = vec![NASTY.to_owned()];
    record
}
