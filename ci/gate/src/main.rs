//! The command behind `ci/test`: what it runs, and how it evaluates what came of it.
//!
//! Without arguments it is the *gate*: format, lint, every test but those that `.config/nextest.toml` takes to `--all`, every
//! scenario checked, and the drills of `chosen.rs` on real containers. The program only decides and glues: what is tested
//! stands in the tests and in the scenarios. This file alone prints, and leaves a line for whoever asks later.

mod children;
mod chosen;
mod evaluate;
mod log;
mod report;
mod scenario;
mod scope;
mod stages;
mod summary;
mod tasks;

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    children::Children,
    log::Tested,
    report::Outcome,
    scope::{Asked, HELP, Scope, asked},
    stages::{Run, top},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match asked(&arguments) {
        Asked::Help => {
            say(HELP.trim_end());
            ExitCode::SUCCESS
        }
        Asked::Unusable => {
            say(HELP.trim_end());
            ExitCode::from(2)
        }
        Asked::Run(Scope::System(name)) if !is_system(&name) => {
            say(&format!("ci/test: there is no system `{name}`: no file fixtures/systems/{name}.yaml"));
            ExitCode::from(2)
        }
        Asked::Run(scope) => ExitCode::from(run(scope)),
    }
}

/// Prints a line, without dying when nobody reads it.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn is_system(name: &str) -> bool {
    !name.contains('/') && top().join("fixtures/systems").join(name).with_extension("yaml").is_file()
}

/// Runs it, prints what came of it, and gives the exit status. The last line is the one that others read, whatever happened.
fn run(scope: Scope) -> u8 {
    let (begun, tested) = (begun(), Tested::now(&top()));
    let children = Arc::<Children>::default();
    let has_engine = scope != Scope::WithoutDrills && env::var_os("GATE_NO_ENGINE").is_none();
    let mut run = Run::new(scope, has_engine, &children, &say);
    run.report.stage("set-up", begun.elapsed().unwrap_or_default());
    if let Err(error) = children::heed_signals(&children).and_then(|()| run.all()) {
        say(&format!("ci/test: could not go on: {error}"));
        run.report.row(Duration::ZERO, Outcome::DidNotRun, format!("the rest: {error}"));
    }
    let (report, took) = (run.report, begun.elapsed().unwrap_or_default());
    leave_a_line(&Tested::between(tested, &Tested::now(&top())).line(took, report.is_passed_as_asked(), &run.scope));
    say(report.text(took).trim_end_matches('\n'));
    report.exit_status()
}

/// When `ci/test` began, before this program was there.
fn begun() -> SystemTime {
    let seconds = env::var("GATE_BEGUN").ok().and_then(|text| text.parse::<f64>().ok());
    let begun = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    begun.map_or_else(SystemTime::now, |since| SystemTime::UNIX_EPOCH + since)
}

fn leave_a_line(line: &str) {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from);
    let Some(file) = log::file(folder("XDG_STATE_HOME").as_deref(), folder("HOME").as_deref()) else {
        return say("ci/test: neither XDG_STATE_HOME nor HOME is set, so this run is not written down");
    };
    if let Err(error) = log::append(&file, line) {
        say(&format!("ci/test: {}: this run could not be written down: {error}", Path::display(&file)));
    }
}
