//! `result.json`: the record itself, pretty-printed, and reading it back.
//!
//! A simulated run carries its mark as an additional first key, so that no one who only sees the file takes it for
//! evidence. Reading looks at `schema_version` before anything else, and refuses what it does not know by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words;
use crate::{
    files,
    record::{Record, SCHEMA_VERSION},
    safe,
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
    schema_version: Option<serde_json::Value>,
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
                "schema_version is {found}, and this program reads version {SCHEMA_VERSION}: read it with the version of blackstart that wrote it"
            ),
            Self::Malformed(source) => write!(f, "not a record of schema version {SCHEMA_VERSION}: {source}"),
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

/// Reads a record back.
pub fn read(text: &str) -> Result<Record, ReadError> {
    let versioned: Versioned = serde_json::from_str(text).map_err(ReadError::NotJson)?;
    match versioned.schema_version {
        None => Err(ReadError::NoVersion),
        Some(found) if found != SCHEMA_VERSION => Err(ReadError::UnknownVersion(found.to_string())),
        Some(_) => files::from_json(text).map_err(ReadError::Malformed),
    }
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
        let text = render(&sample::sample_record()).replacen("\"schema_version\": 1", "\"schema_version\": 2", 1);
        let error = read(&text).expect_err("unknown").to_string();
        assert_eq!(
            error,
            "schema_version is 2, and this program reads version 1: read it with the version of blackstart that wrote it"
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert!(matches!(read("[]"), Err(ReadError::NotJson(_))));
        assert!(matches!(read("{}"), Err(ReadError::NoVersion)));
        assert!(matches!(read("{\"schema_version\": 1}"), Err(ReadError::Malformed(_))));
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
