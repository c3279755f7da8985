//! `blackstart plan`: print exactly what a run would do.

use std::path::PathBuf;

use super::{UNUSABLE, allow::Allow, print, say, say_refused};
use crate::{plan, scenario};

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scenario file
    file: PathBuf,
    #[command(flatten)]
    allow: Allow,
    /// The seed of every random draw: victims, times, the order of requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Prints the plan.
pub fn main(args: &Args) -> u8 {
    let declared = match scenario::read_allowing(&args.file, &args.allow.folders) {
        Ok(declared) => declared,
        Err(refusals) => {
            say_refused(&refusals);
            return UNUSABLE;
        }
    };
    match plan::build(declared, args.seed) {
        Ok(plan) => {
            print(&plan::text::text(&plan));
            0
        }
        Err(error) => {
            say(&format!("blackstart: {error}"));
            UNUSABLE
        }
    }
}
