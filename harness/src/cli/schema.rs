//! `blackstart schema`: the JSON schema of what a user declares.

use clap::ValueEnum;

use super::print;
use crate::scenario::schema;

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of what
    #[arg(value_enum, default_value_t = Kind::Scenario)]
    kind: Kind,
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
    let schema = match args.kind {
        Kind::Scenario => schema::schema(schema::Kind::Scenario),
        Kind::System => schema::schema(schema::Kind::System),
        Kind::Record => schemars::schema_for!(blackstart_reports::record::Record).to_value(),
    };
    print(&format!("{schema:#}"));
    0
}
