//! `result.json`: the record itself, pretty-printed, and reading it back.
//!
//! A simulated run carries its mark as an additional first key, so that no one who only sees the file takes it for
//! evidence. Reading looks at `schema_version` before anything else, and refuses what it does not know by name.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words;
use crate::{
    files,
    record::{Record, SCHEMA_VERSION},
    safe, version_1,
};

/// The record as it is written: with its mark, where it has one, before its own fields.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<&'static str>,
    #[serde(flatten)]
    record: &'a Record,
}

/// The one field that is read before the rest.
#[derive(Deserialize)]
struct Versioned {
    schema_version: Option<Value>,
}

/// Why a stored record could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// The text is no JSON object.
    NotJson(serde_json::Error),
    /// It has no `schema_version`, so that it is not the record of a run.
    NoVersion,
    /// It was written in a form that this program does not know.
    UnknownVersion(String),
    /// It claims a known version, but does not have its form.
    Malformed(serde_json::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(source) => write!(f, "not a JSON object: {source}"),
            Self::NoVersion => write!(f, "no `schema_version`: this is not the record of a run"),
            Self::UnknownVersion(found) => write!(
                f,
                "schema_version is {found}, and this program reads versions {} to {SCHEMA_VERSION}: read it with the version of blackstart that wrote it",
                version_1::VERSION
            ),
            Self::Malformed(source) => write!(f, "not a record of the schema version that it names: {source}"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotJson(source) | Self::Malformed(source) => Some(source),
            Self::NoVersion | Self::UnknownVersion(_) => None,
        }
    }
}

/// Writes a record as `result.json`, ending in a newline.
///
/// A record is made of strings, numbers and lists only, so that writing it cannot fail; should it ever, the error is
/// written in the record's place, which no reader takes for one.
pub fn render(record: &Record) -> String {
    let written = Written { mark: words::mark(record), record };
    let text = serde_json::to_string_pretty(&written)
        .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string());
    safe::json(&text) + "\n"
}

/// Reads a record back. One of version 1 is read as one of today.
pub fn read(text: &str) -> Result<Record, ReadError> {
    match stored_version(text)? {
        SCHEMA_VERSION => files::from_json(text).map_err(ReadError::Malformed),
        _ => raised(text).and_then(serde_json::from_value).map_err(ReadError::Malformed),
    }
}

/// The version in which a record is stored, which is one that this program reads.
///
/// # Errors
/// Where there is none, or another.
pub fn stored_version(text: &str) -> Result<u32, ReadError> {
    let versioned: Versioned = serde_json::from_str(text).map_err(ReadError::NotJson)?;
    let found = versioned.schema_version.ok_or(ReadError::NoVersion)?;
    let known = [version_1::VERSION, SCHEMA_VERSION].into_iter().find(|version| found == *version);
    known.ok_or_else(|| ReadError::UnknownVersion(found.to_string()))
}

/// Whether a text is a record as it is written: byte for byte. One of version 1 holds nothing that is no part of the record;
/// it may lack fields that were added since it was written.
pub fn is_as_written(text: &str, record: &Record) -> bool {
    let own = render(record);
    match stored_version(text) {
        Ok(SCHEMA_VERSION) => own == text,
        Ok(_) => match (serde_json::from_str(&own), raised(text)) {
            (Ok(own), Ok(told)) => holds(&own, &told),
            _ => false,
        },
        Err(_) => false,
    }
}

/// Whether everything that is told is there too, with the same value.
fn holds(own: &Value, told: &Value) -> bool {
    match (own, told) {
        (Value::Object(own), Value::Object(told)) => {
            told.iter().all(|(key, told)| own.get(key).map_or(told.is_null(), |own| holds(own, told)))
        }
        (Value::Array(own), Value::Array(told)) => {
            own.len() == told.len() && own.iter().zip(told).all(|(own, told)| holds(own, told))
        }
        (own, told) => own == told,
    }
}

fn raised(text: &str) -> serde_json::Result<Value> {
    let mut value: Value = files::from_json(text)?;
    version_1::raise(&mut value, SCHEMA_VERSION);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn what_is_written_is_read_back() {
        for record in sample::all() {
            assert_eq!(read(&render(&record)).expect("a record"), record);
        }
    }

    #[test]
    fn an_unknown_version_is_refused_by_name() {
        let text = render(&sample::sample_record()).replacen("\"schema_version\": 2", "\"schema_version\": 3", 1);
        let error = read(&text).expect_err("unknown").to_string();
        assert_eq!(
            error,
            "schema_version is 3, and this program reads versions 1 to 2: read it with the version of blackstart that wrote it"
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert!(matches!(read("[]"), Err(ReadError::NotJson(_))));
        assert!(matches!(read("{}"), Err(ReadError::NoVersion)));
        assert!(matches!(read("{\"schema_version\": 1}"), Err(ReadError::Malformed(_))));
        assert!(matches!(read("{\"schema_version\": 2}"), Err(ReadError::Malformed(_))));
    }

    #[test]
    fn words_of_version_1_are_none_of_version_2() {
        let text = include_str!("../../samples/backups/result.json");
        let record = read(text).expect("a record of version 1");
        assert!(record.backups.iter().all(|backup| backup.restore_test.is_some()), "each was tested");
        assert!(record.phases.iter().any(|phase| phase.name == "restore-test"));
        assert_eq!(record.schema_version, SCHEMA_VERSION);
        assert!(is_as_written(text, &record));
        assert_eq!(read(&render(&record)).expect("the same as version 2"), record);
        let more = text.replacen("\"judgement\": {", "\"judgement\": {\n\"more\": 1,", 1);
        assert!(!is_as_written(&more, &read(&more).expect("a record")), "it holds something that is no part of it");
        let mislabelled = text.replacen("\"schema_version\": 1", "\"schema_version\": 2", 1);
        assert!(!is_as_written(&mislabelled, &read(&mislabelled).expect("a record")));
    }

    #[test]
    fn every_record_of_version_1_that_is_kept_here_is_read() {
        for text in [
            include_str!("../../samples/asynchronous/result.json"),
            include_str!("../../samples/failed/result.json"),
            include_str!("../../samples/synchronous/result.json"),
        ] {
            let record = read(text).expect("a record of version 1");
            assert!(record.faults.iter().all(|fault| fault.kind == "zone_outage"), "{:?}", record.faults);
            assert!(is_as_written(text, &record));
        }
    }

    #[test]
    fn a_count_that_no_sum_could_hold_is_refused() {
        let text = render(&sample::sample_record()).replacen("\"count\": ", "\"count\": 1844674407370955161", 1);
        let error = read(&text).expect_err("beyond measure").to_string();
        assert!(error.contains("is beyond 9007199254740992"), "{error}");
    }

    #[test]
    fn a_simulated_run_says_so_first() {
        let text = render(&sample::simulated());
        assert!(text.starts_with("{\n  \"mark\": \"SIMULATED, not evidence\""));
        assert!(!render(&sample::sample_record()).contains("mark\""));
    }
}
