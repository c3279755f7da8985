//! `blackstart verify`: check the evidence of a run, and compute its numbers again.

use std::path::{Path, PathBuf};

use blackstart_evidence::{
    audit::{Audit, audit},
    manifest,
};
use blackstart_reports::{render::json, version_1};
use serde::Deserialize;

use super::{UNUSABLE, print, print_json, say};
use crate::{
    files::Reach,
    plan,
    scenario::{Declared, Scenario, System},
};

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
    let mut audit = match audit(&args.run) {
        Ok(audit) => audit,
        Err(error) => {
            say(&format!("{}: {error}; name the folder of a run, such as runs/<run-id>", args.run.display()));
            return UNUSABLE;
        }
    };
    audit_plan(&args.run, &mut audit);
    if args.json {
        print_json(&audit);
    } else {
        print(&audit.to_string());
    }
    audit.exit_status()
}

/// The scenario and its system, as a run keeps them.
#[derive(Deserialize)]
struct Resolved {
    scenario: Scenario,
    system: System,
}

/// Makes the plan again from the scenario and the seed. What keeps it from that is a finding of the audit already.
fn audit_plan(run: &Path, audit: &mut Audit) {
    let read = |name| manifest::read_text(run, name);
    let (Ok(scenario), Ok(told), Ok(record)) = (read("scenario.yaml"), read("plan.txt"), read("result.json")) else {
        return;
    };
    let (Ok(version), Ok(record)) = (json::stored_version(&record), json::read(&record)) else { return };
    if version == version_1::VERSION {
        return audit.unchecked.retain(|what| !what.starts_with("plan.txt"));
    }
    let (holds, detail) = match planned_again(&scenario, record.seed) {
        Ok(again) if again == told => (true, "the same again from scenario and seed".to_owned()),
        Ok(_) => (false, "plan.txt is not what scenario and seed are planned to".to_owned()),
        Err(why) => (false, why),
    };
    audit.unchecked.retain(|what| !what.starts_with("plan.txt"));
    audit.note("plan", holds, detail);
}

fn planned_again(scenario: &str, seed: u64) -> Result<String, String> {
    let Resolved { scenario, system } = serde_saphyr::from_str(scenario)
        .map_err(|error| format!("scenario.yaml: {}", error.to_string().lines().next().unwrap_or_default()))?;
    let (scenario_file, system_file) = (PathBuf::new(), PathBuf::new());
    // A plan is made of words alone, and reaches for no file.
    let reach = Reach::default();
    let declared = Declared { scenario, system, scenario_file, system_file, reach, warnings: Vec::new() };
    plan::build(declared, seed).map(|plan| plan::text::text(&plan)).map_err(|error| error.to_string())
}
