//! The command line: one file per subcommand, each only calling what stands above it.
//!
//! Everything that a person reads while something runs goes to stderr; stdout is the result.

mod allow;
mod check;
mod coverage;
mod diff;
mod doctor;
mod history;
mod list;
mod log;
mod plan;
mod progress;
mod records;
mod report;
mod room;
mod run;
mod schema;
mod selftest;
mod signals;
mod simulate;
mod sweep;
mod verify;

use std::process::ExitCode;

use blackstart_reports::safe;
use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::{
    scenario::{Refusals, refusal::Look},
    secrets,
};

/// Exit status for arguments or scenarios that cannot be used.
const UNUSABLE: u8 = 2;
/// Exit status when something was left behind.
const LEFT_BEHIND: u8 = 5;
/// Exit status when something could not run.
const COULD_NOT_RUN: u8 = 3;

/// Proves by drill that a data system comes back from disaster.
///
/// A scenario declares a system, the load on it, what breaks, how it is recovered and what is demanded. A run brings
/// the system up in containers, breaks it, recovers it, verifies what came back at six levels, and reports the RPO and
/// RTO that it measured, with bounds, against the targets.
#[derive(Debug, Parser)]
#[command(name = "blackstart", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
A first drill:
  blackstart doctor                                     what can this machine do?
  blackstart check scenarios/*/*.yaml                   are the scenarios sound?
  blackstart plan  scenarios/order-management/primary-zone-outage.yaml
  blackstart run   scenarios/order-management/primary-zone-outage.yaml

Exit status: 0 passed, 1 failed, 2 unusable arguments or scenario, 3 could not run, 4 inconclusive,
5 passed but left something behind. Over several runs the worst counts: 3, 4, 1, 5, 0.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Read and validate scenarios; needs no engine
    Check(check::Args),
    /// Print exactly what a run would do
    Plan(plan::Args),
    /// Run drills and report what they measured
    Run(run::Args),
    /// Run thousands of drills on the model, and print how RPO and RTO are distributed; never evidence
    Simulate(simulate::Args),
    /// Render the record of a run that is over
    Report(report::Args),
    /// Check the evidence of a run, and compute its RPO and RTO again from its history
    Verify(verify::Args),
    /// Compare two runs, and say what became worse
    Diff(diff::Args),
    /// List the runs of a folder
    History(history::Args),
    /// List the requirements that the runs of a folder have shown
    Coverage(coverage::Args),
    /// Check what this machine and its engine can do
    Doctor(doctor::Args),
    /// Remove what killed runs left behind, and nothing else
    Sweep(sweep::Args),
    /// Inject every declared defect into a healthy system, and demand that the checks find it
    Selftest(selftest::Args),
    /// List the scenarios of a folder
    List(list::Args),
    /// Print the JSON schema of a scenario or a system
    Schema(schema::Args),
}

/// Reads the arguments, carries out the command, and gives its exit status.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() {
                say(error.to_string().trim_end());
                return ExitCode::from(UNUSABLE);
            }
            // Printing help can only fail when nobody reads it.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
    };
    log::begin();
    room::raise_open_files();
    ExitCode::from(match cli.command {
        Command::Check(args) => check::main(&args),
        Command::Plan(args) => plan::main(&args),
        Command::Run(args) => run::main(&args),
        Command::Simulate(args) => simulate::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Verify(args) => verify::main(&args),
        Command::Diff(args) => diff::main(&args),
        Command::History(args) => history::main(&args),
        Command::Coverage(args) => coverage::main(&args),
        Command::Doctor(args) => doctor::main(&args),
        Command::Sweep(args) => sweep::main(&args),
        Command::Selftest(args) => selftest::main(&args),
        Command::List(args) => list::main(&args),
        Command::Schema(args) => schema::main(&args),
    })
}

/// Prints a result that has no colour, without dying when nobody reads it to the end.
fn print(text: &str) {
    write_out(&safe::page(&secrets::redact(text)));
}

/// Prints a report in which a rendering has set colours.
fn print_styled(text: &str) {
    write_out(&safe::styled(&secrets::redact(text)));
}

/// Prints a result for programs.
fn print_json(result: &(impl Serialize + ?Sized)) {
    let text = serde_json::to_string_pretty(result).unwrap_or_default();
    write_out(&safe::json(&secrets::redact(&text)));
}

fn write_out(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// Tells a person something, without dying when nobody reads it: a drill whose terminal is gone still tears down.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{}", safe::page(&secrets::redact(text)));
}

/// Shows why declarations are refused.
fn say_refused(refusals: &Refusals) {
    use std::io::Write;
    let _ = write!(std::io::stderr().lock(), "{}", safe::styled(&refusals.render(look())));
}

/// So many of something, in the singular where there is one.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Whether colour is welcome on a stream, by the stream and by `NO_COLOR`.
fn wants_color(stream: &impl std::io::IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How refusals are shown on stderr: with colour on a terminal, without any decoration elsewhere.
fn look() -> Look {
    use std::io::IsTerminal;
    match (std::io::stderr().is_terminal(), wants_color(&std::io::stderr())) {
        (true, true) => Look::Colour,
        (true, false) => Look::Unicode,
        (false, _) => Look::Plain,
    }
}

/// A runtime for commands that speak to an engine.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_declared_soundly() {
        super::Cli::command().debug_assert();
    }
}
