//! The scalars of a scenario that carry a unit: spans of time, rates, shares, bandwidths, and choices left to the seed.
//!
//! A bare number is refused everywhere, so that nobody has to guess whether `5` was meant as seconds.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Reads a number directly followed by one of `units`, and gives it in the smallest of them.
fn read_unit(text: &str, units: &[(&str, f64)]) -> Result<f64, String> {
    let accepted = || units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>().join(", ");
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let value: f64 = number.parse().map_err(|_| format!("`{text}` does not start with a number"))?;
    if unit.is_empty() {
        return Err(format!("`{text}` has no unit; write one of {}", accepted()));
    }
    let (_, factor) = units
        .iter()
        .find(|(known, _)| *known == unit.trim())
        .ok_or_else(|| format!("`{}` is not a unit known here; write one of {}", unit.trim(), accepted()))?;
    Ok(value * factor)
}

/// Implements serde and JSON schema for a type that is written as one string.
macro_rules! written_as_text {
    ($type:ident, $pattern:literal, $description:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $description })
            }
        }
    };
}

/// A span of time, kept in microseconds: `250ms`, `2s`, `1.5m`, `8h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// The longest span that can be written.
    pub const LONGEST: Self = Self::from_ms(31 * 24 * 3_600_000);

    /// A span of so many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1000)
    }

    /// The span as the standard library's type.
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// The span in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The span in milliseconds.
    pub fn ms(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(&str, f64); 5] = [("ms", 1e3), ("s", 1e6), ("m", 60e6), ("h", 3600e6), ("d", 86_400e6)];
        let span = Self(read_unit(text, &UNITS)?.round() as u64);
        if span > Self::LONGEST {
            return Err(format!("{text} is longer than {}; scale the drill down, and say so", Self::LONGEST));
        }
        Ok(span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            micros if micros % 86_400_000_000 == 0 && micros > 86_400_000_000 => {
                write!(f, "{}d", micros / 86_400_000_000)
            }
            micros if micros % 3_600_000_000 == 0 && micros > 0 => write!(f, "{}h", micros / 3_600_000_000),
            micros if micros % 60_000_000 == 0 && micros > 0 => write!(f, "{}m", micros / 60_000_000),
            micros if micros % 1_000_000 == 0 => write!(f, "{}s", micros / 1_000_000),
            micros => write!(f, "{}ms", micros as f64 / 1e3),
        }
    }
}

written_as_text!(Span, r"^[0-9.]+(ms|s|m|h|d)$", "a span of time: 250ms, 2s, 1.5m, 8h, 7d");

/// A size in bytes: `512MiB`, `4GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// The largest size that can be written.
    pub const LARGEST: Self = Self(64 * 1024 * 1024 * MIB);

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

const MIB: u64 = 1024 * 1024;

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("MiB", MIB as f64), ("GiB", 1024.0 * MIB as f64)];
        let size = Self(read_unit(text, &units)?.round() as u64);
        if size > Self::LARGEST {
            return Err(format!("{text} is more than {}; write what this machine has", Self::LARGEST));
        }
        Ok(size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes.is_multiple_of(1024 * MIB) && bytes > 0 => write!(f, "{}GiB", bytes / (1024 * MIB)),
            bytes => write!(f, "{}MiB", bytes as f64 / MIB as f64),
        }
    }
}

written_as_text!(Size, r"^[0-9.]+(MiB|GiB)$", "a size in bytes: 512MiB, 4GiB");

/// A rate of requests: `20/s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl Rate {
    /// Requests per second.
    pub const fn per_second(self) -> f64 {
        self.0
    }

    /// The time from one request to the next.
    pub fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = read_unit(text, &[("/s", 1.0), ("/m", 1.0 / 60.0)])?;
        if (0.01..=10_000.0).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!("a rate of {text} is outside 0.01/s to 10000/s"))
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

written_as_text!(Rate, r"^[0-9.]+/(s|m)$", "a rate of requests: 20/s");

/// A share of a whole, kept as a fraction: `90%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// A share from a fraction between 0 and 1.
    pub const fn from_fraction(fraction: f64) -> Self {
        Self(fraction)
    }

    /// The share as a fraction between 0 and 1.
    pub const fn fraction(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = read_unit(text, &[("%", 1.0)])?;
        // Kept to a millionth, which is what is written back.
        if percent <= 100.0 {
            Ok(Self((percent * 1e4).round() / 1e6))
        } else {
            Err(format!("{text} is more than the whole"))
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", (self.0 * 1e6).round() / 1e4)
    }
}

written_as_text!(Share, r"^[0-9.]+%$", "a share of a whole: 90%");

/// A bandwidth, kept in bits per second: `400kbit/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth(u64);

impl Bandwidth {
    /// Bits per second.
    pub const fn bits_per_second(self) -> u64 {
        self.0
    }
}

/// The most bits per second that can be written.
const MOST_BITS: f64 = 100e9;

impl FromStr for Bandwidth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bits = read_unit(text, &[("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)])?;
        match bits {
            bits if bits < 8000.0 => Err(format!("{text} is below 8kbit/s, the least that works")),
            bits if bits > MOST_BITS => Err(format!("{text} is above 100Gbit/s, the most that works")),
            bits => Ok(Self(bits as u64)),
        }
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bits if bits % 1_000_000 == 0 => write!(f, "{}Mbit/s", bits / 1_000_000),
            bits if bits % 1000 == 0 => write!(f, "{}kbit/s", bits / 1000),
            bits => write!(f, "{bits}bit/s"),
        }
    }
}

written_as_text!(Bandwidth, r"^[0-9.]+(bit|kbit|Mbit|Gbit)/s$", "a bandwidth: 400kbit/s");

/// A moment after the start of the load: a fixed one (`3s`), or one that the seed draws from a range (`2s..4s`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The earliest.
    pub from: Span,
    /// The latest; the same as `from` for a fixed moment.
    pub to: Span,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => (from.trim().parse()?, to.trim().parse()?),
            None => {
                let at = text.parse()?;
                (at, at)
            }
        };
        if from <= to { Ok(Self { from, to }) } else { Err(format!("the range {text} runs backwards")) }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to { write!(f, "{}", self.from) } else { write!(f, "{}..{}", self.from, self.to) }
    }
}

written_as_text!(
    Moment,
    r"^[0-9.]+(ms|s|m|h)(\.\.[0-9.]+(ms|s|m|h))?$",
    "a moment: 3s, or a range that the seed draws from: 2s..4s"
);

/// A name, or several of which the seed draws one: `c`, or `[a, c]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneOf(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> de::Visitor<'de> for Names {
            type Value = OneOf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or a list of names of which the seed draws one")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<OneOf, E> {
                Ok(OneOf(vec![name.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<OneOf, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                if all.is_empty() {
                    return Err(de::Error::custom("the list of names is empty; name at least one"));
                }
                Ok(OneOf(all))
            }
        }
        deserializer.deserialize_any(Names)
    }
}

impl JsonSchema for OneOf {
    fn schema_name() -> Cow<'static, str> {
        "OneOf".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a name, or a list of names of which the seed draws one",
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }]
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bare_number_is_refused_with_the_units() {
        let refusal = "5".parse::<Span>().unwrap_err();
        assert_eq!(refusal, "`5` has no unit; write one of ms, s, m, h, d");
    }

    #[test]
    fn what_is_beyond_any_drill_is_refused_and_does_not_wrap_around() {
        let long = ["50000000d", "32d", &format!("{}h", "9".repeat(400)), &format!("{}ms", u64::MAX)];
        for text in long {
            let refusal = text.parse::<Span>().unwrap_err();
            assert!(refusal.ends_with("is longer than 31d; scale the drill down, and say so"), "{refusal}");
            assert!(format!("1s..{text}").parse::<Moment>().is_err());
        }
        assert_eq!("31d".parse::<Span>().unwrap(), Span::LONGEST);
        assert!("99999999999GiB".parse::<Size>().unwrap_err().contains("is more than 65536GiB"));
        assert!("101Gbit/s".parse::<Bandwidth>().unwrap_err().contains("is above 100Gbit/s"));
    }

    #[test]
    fn a_range_must_run_forwards() {
        assert!("4s..2s".parse::<Moment>().is_err());
        assert_eq!("2s..4s".parse::<Moment>().unwrap().to, Span::from_ms(4000));
    }

    proptest! {
        #[test]
        fn spans_are_read_back_as_written(ms in 0u64..100_000_000) {
            let span = Span::from_ms(ms);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }

        #[test]
        fn shares_are_read_back_as_written(percent in 0u32..=10_000) {
            let share = Share::from_fraction(f64::from(percent) / 10_000.0);
            prop_assert_eq!(share.to_string().parse::<Share>().unwrap(), share);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,12}") {
            let _ = text.parse::<Span>();
            let _ = text.parse::<Rate>();
            let _ = text.parse::<Moment>();
            let _ = text.parse::<Bandwidth>();
        }
    }
}
