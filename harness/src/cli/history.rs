//! `blackstart history`: the runs of a folder, one line each, the oldest first.

use std::path::PathBuf;

use blackstart_reports::render::render_summary;

use super::{UNUSABLE, print, records, say};

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of runs
    #[arg(default_value = "runs")]
    folder: PathBuf,
    /// Only runs of this scenario
    #[arg(long)]
    scenario: Option<String>,
}

/// Lists the runs.
pub fn main(args: &Args) -> u8 {
    match records::read_all(&args.folder) {
        Ok(mut records) => {
            records.retain(|record| args.scenario.as_ref().is_none_or(|wanted| record.scenario.id == *wanted));
            print(&render_summary(&records));
            0
        }
        Err(error) => {
            say(&error.to_string());
            UNUSABLE
        }
    }
}
