//! The spans in which clients were not served.

use blackstart_reports::record::Outage;

use super::*;

fn told(history: &[Sent]) -> Vec<Outage> {
    let ended_us = history.iter().map(|sent| sent.returned_us).max().unwrap_or_default();
    outages(history, 1000 * MS, ended_us, &[])
}

#[test]
fn each_outage_is_told_with_its_bounds() {
    let (mut history, second) = (run(1000, 3600, 12_000), 6000 * MS..7700 * MS);
    history.iter_mut().filter(|sent| second.contains(&sent.sent_us)).for_each(|sent| sent.outcome = Outcome::Refused);
    let lengths: Vec<_> = told(&history).iter().map(|outage| outage.seconds().unwrap()).collect();
    assert_eq!(lengths, [Interval::new(2.545, 2.655), Interval::new(1.645, 1.755)]);
}

#[test]
fn every_request_that_failed_lies_in_an_outage() {
    for seed in 0..400 {
        let run = invented::partial(seed);
        let outages = told(&run.history);
        let in_one = |sent: &&Sent| {
            let at_ms = sent.sent_us as f64 / 1e3;
            let is_before = |outage: &Outage| outage.ended_ms.is_none_or(|ended| at_ms <= ended.lower);
            outages.iter().any(|outage| outage.began_ms.lower <= at_ms && is_before(outage))
        };
        assert!(run.history.iter().filter(|sent| !sent.is_ok()).all(|sent| in_one(&sent)), "seed {seed}");
    }
}

#[test]
fn one_failure_is_an_outage_whose_ends_are_a_sample() {
    let mut history = run(0, 0, 8000);
    history[40].outcome = Outcome::Refused;
    let outages = told(&history);
    assert_eq!((outages.len(), outages[0].upper_is_sample), (1, false));
    assert_eq!(outages[0].ended_ms, Some(Interval::new(2000.0, 4505.0)), "after fifty good ones");
    let short = told(&history[..80]);
    assert_eq!((short[0].upper_is_sample, short[0].ended_ms.map(|end| end.upper)), (true, Some(3955.0)));
}

#[test]
fn failures_with_only_silence_between_them_are_one_outage() {
    let mut history = run(2000, 6000, 9000);
    history.retain(|sent| !(2500 * MS..5500 * MS).contains(&sent.sent_us));
    assert_eq!(told(&history).len(), 1);
}
