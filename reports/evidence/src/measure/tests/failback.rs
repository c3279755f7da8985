//! Taking the recovered service down on purpose, to bring it back home.

use blackstart_reports::record::Interval;

use super::*;

#[test]
fn a_planned_failback_is_an_outage_of_its_own() {
    let (mut history, level) = (run(2000, 3000, 9000), level(0.01));
    let is_away = |sent: &Sent| (5200 * MS..6200 * MS).contains(&sent.sent_us);
    history.iter_mut().filter(|sent| is_away(sent)).for_each(|sent| sent.outcome = Outcome::Refused);
    // Sent before, and cut off by it.
    let cut_off = history.iter_mut().filter(|sent| (5100 * MS..5200 * MS).contains(&sent.sent_us));
    cut_off.for_each(|sent| (sent.outcome, sent.returned_us) = (Outcome::Indeterminate, 5600 * MS));
    let survivors = good_tokens(&history);
    let observe = |history: &[Sent]| {
        let observed = Observed { failback_us: Some(5190 * MS), ..observed(history, &survivors, &level) };
        (recovery_time(&observed), measure_load(&observed, Some(Interval::exactly(3000 * MS))))
    };
    let (time, load) = observe(&history);
    let failback = Some((Interval::new(0.96, 1.015), true));
    assert_eq!((time.service, time.failback), (Some(Interval::new(0.94, 1.005)), failback));
    let told: Vec<(&str, u64)> = load.stages.iter().map(|stage| (stage.stage.as_str(), stage.refused)).collect();
    assert_eq!(told, [("before", 0), ("during", 20), ("after", 0), ("failback", 20)]);

    history.iter_mut().filter(|sent| sent.sent_us >= 5200 * MS).for_each(|sent| sent.outcome = Outcome::Refused);
    let (time, _) = observe(&history);
    assert_eq!((time.restored, time.service, time.failback), (None, None, None), "it never came home");
}

#[test]
fn what_is_in_flight_when_a_failback_starts_belongs_to_it() {
    // Taken down at 5,190; what was under way fails, and whatever is sent from then on is served.
    let (mut history, level) = (run(2000, 3000, 9000), level(0.01));
    let in_flight = history.iter_mut().filter(|sent| (4950 * MS..5190 * MS).contains(&sent.sent_us));
    in_flight.for_each(|sent| (sent.outcome, sent.returned_us) = (Outcome::Indeterminate, 5900 * MS));
    let survivors = good_tokens(&history);
    let observed = Observed { failback_us: Some(5190 * MS), ..observed(&history, &survivors, &level) };
    let time = recovery_time(&observed);
    assert_eq!(time.service, Some(Interval::new(0.94, 1.005)), "the recovery had succeeded");
    assert_eq!(time.failback, Some((Interval::new(0.0, 0.615), true)));
    // Without them the failback would have cost nothing, and been seen by nobody.
    assert!(history.iter().filter(|sent| !sent.is_ok() && sent.sent_us > 3000 * MS).count() == 5);
}
