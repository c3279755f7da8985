//! `blackstart selftest`: puts every declared defect into a healthy system, and demands that its checks find it.

use std::{path::PathBuf, sync::Arc};

use blackstart_reports::{
    render::{Style, selftest as render},
    selftest::Selftest,
};
use tokio_util::sync::CancellationToken;

use super::{
    COULD_NOT_RUN, UNUSABLE,
    allow::Allow,
    print, print_json, print_styled,
    progress::Progress,
    room::Needs,
    run::{self, WorldName},
    say, say_refused,
    signals::Signals,
    wants_color,
};
use crate::{
    clock::Clock,
    drill::{Listener, Setting},
    files::Reach,
    scenario::{self, System, selftest::Defect},
    selftest::{self, Agenda},
};

/// Arguments of `selftest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file of the system whose checks are tested
    #[arg(default_value = "fixtures/systems/order-management.yaml")]
    system: PathBuf,
    #[command(flatten)]
    allow: Allow,
    /// Only these defects, by their identifiers, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "ID")]
    only: Vec<String>,
    /// List the defects that are declared, and run nothing; needs no engine
    #[arg(long)]
    list: bool,
    /// Where the evidence goes: a folder per run
    #[arg(long, default_value = "runs")]
    out: PathBuf,
    /// Real containers; the simulated world is refused, as checks see nothing of a model but what it says of itself
    #[arg(long, value_enum, default_value_t = WorldName::Docker)]
    world: WorldName,
    /// Print the record, or the list, as JSON
    #[arg(long)]
    json: bool,
    /// Print no progress
    #[arg(long)]
    quiet: bool,
}

/// Runs the self-test, or lists its defects.
pub fn main(args: &Args) -> u8 {
    let (system, reach) = match scenario::read_system_allowing(&args.system, &args.allow.folders) {
        Ok((system, reach, warnings)) => {
            warnings.iter().for_each(|warning| say(&warning.to_string()));
            (system, reach)
        }
        Err(refusals) => {
            say_refused(&refusals);
            return UNUSABLE;
        }
    };
    let defects = match chosen(&system, &args.only) {
        Ok(defects) => defects,
        Err(why) => {
            say(&format!("blackstart: {}: {why}", args.system.display()));
            return UNUSABLE;
        }
    };
    if args.list {
        list(&defects, args.json);
        return 0;
    }
    if args.world == WorldName::Simulated {
        say(
            "blackstart: a self-test needs real containers: a model says of itself what the checks would have to find out",
        );
        return UNUSABLE;
    }
    match run(args, system, reach, defects) {
        Ok(record) => {
            tell(args, &record);
            record.exit_status()
        }
        Err(error) => {
            say(&format!("blackstart: {error}"));
            COULD_NOT_RUN
        }
    }
}

/// The defects that are asked for, in the order in which they are declared.
fn chosen(system: &System, only: &[String]) -> Result<Vec<Defect>, String> {
    let known = || system.defects.iter().map(|defect| defect.id.as_str());
    if system.defects.is_empty() {
        return Err("the system declares no defects; add `defects` and `selftest`".to_owned());
    }
    if let Some(unknown) = only.iter().find(|id| !known().any(|known| known == id.as_str())) {
        return Err(format!(
            "`{unknown}` is not a defect of this system; known are {}",
            known().collect::<Vec<_>>().join(", ")
        ));
    }
    let is_wanted = |defect: &&Defect| only.is_empty() || only.contains(&defect.id);
    Ok(system.defects.iter().filter(is_wanted).cloned().collect())
}

fn list(defects: &[Defect], as_json: bool) {
    if as_json {
        print_json(defects);
        return;
    }
    let width = defects.iter().map(|defect| defect.id.len()).max().unwrap_or_default();
    let families = defects.iter().map(|defect| defect.family.len()).max().unwrap_or_default();
    let lines = defects.iter().map(|defect| {
        let by = match &defect.cannot_be_caught {
            Some(why) => format!("cannot be caught: {why}"),
            None => format!("must be caught by {}", defect.must_be_caught_by.join(", ")),
        };
        let (id, family) = (&defect.id, &defect.family);
        format!("{id:width$}  {family:families$}  {}\n{:width$}  {:families$}  {by}\n", defect.about, "", "")
    });
    print(&lines.collect::<String>());
}

fn run(args: &Args, system: System, reach: Reach, defects: Vec<Defect>) -> anyhow::Result<Selftest> {
    let agenda = Agenda::of(system, args.system.clone(), reach, defects)?
        .ok_or_else(|| anyhow::anyhow!("{}: the system declares no `selftest`", args.system.display()))?;
    let progress = Progress::new(args.quiet);
    let listener = progress.listener("");
    let cancel = CancellationToken::new();
    super::runtime()?.block_on(async {
        let signals = Signals::listen()?;
        tokio::spawn(run::heed_signals(signals, cancel.clone(), progress.clone()));
        on_engine(args, agenda, cancel, listener).await
    })
}

async fn on_engine(
    args: &Args,
    agenda: Agenda,
    cancel: CancellationToken,
    listener: Listener,
) -> anyhow::Result<Selftest> {
    let run_id = run::new_run_id();
    let (world, ledger) = run::connect(&run_id, &Needs::of(agenda.plan())).await?;
    let setting = Setting {
        started_at: jiff::Timestamp::now().to_string(),
        folder: Some(args.out.join(&run_id)),
        run_id,
        ledger,
        cancel,
        listener,
        ..Setting::keeping_nothing(Clock::start())
    };
    Ok(selftest::run(agenda, Arc::new(world), setting).await)
}

fn tell(args: &Args, record: &Selftest) {
    if args.json {
        print_json(record);
    } else {
        let style = Style { color: wants_color(&std::io::stdout()), ..Style::default() };
        print_styled(&render::render(record, &style));
    }
    let folder = args.out.join(&record.run_id);
    if folder.is_dir() {
        say(&format!("evidence: {}", folder.display()));
    }
    if !record.leftovers.is_empty() {
        say(&format!("something was left behind: `blackstart sweep {}` removes it", record.run_id));
    }
}
