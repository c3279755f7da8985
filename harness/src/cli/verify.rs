//! `blackstart verify`: check the evidence of a run, and compute its numbers again.

use std::path::PathBuf;

use blackstart_evidence::audit::audit;

use super::{UNUSABLE, print, print_json, say};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a run
    run: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Audits the folder: 0 if all of it holds, 1 if not.
pub fn main(args: &Args) -> u8 {
    let audit = match audit(&args.run) {
        Ok(audit) => audit,
        Err(error) => {
            say(&format!("{}: {error}; name the folder of a run, such as runs/<run-id>", args.run.display()));
            return UNUSABLE;
        }
    };
    if args.json {
        print_json(&audit);
    } else {
        print(&audit.to_string());
    }
    audit.exit_status()
}
