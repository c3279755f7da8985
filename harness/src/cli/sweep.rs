//! `blackstart sweep`: removes what killed runs left behind, and nothing else.

use std::{fmt::Write, path::PathBuf};

use serde::Serialize;

use super::{COULD_NOT_RUN, LEFT_BEHIND, count, print, print_json, say};
use crate::{
    topology::{
        ledger, owner,
        sweep::{Cleared, Left, RunState, clear, survey},
    },
    world::{Result, WorldError, WorldErrorKind, docker::sweep::Engine},
};

/// Arguments of `sweep`.
///
/// A run is gone when the process that ran it has ended. That is also so for one that was run with `--keep`: what was
/// kept goes. Runs that live, and runs of which nothing can be told from here, are left alone and said so.
///
/// Exit status: 0 nothing is left of runs that are gone, 3 no engine answers, 5 something is left: it could not be
/// removed, or this was a dry run.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Only these runs; without any, all of them
    #[arg(value_name = "RUN_ID")]
    runs: Vec<String>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// You know that this run's process is gone, where it cannot be told from here: it ran on another machine, in
    /// another container, or before this machine was restarted. Once for each such run
    #[arg(long, value_name = "RUN_ID")]
    owner_gone: Vec<String>,
    /// Print as JSON: a list of runs
    #[arg(long)]
    json: bool,
}

/// Sweeps.
pub fn main(args: &Args) -> u8 {
    let swept = super::runtime().map_err(|error| error.to_string());
    let swept = swept.and_then(|runtime| runtime.block_on(sweep(args)).map_err(|error| error.to_string()));
    match swept {
        Ok(rows) => {
            if args.json {
                print_json(&rows)
            } else {
                print(&tell(&rows, args))
            }
            if rows.iter().any(Row::is_left) { LEFT_BEHIND } else { 0 }
        }
        Err(error) => {
            say(&format!("blackstart: {error}"));
            COULD_NOT_RUN
        }
    }
}

async fn sweep(args: &Args) -> Result<Vec<Row>> {
    let engine = Engine::connect(&owner::this_process()).await?;
    let mut left = survey(&engine, &ledger_folder()?, &args.owner_gone).await?;
    left.retain(|one| args.runs.is_empty() || args.runs.contains(&one.run_id));
    let mut rows: Vec<Row> = left.iter().map(Row::of).collect();
    if args.dry_run {
        return Ok(rows);
    }
    for cleared in clear(&engine, &left).await? {
        if let Some(row) = rows.iter_mut().find(|row| row.run_id == cleared.run_id) {
            row.note(cleared);
        }
    }
    Ok(rows)
}

fn ledger_folder() -> Result<PathBuf> {
    ledger::folder()
        .map_err(|error| WorldError::new(WorldErrorKind::Other, "find the ledgers of runs", error.to_string()))
}

/// What is told of one run.
#[derive(Serialize)]
struct Row {
    run_id: String,
    run_state: RunState,
    /// What was there.
    found: Vec<String>,
    /// What its ledger announces and was not there.
    announced: Vec<String>,
    /// Whether it has a ledger.
    ledger: bool,
    removed: Vec<String>,
    failed: Vec<Failed>,
    /// Whether its ledger was removed.
    ledger_removed: bool,
}

/// What could not be removed.
#[derive(Serialize)]
struct Failed {
    what: String,
    why: String,
}

impl Row {
    fn of(left: &Left) -> Self {
        let open = left.ledger.iter().flat_map(|ledger| &ledger.open);
        let is_there = |name: &&String| left.found.iter().any(|one| one.resource == **name);
        Self {
            run_id: left.run_id.clone(),
            run_state: left.run_state,
            found: left.found.iter().map(ToString::to_string).collect(),
            announced: open.filter(|name| !is_there(name)).cloned().collect(),
            ledger: left.ledger.is_some(),
            removed: Vec::new(),
            failed: Vec::new(),
            ledger_removed: false,
        }
    }

    fn note(&mut self, cleared: Cleared) {
        self.announced = cleared.never_came;
        self.removed = cleared.removed;
        self.failed = cleared.failed.into_iter().map(|(what, why)| Failed { what, why }).collect();
        self.ledger_removed = cleared.ledger_removed;
    }

    /// Whether something is left of a run that is gone.
    fn is_left(&self) -> bool {
        let has_removed_all = self.failed.is_empty() && self.removed.len() >= self.found.len();
        self.run_state == RunState::Gone && !(has_removed_all && (self.ledger_removed || !self.ledger))
    }

    fn tell(&self, is_dry: bool) -> String {
        let (run_id, things) = (&self.run_id, count(self.found.len(), "thing"));
        match self.run_state {
            RunState::Alive => format!("run {run_id}: it lives; its {things} stay\n"),
            RunState::Elsewhere => format!(
                "run {run_id}: whether it lives cannot be told from here; its {things} stay\n  it was begun on another \
                 machine, in another container, or before a restart of this one; if you know that it is\n  over: \
                 blackstart sweep --owner-gone {run_id}\n"
            ),
            RunState::OtherEngine => {
                format!("run {run_id}: it made its things on another engine; sweep there, with DOCKER_HOST\n")
            }
            RunState::Gone if is_dry => self.tell_dry(),
            RunState::Gone => self.tell_cleared(),
        }
    }

    fn tell_dry(&self) -> String {
        let mut text = format!("run {}: its process is gone\n", self.run_id);
        lines(&mut text, "would remove", &self.found);
        let announced: Vec<String> =
            self.announced.iter().map(|name| format!("{name}, should it still come")).collect();
        lines(&mut text, "would remove", &announced);
        if self.ledger {
            text += "  would remove its ledger\n";
        }
        text
    }

    fn tell_cleared(&self) -> String {
        let mut text = format!("run {}: its process is gone\n", self.run_id);
        lines(&mut text, "removed", &self.removed);
        for Failed { what, why } in &self.failed {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  NOT removed: {what}: {why}");
        }
        if self.ledger_removed {
            text += "  removed its ledger\n";
        }
        text
    }
}

fn lines(text: &mut String, did: &str, what: &[String]) {
    for one in what {
        let _ = writeln!(text, "  {did} {one}");
    }
}

fn tell(rows: &[Row], args: &Args) -> String {
    let mut text: String = rows.iter().map(|row| row.tell(args.dry_run)).collect();
    let is_about = |run: &&String| !rows.iter().any(|row| row.run_id == **run);
    for run in args.runs.iter().chain(&args.owner_gone).filter(is_about) {
        let _ = writeln!(text, "run {run}: nothing is left of it here");
    }
    let left = rows.iter().filter(|row| row.is_left()).count();
    text += &match (left, args.dry_run) {
        (0, _) => "nothing is left of runs that are gone\n".to_owned(),
        (_, true) => format!("{} that would be swept\n", count(left, "run")),
        (_, false) => format!("something is left of {}\n", count(left, "run")),
    };
    text
}
