//! `blackstart report`: render the record of a run that is over.

use std::{path::PathBuf, str::FromStr};

use blackstart_reports::render::{Format, Style, render};

use super::{UNUSABLE, print, print_styled, records, say, wants_color};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a run
    run: PathBuf,
    /// terminal, markdown, json, junit or html
    #[arg(long, default_value = "terminal", value_parser = Format::from_str)]
    format: Format,
    /// Show every check and step at length
    #[arg(long)]
    verbose: bool,
}

/// Renders the record to stdout.
pub fn main(args: &Args) -> u8 {
    match records::read(&args.run) {
        Ok(record) => {
            let style = Style { color: wants_color(&std::io::stdout()), verbose: args.verbose, ..Style::default() };
            let rendered = render(&record, args.format, &style);
            if args.format == Format::Terminal {
                print_styled(&rendered)
            } else {
                print(&rendered)
            }
            0
        }
        Err(error) => {
            say(&error.to_string());
            UNUSABLE
        }
    }
}
