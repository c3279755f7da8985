//! The seed fixes a simulated drill, to the last microsecond.

use super::stage::{PASSING, demand_none, each, planned, run};

#[test]
fn the_same_seed_gives_the_same_record_and_another_one_another() {
    let found = each(0..PASSING.len(), |number| {
        let name = PASSING[number];
        let (one, again, other) = (run(planned(name, 7)), run(planned(name, 7)), run(planned(name, 8)));
        let mut wrong = Vec::new();
        if one.record != again.record || one.truth != again.truth {
            wrong.push(format!("{name}: the same seed gives another record"));
        }
        if one.record.milestones == other.record.milestones && one.record.load == other.record.load {
            wrong.push(format!("{name}: another seed gives the same record"));
        }
        wrong
    });
    demand_none(&found);
}
