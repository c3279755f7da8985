//! `blackstart-audit`: checks the evidence of a run as `blackstart verify` does, in a program small enough to be read.

use std::{env, path::PathBuf, process::ExitCode};

use blackstart_evidence::audit::{self, Audit};
use blackstart_reports::safe;

const USAGE: &str = "\
blackstart-audit [--json] RUN_DIR

Checks the evidence of a run, and computes its figures again from its history.

Exit status: 0 all of it holds, 1 something does not, 2 unusable arguments or no folder of a run.";

fn main() -> ExitCode {
    let mut is_json = false;
    let mut folders: Vec<PathBuf> = Vec::new();
    for word in env::args_os().skip(1) {
        match word.to_str() {
            Some("--json") => is_json = true,
            Some("-h" | "--help") => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            Some(flag) if flag.starts_with('-') => return unusable(&format!("unknown option {flag}")),
            _ => folders.push(word.into()),
        }
    }
    let [folder] = &folders[..] else { return unusable("name one folder of a run, such as runs/<run-id>") };
    match audit::audit(folder) {
        Ok(audit) => told(&audit, is_json),
        Err(error) => unusable(&format!("{}: {error}", folder.display())),
    }
}

fn told(audit: &Audit, is_json: bool) -> ExitCode {
    if is_json {
        println!("{}", safe::json(&serde_json::to_string_pretty(audit).unwrap_or_default()));
    } else {
        print!("{}", safe::page(&audit.to_string()));
    }
    ExitCode::from(audit.exit_status())
}

fn unusable(why: &str) -> ExitCode {
    eprintln!("{}\n\n{USAGE}", safe::page(why));
    ExitCode::from(2)
}
