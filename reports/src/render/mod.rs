//! Renderings of a record: one file each, all made from the same facts in the same words.
//!
//! `view` turns a record into small sheets of cells, `text` and `words` say how numbers and outcomes read; a
//! rendering only lays them out. Every rendering of a simulated run carries [`SIMULATED_MARK`].

mod backups;
mod bar;
pub mod diff;
pub mod distribution;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod repeat;
pub mod selftest;
mod summary;
mod svg;
pub mod terminal;
mod text;
mod view;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::record::Record;
pub use summary::render_summary;
pub use words::{SIMULATED_MARK, status_word};

/// The form of a rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a person at a terminal.
    Terminal,
    /// For a job summary or a pull request.
    Markdown,
    /// For scripts: `result.json`.
    Json,
    /// For the test reports of a CI system.
    Junit,
    /// One page for a person, to be kept, shown or printed.
    Html,
}

impl Format {
    /// Every form, in the order in which they are documented.
    pub const ALL: [Self; 5] = [Self::Terminal, Self::Markdown, Self::Json, Self::Junit, Self::Html];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Html => "html",
        }
    }

    /// The usual name of a file in this form.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Terminal => "report.txt",
            Self::Markdown => "report.md",
            Self::Json => "result.json",
            Self::Junit => "junit.xml",
            Self::Html => "report.html",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Format::ALL.map(Format::name).join(", ");
        write!(f, "unknown format `{}`: expected one of {known}", self.0)
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// How a rendering for a person is laid out. Whether there is a terminal, and how wide, the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour. Words carry the meaning either way.
    pub color: bool,
    /// The width in columns; what is below 60 is taken as 60.
    pub width: usize,
    /// Whether to show passed checks in full, every lost write that is kept, and the whole timeline.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100, verbose: false }
    }
}

/// Renders a record. The style matters to the terminal only.
pub fn render(record: &Record, format: Format, style: &Style) -> String {
    match format {
        Format::Terminal => terminal::render(record, style),
        Format::Markdown => markdown::render(record),
        Format::Json => json::render(record),
        Format::Junit => junit::render(record),
        Format::Html => html::render(record),
    }
}
