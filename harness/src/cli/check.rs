//! `blackstart check`: read and judge scenarios.

use std::path::PathBuf;

use super::{UNUSABLE, print, wants_color};
use crate::scenario::{self, refusal};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the refusals as JSON
    #[arg(long)]
    json: bool,
}

/// Reads and judges each file; every refusal is shown, not only the first.
pub fn main(args: &Args) -> u8 {
    let mut refused = Vec::new();
    for file in &args.files {
        match scenario::read(file) {
            Ok(declared) => {
                for warning in &declared.warnings {
                    eprintln!("{}", warning.line());
                }
                if !args.json {
                    print(&format!("{}: sound. {}", file.display(), declared.scenario.title));
                }
            }
            Err(refusals) => refused.extend(refusals.0),
        }
    }
    if args.json {
        print(&serde_json::to_string_pretty(&refused).unwrap_or_default());
    } else if !refused.is_empty() {
        eprint!("{}", refusal::render(&refused, wants_color(&std::io::stderr())));
    }
    if refused.is_empty() { 0 } else { UNUSABLE }
}
