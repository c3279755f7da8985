//! Numbers as a person reads them, and data made safe to print.
//!
//! Both ends of an interval are rounded alike, in one unit, and the range collapses when they round alike. Rounding
//! never hides a verdict: where an end would read like the target without being it, more digits are shown.

use crate::record::Interval;

/// The separator between the two ends of an interval.
const TO: &str = " … ";

/// A unit together with the digits after the point.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Milliseconds(usize),
    Seconds(usize),
    Minutes,
    Hours,
}

impl Unit {
    /// The unit in which a span of this many seconds reads best.
    fn fitting(seconds: f64) -> Self {
        match seconds.abs() {
            s if s < 0.000_95 => Self::Milliseconds(2),
            s if s < 0.01 => Self::Milliseconds(1),
            s if s < 0.999_5 => Self::Milliseconds(0),
            s if s < 9.995 => Self::Seconds(2),
            s if s < 120.0 => Self::Seconds(1),
            s if s < 7_200.0 => Self::Minutes,
            _ => Self::Hours,
        }
    }

    /// The next finer unit, or none where more digits would be mere noise.
    const fn finer(self) -> Option<Self> {
        match self {
            Self::Hours => Some(Self::Minutes),
            Self::Minutes => Some(Self::Seconds(1)),
            Self::Seconds(digits) if digits < 6 => Some(Self::Seconds(digits + 1)),
            Self::Milliseconds(digits) if digits < 3 => Some(Self::Milliseconds(digits + 1)),
            Self::Seconds(_) | Self::Milliseconds(_) => None,
        }
    }

    fn format(self, seconds: f64) -> String {
        if seconds.is_nan() {
            return "unknown".to_owned();
        }
        if seconds.is_infinite() {
            return "never".to_owned();
        }
        match self {
            Self::Milliseconds(digits) => format!("{} ms", fixed(seconds * 1000.0, digits)),
            Self::Seconds(digits) => format!("{} s", fixed(seconds, digits)),
            Self::Minutes => {
                let whole = seconds.round();
                format!("{:.0} min {:02.0} s", (whole / 60.0).trunc(), (whole % 60.0).abs())
            }
            Self::Hours => {
                let whole = (seconds / 60.0).round();
                format!("{:.0} h {:02.0} min", (whole / 60.0).trunc(), (whole % 60.0).abs())
            }
        }
    }
}

/// A number with so many digits after the point, and no negative zero.
pub(super) fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text,
    }
}

/// A single span of time, given in seconds.
pub(super) fn seconds(value: f64) -> String {
    if value == 0.0 { "0 s".to_owned() } else { Unit::fitting(value).format(value) }
}

/// A span of time given in milliseconds.
pub(super) fn millis(value: f64) -> String {
    seconds(value / 1000.0)
}

/// A span of time between two bounds, in seconds.
pub(super) fn span(bounds: Interval<f64>) -> String {
    join(bounds, unit_of(bounds))
}

/// The same, with as many digits as it takes to tell both ends from the target.
pub(super) fn span_against(bounds: Interval<f64>, target: Option<f64>) -> String {
    let Some(target) = target else { return span(bounds) };
    let alike = |unit: Unit| {
        [bounds.lower, bounds.upper].into_iter().any(|end| end != target && unit.format(end) == unit.format(target))
    };
    let mut unit = unit_of(bounds);
    while alike(unit) {
        match unit.finer() {
            Some(finer) => unit = finer,
            None => break,
        }
    }
    join(bounds, unit)
}

/// A declared goal, as it was written: no rounding.
pub(super) fn goal_seconds(value: f64) -> String {
    if value >= 120.0 && value % 60.0 == 0.0 && value.is_finite() {
        let minutes = value / 60.0;
        if minutes >= 120.0 && minutes % 60.0 == 0.0 {
            format!("{} h", minutes / 60.0)
        } else {
            format!("{minutes} min")
        }
    } else {
        format!("{} s", value + 0.0)
    }
}

fn unit_of(bounds: Interval<f64>) -> Unit {
    let finite = [bounds.lower, bounds.upper].into_iter().filter(|end| end.is_finite());
    Unit::fitting(finite.map(f64::abs).fold(0.0, f64::max))
}

fn join(bounds: Interval<f64>, unit: Unit) -> String {
    if bounds.lower == 0.0 && bounds.upper == 0.0 {
        return "0 s".to_owned();
    }
    let (lower, upper) = (unit.format(bounds.lower), unit.format(bounds.upper));
    if lower == upper { lower } else { format!("{lower}{TO}{upper}") }
}

/// A count with its thousands set apart.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count between two bounds.
pub(super) fn counts(bounds: Interval<u64>) -> String {
    if bounds.lower == bounds.upper {
        count(bounds.lower)
    } else {
        format!("{}{TO}{}", count(bounds.lower), count(bounds.upper))
    }
}

/// So many of something, in the singular where there is one.
pub(super) fn plural(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A size, in powers of 1024.
pub(super) fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1024.0;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or("KiB");
    while scaled >= 1023.95 {
        match units.next() {
            Some(next) => (scaled, unit) = (scaled / 1024.0, next),
            None => break,
        }
    }
    format!("{scaled:.1} {unit}")
}

/// A part of a whole, in percent; empty where there is no whole.
pub(super) fn share(part: f64, whole: f64) -> String {
    if whole > 0.0 && part.is_finite() && whole.is_finite() {
        format!("{} %", fixed(part / whole * 100.0, usize::from(part / whole < 0.0995)))
    } else {
        String::new()
    }
}

/// An identifier such as `service_sustained`, in words.
pub(super) fn in_words(identifier: &str) -> String {
    clean(&identifier.replace(['_', '-'], " "))
}

/// Data on one line, without control characters: what a program printed must not steer the reader's terminal.
pub(super) fn clean(data: &str) -> String {
    crate::safe::one_line(data)
}

pub(super) use crate::safe::shorten;

#[cfg(test)]
mod tests {
    use super::*;

    /// Values across the magnitudes of a drill, in a fixed order, without a source of chance.
    fn many_values() -> Vec<f64> {
        (0..4_000_u32).map(|n| 1.003_7_f64.powi(n as i32 - 2_000) + f64::from(n % 7) * 1e-4).collect()
    }

    #[test]
    fn ranges_collapse_when_both_ends_round_alike() {
        assert_eq!(span(Interval::new(1.241, 1.312)), "1.24 s … 1.31 s");
        assert_eq!(span(Interval::new(1.241, 1.2412)), "1.24 s");
        assert_eq!(span(Interval::new(0.0, 0.24)), "0 ms … 240 ms");
        assert_eq!(span(Interval::exactly(0.0)), "0 s");
        assert_eq!(span(Interval::new(118.0, 125.2)), "1 min 58 s … 2 min 05 s");
        assert_eq!(span(Interval::exactly(7_199.9)), "120 min 00 s");
        assert_eq!(span(Interval::exactly(9_000.0)), "2 h 30 min");
        assert_eq!(counts(Interval::new(3, 5)), "3 … 5");
        assert_eq!(counts(Interval::exactly(12_345)), "12,345");
    }

    #[test]
    fn rounding_never_makes_a_miss_read_like_the_target() {
        assert_eq!(span_against(Interval::new(4.9, 5.0004), Some(5.0)), "4.9000 s … 5.0004 s");
        assert_eq!(span_against(Interval::new(4.9, 5.0), Some(5.0)), "4.90 s … 5.00 s");
        assert_eq!(span_against(Interval::new(290.0, 300.2), Some(300.0)), "290.0 s … 300.2 s");
        for target in many_values() {
            let off = Interval::new(target * 0.999, target * 1.001);
            let text = span_against(off, Some(target));
            assert!(target < 1e-3 || text.contains('…'), "{text} hides the target {target}");
        }
    }

    #[test]
    fn the_text_of_a_greater_span_is_never_that_of_a_smaller_one() {
        for value in many_values() {
            let bounds = Interval::new(value, value * 1.5);
            let text = span(bounds);
            let unit = unit_of(bounds);
            assert_eq!(text, format!("{} … {}", unit.format(bounds.lower), unit.format(bounds.upper)));
        }
    }

    #[test]
    fn what_is_printed_lies_within_half_a_digit_of_the_value() {
        for value in many_values().into_iter().filter(|value| *value < 110.0) {
            let text = seconds(value);
            let (number, unit) = text.split_once(' ').expect("a number and a unit");
            let scale = if unit == "ms" { 1e-3 } else { 1.0 };
            let digits = number.split_once('.').map_or(0, |(_, digits)| digits.len());
            let printed = number.parse::<f64>().expect("a number") * scale;
            let half = 0.5 * 10_f64.powi(-(digits as i32)) * scale;
            assert!((printed - value).abs() <= half * 1.000_001, "{text} for {value}");
        }
    }

    #[test]
    fn what_is_no_number_says_so() {
        assert_eq!(seconds(f64::NAN), "unknown");
        assert_eq!(span(Interval::new(1.2, f64::INFINITY)), "1.20 s … never");
        assert_eq!(seconds(-0.0), "0 s");
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(share(1.0, 0.0), "");
    }

    #[test]
    fn goals_read_as_they_were_declared() {
        assert_eq!(goal_seconds(5.0), "5 s");
        assert_eq!(goal_seconds(0.25), "0.25 s");
        assert_eq!(goal_seconds(300.0), "5 min");
        assert_eq!(goal_seconds(14_400.0), "4 h");
    }

    #[test]
    fn sizes_keep_one_digit() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn data_cannot_steer_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\r\nb\u{202e}c"), "a [31mred b c");
        assert_eq!(shorten("überlang", 5), "über…");
        assert_eq!(shorten("kurz", 5), "kurz");
    }
}
