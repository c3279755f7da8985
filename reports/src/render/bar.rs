//! The service over time as one line of text.

use super::view;
use crate::record::{Interval, Record};

/// What a cell of the bar shows.
const SERVED: char = '█';
const UNSURE: char = '▒';
const OUTAGE: char = '·';

/// Draws three lines: the bar, the fault below it, and what the signs mean. Nothing where no load ran around a fault.
pub(super) fn draw(record: &Record, width: usize) -> Option<String> {
    let window = view::service_window(record)?;
    let fault = view::first_fault(record)?;
    let cells = width.clamp(20, 200);
    let outages = view::drawable_outages(record, window.upper);
    let step = (window.upper - window.lower) / cells as f64;
    let cell = |index: usize| {
        let from = window.lower + step * index as f64;
        sign(Interval::new(from, from + step), &outages)
    };
    let bar: String = (0..cells).map(cell).collect();
    let position = (((fault.lower - window.lower) / step).max(0.0) as usize).min(cells - 1);
    let legend = format!("{SERVED} served as declared  {UNSURE} within the bounds  {OUTAGE} not served");
    Some(format!("{bar}\n{}\n{legend}", axis(record, window, position, cells)))
}

/// The sign of a stretch: an outage counts however short it is, the bounds count before service.
fn sign(cell: Interval<f64>, outages: &[(Interval<f64>, Interval<f64>)]) -> char {
    let overlaps = |from: f64, to: f64| from < cell.upper && to > cell.lower;
    if outages.iter().any(|(began, ended)| overlaps(began.upper, ended.lower)) {
        OUTAGE
    } else if outages.iter().any(|(began, ended)| overlaps(began.lower, ended.upper)) {
        UNSURE
    } else {
        SERVED
    }
}

/// The line below: where the window begins, the fault, where the window ends. Words that would overlap are left out.
fn axis(record: &Record, window: Interval<f64>, fault: usize, cells: usize) -> String {
    let origin = view::origin(record);
    let (from, to) = (view::moment(&origin, window.lower), view::moment(&origin, window.upper));
    let mut line = vec![' '; cells];
    let mut put = |at: usize, words: &str| {
        let room = line.iter().skip(at.saturating_sub(1)).take(words.chars().count() + 2);
        if at + words.chars().count() <= cells && room.clone().all(|&c| c == ' ') {
            line.iter_mut().skip(at).zip(words.chars()).for_each(|(cell, c)| *cell = c);
        }
    };
    put(fault, "▲ fault");
    put(fault, "▲");
    put(0, &from);
    put(cells.saturating_sub(to.chars().count()), &to);
    line.into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn an_outage_shows_however_short_it_is() {
        let outage = [(Interval::exactly(50.0), Interval::exactly(50.001))];
        assert_eq!(sign(Interval::new(0.0, 100.0), &outage), OUTAGE);
        assert_eq!(sign(Interval::new(100.0, 200.0), &outage), SERVED);
    }

    #[test]
    fn the_bar_is_as_wide_as_asked_for() {
        for width in [20, 76, 96] {
            let drawn = draw(&sample::sample_record(), width).expect("a bar");
            let lines: Vec<usize> = drawn.lines().map(|line| line.chars().count()).collect();
            assert_eq!(lines.first(), Some(&width));
            assert!(lines.get(1).is_some_and(|&axis| axis <= width));
        }
    }

    #[test]
    fn nothing_broken_has_no_bar() {
        assert_eq!(draw(&sample::control(), 80), None);
        assert_eq!(draw(&sample::could_not_run(), 80), None);
    }
}
