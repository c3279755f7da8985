//! `blackstart doctor`: what this machine and its engine can do, what needs it, and what mends what is missing.

use std::{fmt::Write, path::Path, process::Command};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{
    COULD_NOT_RUN, print, print_json,
    room::{Needs, Room, What},
    say,
    signals::Signals,
};
use crate::{
    topology::{
        ledger, owner,
        sweep::{Left, RunState, clear, survey},
    },
    world::{
        Remains, WorldError,
        docker::{
            DockerWorld, RunIdentity,
            doctor::{BASE_IMAGE, ProbeResult, examine},
            find_program,
            sweep::Engine,
        },
    },
};

/// Less free room than this for evidence is too little.
const FREE_KB: u64 = 200 * 1024;

/// Arguments of `doctor`.
///
/// Each probe makes something small on the engine, tries it, and removes it.
///
/// Exit status: 0 what every drill on containers needs is there, 3 something of it is missing.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Print as JSON: a list of results
    #[arg(long)]
    json: bool,
}

/// Examines the machine and tells.
pub fn main(args: &Args) -> u8 {
    let rows = match super::runtime().and_then(|runtime| runtime.block_on(look())) {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            say("told to end: what the probes made is removed");
            return COULD_NOT_RUN;
        }
        Err(error) => {
            say(&format!("blackstart: {error}"));
            return COULD_NOT_RUN;
        }
    };
    if args.json {
        print_json(&rows)
    } else {
        print(&tell(&rows))
    }
    if rows.iter().any(|row| row.is_vital && !row.ok) { COULD_NOT_RUN } else { 0 }
}

/// One line of what is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    name: String,
    ok: bool,
    detail: String,
    needed_for: String,
    /// What a person can do where it is missing.
    mend: String,
    /// Whether every drill on containers needs it.
    is_vital: bool,
}

impl From<ProbeResult> for Row {
    fn from(found: ProbeResult) -> Self {
        Self {
            name: found.name.to_owned(),
            ok: found.ok,
            detail: found.detail,
            needed_for: found.needed_for.to_owned(),
            mend: found.mend.to_owned(),
            is_vital: found.is_vital,
        }
    }
}

/// Everything; none where a signal ended it.
async fn look() -> std::io::Result<Option<Vec<Row>>> {
    let mut signals = Signals::listen()?;
    say("trying what this machine and its engine can do; the first time, an image is built for it");
    let owner = owner::this_process();
    let found = tokio::select! {
        found = examine(&owner) => found,
        () = signals.next() => {
            if let Err(error) = remove_own(&owner).await {
                say(&format!("blackstart: {error}; `blackstart sweep` removes what the probes made"));
            }
            return Ok(None);
        }
    };
    let lacks_base = found.iter().any(|result| result.name == "base image" && !result.ok);
    let mut rows: Vec<Row> = found.into_iter().map(Row::from).collect();
    rows.extend(lacks_base.then(bootstrap));
    rows.extend(room_rows(&owner).await);
    rows.push(program());
    rows.push(free_disk(Path::new(".")));
    rows.extend(stale_runs().await);
    Ok(Some(rows))
}

/// Removes what this process itself made.
async fn remove_own(owner: &str) -> Result<(), WorldError> {
    let engine = Engine::connect(owner).await?;
    let mut found = engine.list().await?;
    found.retain(|one| one.owner == owner);
    let run_state = RunState::Gone;
    let left =
        found.into_iter().map(|one| Left { run_id: one.run_id.clone(), run_state, found: vec![one], ledger: None });
    clear(&engine, &left.collect::<Vec<_>>()).await.map(drop)
}

/// Whether there is room for one more drill, as a run asks it; nothing where no engine can be asked: that is told already.
async fn room_rows(owner: &str) -> Vec<Row> {
    let asked = async {
        let world = DockerWorld::connect(RunIdentity::new("look", owner)).await?;
        let (engine, machine) = (world.engine().await?, world.capacity().await?);
        Ok::<_, WorldError>(Room::now(&engine, machine))
    };
    let Ok(room) = asked.await else { return Vec::new() };
    let lacks = room.lacks(&Needs::LEAST);
    let row = |(what, there): (What, Option<u64>)| {
        let lack = lacks.iter().find(|lack| lack.what == what);
        let there = there.map_or_else(|| "it cannot be told from here".to_owned(), |there| what.amount(there));
        Row {
            name: what.name().to_owned(),
            ok: lack.is_none(),
            detail: lack.map_or(there, ToString::to_string),
            needed_for: "a drill; a large one needs more, and says so before it begins".to_owned(),
            mend: lack.map_or("", |lack| lack.mend).to_owned(),
            is_vital: false,
        }
    };
    room.amounts().into_iter().map(row).collect()
}

fn bootstrap() -> Row {
    let found = Command::new("mmdebstrap").arg("--version").output().ok().filter(|output| output.status.success());
    Row {
        name: "mmdebstrap".to_owned(),
        ok: found.is_some(),
        detail: found.map_or_else(|| "it is not here".to_owned(), |out| first_line(&out.stdout)),
        needed_for: format!("making {BASE_IMAGE} where no registry answers"),
        mend: "`ci/setup` installs it on Debian (apt-get install mmdebstrap)".to_owned(),
        is_vital: false,
    }
}

fn program() -> Row {
    let found = find_program("orderflow");
    Row {
        name: "orderflow".to_owned(),
        ok: found.is_ok(),
        detail: found.map_or_else(|error| error.happened, |path| path.display().to_string()),
        needed_for: "drills of order-management".to_owned(),
        mend: "`cargo build --release --workspace` puts it beside this program".to_owned(),
        is_vital: false,
    }
}

fn free_disk(folder: &Path) -> Row {
    let free_kb = Command::new("df").arg("-Pk").arg(folder).output().ok().and_then(|output| read_free(&output.stdout));
    Row {
        name: "disk here".to_owned(),
        ok: free_kb.is_some_and(|free| free >= FREE_KB),
        detail: free_kb.map_or_else(|| "`df` does not tell".to_owned(), |free| format!("{} MB free", free / 1024)),
        needed_for: "evidence, as far as `--out` lies here".to_owned(),
        mend: "free some, or let `--out` lead elsewhere".to_owned(),
        is_vital: false,
    }
}

/// The fourth field of the second line of `df -Pk`.
fn read_free(output: &[u8]) -> Option<u64> {
    String::from_utf8_lossy(output).lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn first_line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).lines().next().unwrap_or_default().to_owned()
}

/// None where no engine can be asked: that is told already.
async fn stale_runs() -> Option<Row> {
    let engine = Engine::connect(&owner::this_process()).await.ok()?;
    let left = survey(&engine, &ledger::folder().ok()?, &[]).await.ok()?;
    let count = |run_state: RunState| left.iter().filter(|one| one.run_state == run_state).count();
    let (gone, elsewhere, alive) = (count(RunState::Gone), count(RunState::Elsewhere), count(RunState::Alive));
    Some(Row {
        name: "stale runs".to_owned(),
        ok: gone == 0,
        detail: format!("{gone} to be swept, {alive} alive, {elsewhere} of which nothing can be told from here"),
        needed_for: "room, ports and subnets".to_owned(),
        mend: "`blackstart sweep`".to_owned(),
        is_vital: false,
    })
}

fn tell(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(100);
    table.set_header(["", "what", "detail", "needed for"]);
    for row in rows {
        let mark = if row.ok { "ok" } else { "missing" };
        table.add_row([mark, &row.name, &row.detail, &row.needed_for]);
    }
    let mut text: String = table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let missing: Vec<&Row> = rows.iter().filter(|row| !row.ok).collect();
    if !missing.is_empty() {
        text += "\nTo mend what is missing:\n";
    }
    for row in &missing {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {}", row.name, row.mend);
    }
    text += if missing.iter().any(|row| row.is_vital) {
        "\nno drill can run on containers here; `blackstart run --world simulated` needs none of this\n"
    } else if missing.is_empty() {
        "\neverything is there\n"
    } else {
        "\nwhat every drill needs is there; one that needs what is missing ends as could not run\n"
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_df_says_is_read() {
        let said = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 40 60 40% /\n";
        assert_eq!(read_free(said), Some(60));
        assert_eq!(read_free(b""), None);
    }

    #[test]
    fn what_is_missing_comes_with_its_mend() {
        let row = |ok, is_vital| Row {
            name: "netem".into(),
            ok,
            detail: "seen".into(),
            needed_for: "latency".into(),
            mend: "another kernel".into(),
            is_vital,
        };
        assert!(tell(&[row(true, true)]).ends_with("everything is there\n"));
        let some = tell(&[row(true, true), row(false, false)]);
        assert!(some.contains("netem: another kernel") && some.contains("what every drill needs is there"), "{some}");
        assert!(tell(&[row(false, true)]).contains("no drill can run"));
    }
}
