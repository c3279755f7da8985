//! `blackstart check`: read and validate scenarios.

use std::path::PathBuf;

use super::{UNUSABLE, allow::Allow, print, print_json, say, say_refused};
use crate::{
    plan,
    scenario::{self, Declared, Refusals},
    world::simulated::beyond_the_model,
};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    allow: Allow,
    /// Print the refusals as JSON
    #[arg(long)]
    json: bool,
}

/// Reads and validates each file; every refusal is shown, not only the first.
pub fn main(args: &Args) -> u8 {
    let mut refused = Refusals(Vec::new());
    for file in &args.files {
        match scenario::read_allowing(file, &args.allow.folders) {
            Ok(declared) => {
                for warning in &declared.warnings {
                    say(&warning.to_string());
                }
                if !args.json {
                    print(&format!("{}: sound. {}", file.display(), declared.scenario.title));
                    tell_limits(declared);
                }
            }
            Err(refusals) => refused.0.extend(refusals.0),
        }
    }
    if args.json {
        print_json(&refused.0);
    } else if !refused.0.is_empty() {
        say_refused(&refused);
    }
    if refused.0.is_empty() { 0 } else { UNUSABLE }
}

/// What a drill needs that a model cannot give.
fn tell_limits(declared: Declared) {
    let reasons = plan::build(declared, 0).map(|plan| beyond_the_model(&plan)).unwrap_or_default();
    if !reasons.is_empty() {
        print(&format!("  needs containers: {}", reasons.join("; ")));
    }
}
