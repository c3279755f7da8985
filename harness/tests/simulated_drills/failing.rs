//! The world itself fails: every single call, once.

use blackstart_reports::record::{Record, Verdict};

use super::stage::{PASSING, Ran, demand_none, each, malformed, planned, run, run_disturbed};

/// What must have been heard for a pass to rest on something.
fn missing_for_a_pass(record: &Record) -> Vec<String> {
    let mut missing = Vec::new();
    if record.rpo.is_none() || record.rto.is_none() {
        missing.push("passed without a measurement".to_owned());
    }
    if record.faults.iter().chain(&record.conditions).any(|fault| fault.proof.is_empty()) {
        missing.push("passed with a fault that nobody saw bite".to_owned());
    }
    missing
}

fn wrong_with(ran: &Ran, failed: &str) -> Vec<String> {
    let record = &ran.record;
    let mut wrong = malformed(record);
    if failed.starts_with("remove ") {
        // A removal that failed once may leave what it was to remove, and what that still uses: all of it is reported.
        if !ran.leftovers.iter().all(|left| record.leftovers.contains(left)) {
            wrong.push(format!("{:?} is left, and reported is {:?}", ran.leftovers, record.leftovers));
        }
        if record.leftovers.is_empty() {
            wrong.push("no leak is reported".to_owned());
        }
        if record.verdict != Verdict::Passed {
            wrong.push(format!("a failed removal hides the verdict: {:?}", record.reasons));
        }
        return wrong;
    }
    wrong.extend(ran.leftovers.iter().chain(&record.leftovers).map(|left| format!("{left} is left")));
    if record.verdict == Verdict::Passed {
        wrong.extend(missing_for_a_pass(record));
        if !may_be_survived(failed) {
            wrong.push("passed all the same".to_owned());
        }
    }
    wrong
}

/// Whether a drill can do without one answer. What is asked until it is answered may fail once: readiness, the wait for
/// a writer, checks, which survivors there are. Where a victim is expected to be silent, an error is what is expected.
fn may_be_survived(call: &str) -> bool {
    call.starts_with("ask ") || call.starts_with("get ") || call.starts_with("look at ")
}

#[test]
fn any_call_that_fails_once_is_survived_or_said() {
    for name in PASSING {
        let calls = run(planned(name, 5)).calls;
        let found = each(0..calls.len(), |number| {
            let ran = run_disturbed(planned(name, 5), |world, _| world.fail_call(number));
            let failed = &ran.calls[number];
            wrong_with(&ran, failed)
                .into_iter()
                .map(|wrong| format!("{name}, `{failed}` ({number}): {wrong}"))
                .collect()
        });
        demand_none(&found);
    }
}

#[test]
fn a_world_that_keeps_failing_never_ends_in_a_pass_without_ground() {
    let found = each(0..100, |seed| {
        let name = PASSING[seed % PASSING.len()];
        let ran = run_disturbed(planned(name, seed as u64), |world, _| world.fail_with_probability(0.02));
        let mut wrong = malformed(&ran.record);
        wrong.extend(ran.leftovers.iter().map(|left| format!("{left} is left")));
        if ran.record.verdict == Verdict::Passed {
            wrong.extend(missing_for_a_pass(&ran.record));
        }
        wrong.into_iter().map(|wrong| format!("{name}, seed {seed}: {wrong}")).collect()
    });
    demand_none(&found);
}
