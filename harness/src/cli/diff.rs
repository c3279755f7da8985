//! `blackstart diff`: what became worse between two runs.

use std::path::PathBuf;

use blackstart_reports::render::{
    Style,
    diff::{Change, differences, render},
};

use super::{UNUSABLE, print_styled, records, say, wants_color};

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the earlier run
    before: PathBuf,
    /// The folder of the later run
    after: PathBuf,
}

/// Compares two runs: 0 if nothing became worse, 1 if something did.
pub fn main(args: &Args) -> u8 {
    match (records::read(&args.before), records::read(&args.after)) {
        (Ok(before), Ok(after)) => {
            let style = Style { color: wants_color(&std::io::stdout()), ..Style::default() };
            print_styled(&render(&before, &after, &style));
            u8::from(differences(&before, &after).iter().any(|it| it.change == Change::Worse))
        }
        (before, after) => {
            [before.err(), after.err()].into_iter().flatten().for_each(|error| say(&error.to_string()));
            UNUSABLE
        }
    }
}
