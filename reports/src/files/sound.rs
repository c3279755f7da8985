//! JSON whose numbers can be computed with: none is larger than every program reads the same (RFC 7493).
//!
//! A count or a moment near the largest integer of a machine is no measurement; it is damage, and a sum over it would
//! overflow. Seeds are drawn and never computed with, so that they may be anything.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IgnoredAny},
};

/// The largest number: 2^53. As microseconds, 285 years.
pub const LARGEST: u64 = 1 << 53;

/// Reads JSON whose numbers can be computed with.
///
/// # Errors
/// Where it is none, is not of the type, or holds a number beyond [`LARGEST`]; with its line and column.
pub fn from_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str::<Sound>(text)?;
    serde_json::from_str(text)
}

/// Reads one moment, in microseconds, for types of which there are too many to read them twice.
///
/// # Errors
/// Where it is no number, or beyond [`LARGEST`].
pub fn sound_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let us = u64::deserialize(deserializer)?;
    if us <= LARGEST { Ok(us) } else { Err(beyond(&us)) }
}

fn beyond<E: de::Error>(number: &dyn fmt::Display) -> E {
    E::custom(format!("the number {number} is beyond {LARGEST}, the most that is measured or counted here"))
}

/// Any JSON without such a number.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Sound, E> {
        if number <= LARGEST { Ok(Sound) } else { Err(beyond(&number)) }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sound, E> {
        if number.unsigned_abs() <= LARGEST { Ok(Sound) } else { Err(beyond(&number)) }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Sound, E> {
        if number.abs() <= LARGEST as f64 { Ok(Sound) } else { Err(beyond(&number)) }
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Sound, A::Error> {
        while items.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Sound, A::Error> {
        while let Some(key) = entries.next_key::<Cow<'_, str>>()? {
            if key == "seed" {
                entries.next_value::<IgnoredAny>()?;
            } else {
                entries.next_value::<Sound>()?;
            }
        }
        Ok(Sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_measure_is_refused_with_its_place_and_a_seed_may_be_any() {
        let read = |text: &str| from_json::<serde_json::Value>(text);
        for number in ["9007199254740993", "18446744073709551615", "-9223372036854775808", "1e300"] {
            let error = read(&format!("{{\"count\": [\n {number}]}}")).expect_err("beyond").to_string();
            assert!(error.contains("is beyond 9007199254740992") && error.contains("line 2"), "{error}");
        }
        assert!(read("{\"seed\": 18446744073709551615, \"count\": 9007199254740992, \"none\": [null, 1.5]}").is_ok());
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(from_json::<serde_json::Value>(&"[".repeat(100_000)).is_err());
    }
}
