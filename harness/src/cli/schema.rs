//! `blackstart schema`: the JSON schema of what a user declares.

use clap::ValueEnum;

use super::{UNUSABLE, print, say};
use crate::scenario::{reference, schema};

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kind of file
    #[arg(value_enum, default_value_t = Kind::Scenario)]
    kind: Kind,
    /// Print a reference page in Markdown instead of JSON
    #[arg(long)]
    text: bool,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A scenario: one drill
    Scenario,
    /// A system: a topology with its checks
    System,
    /// The record of a run: `result.json`
    Record,
}

/// Prints the schema.
pub fn main(args: &Args) -> u8 {
    match (args.text, args.kind) {
        (true, Kind::Scenario) => print(&reference::page(schema::Kind::Scenario)),
        (true, Kind::System) => print(&reference::page(schema::Kind::System)),
        (true, Kind::Record) => {
            say("there is no page for `record`; leave out `--text`");
            return UNUSABLE;
        }
        (false, kind) => print(&format!("{:#}", json(kind))),
    }
    0
}

fn json(kind: Kind) -> serde_json::Value {
    match kind {
        Kind::Scenario => schema::schema(schema::Kind::Scenario),
        Kind::System => schema::schema(schema::Kind::System),
        Kind::Record => schemars::schema_for!(blackstart_reports::record::Record).to_value(),
    }
}
