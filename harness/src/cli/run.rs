//! `blackstart run`: drills, one or many, side by side or one after the other.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use blackstart_reports::{
    record::Record,
    render::{Style, json, render_summary, repeat, terminal},
    verdict::worst_exit_status,
};
use clap::ValueEnum;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    COULD_NOT_RUN, UNUSABLE,
    allow::Allow,
    print, print_styled,
    progress::Progress,
    room::{Needs, Newcomer},
    say, say_refused,
    signals::Signals,
    wants_color,
};
use crate::{
    clock::Clock,
    drill::{self, Setting},
    plan::{self, Plan},
    scenario::{self, Declared, Refusals},
    state,
    topology::{
        ledger::{self, Ledger},
        owner,
    },
    world::{
        World,
        docker::{DockerWorld, RunIdentity},
        simulated::SimulatedWorld,
    },
};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    allow: Allow,
    /// The seed of every random draw: victims, times, the order of requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run each drill so many times, and report minimum, median, maximum and a confidence interval
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// How many drills run side by side; on a small machine they disturb each other's measurements
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    jobs: u16,
    /// Where the evidence goes: a folder per run
    #[arg(long, default_value = "runs")]
    out: PathBuf,
    /// Leave the system running at the end, for a look. Once this program has ended, the next `blackstart sweep` removes
    /// it
    #[arg(long)]
    keep: bool,
    /// Real containers, or a seeded model under a virtual clock, which is never evidence
    #[arg(long, value_enum, default_value_t = WorldName::Docker)]
    world: WorldName,
    /// Measure the outage a second time in the same run, by an independent prober that sends every 10 ms
    #[arg(long)]
    tight_loop: bool,
    /// Print the record as JSON; of several runs, a list of records
    #[arg(long)]
    json: bool,
    /// Print no progress
    #[arg(long)]
    quiet: bool,
}

/// Which world to run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WorldName {
    /// Real containers
    Docker,
    /// A seeded model under a virtual clock
    Simulated,
}

/// One drill that is to run.
#[derive(Clone)]
struct Job {
    plan: Plan,
    run_id: String,
    name: String,
}

impl Job {
    fn scenario(&self) -> &str {
        &self.plan.declared.scenario.scenario
    }
}

/// Runs every drill and reports.
pub fn main(args: &Args) -> u8 {
    let declared = match read_all(&args.files, &args.allow.folders) {
        Ok(declared) => declared,
        Err(refusals) => {
            say_refused(&refusals);
            return UNUSABLE;
        }
    };
    let progress = Progress::new(args.quiet);
    let jobs = match jobs(args, declared) {
        Ok(jobs) => jobs,
        Err(error) => {
            say(&format!("blackstart: {error}"));
            return UNUSABLE;
        }
    };
    let ended = match run_all(args, &jobs, &progress) {
        Ok(ended) => ended,
        Err(error) => {
            say(&format!("blackstart: {error}"));
            return COULD_NOT_RUN;
        }
    };
    tell(args, &ended.records);
    for error in &ended.errors {
        say(&format!("blackstart: {error}"));
    }
    let of_errors = ended.errors.iter().map(|_| COULD_NOT_RUN);
    worst_exit_status(ended.records.iter().map(Record::exit_status).chain(of_errors))
}

fn read_all(files: &[PathBuf], folders: &[PathBuf]) -> Result<Vec<Declared>, Refusals> {
    let mut declared = Vec::new();
    let mut refused = Vec::new();
    for file in files {
        match scenario::read_allowing(file, folders) {
            Ok(one) => declared.push(one),
            Err(refusals) => refused.extend(refusals.0),
        }
    }
    if refused.is_empty() { Ok(declared) } else { Err(Refusals(refused)) }
}

fn jobs(args: &Args, declared: Vec<Declared>) -> Result<VecDeque<Job>, plan::Unplannable> {
    let many = declared.len() > 1 || args.repeat > 1;
    let mut jobs = VecDeque::new();
    for one in declared {
        let plan = plan::build(one, args.seed)?;
        for turn in 1..=args.repeat {
            let scenario = plan.declared.scenario.scenario.clone();
            let name = match (many, args.repeat) {
                (false, _) => String::new(),
                (true, 1) => scenario,
                (true, turns) => format!("{scenario} {turn}/{turns}"),
            };
            jobs.push_back(Job { plan: plan.clone(), run_id: new_run_id(), name });
        }
    }
    Ok(jobs)
}

/// Sorted by time, short enough for the name of a container, and not met twice.
pub(super) fn new_run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%y%m%d-%H%M%S").to_string();
    format!("{now}-{:04x}", rand::random::<u16>())
}

/// What became of all runs: records of those that ran, and what kept the others from it.
struct Ended {
    records: Vec<Record>,
    errors: Vec<String>,
}

fn run_all(args: &Args, jobs: &VecDeque<Job>, progress: &Progress) -> std::io::Result<Ended> {
    let runtime = super::runtime()?;
    let cancel = CancellationToken::new();
    runtime.block_on(async {
        let signals = Signals::listen()?;
        tokio::spawn(heed_signals(signals, cancel.clone(), progress.clone()));
        let mut waiting: VecDeque<(usize, Job)> = jobs.iter().cloned().enumerate().collect();
        let mut running = JoinSet::new();
        let mut records: Vec<Option<Record>> = vec![None; jobs.len()];
        let mut errors = Vec::new();
        loop {
            while running.len() < usize::from(args.jobs) && !cancel.is_cancelled() {
                let Some((index, job)) = waiting.pop_front() else { break };
                let (start, cancel) = (Start::of(args), cancel.clone());
                let listener = progress.listener(&job.name);
                running.spawn(async move { (index, run_one(start, job, cancel, listener).await) });
            }
            // An error of one run is no reason to leave the others where they stand.
            match running.join_next().await {
                None => break,
                Some(Ok((index, Ok(record)))) => {
                    if jobs.len() > 1 {
                        progress.say(&format!("{}  {}: {:?}", record.run_id, record.scenario.id, record.verdict));
                    }
                    records[index] = Some(record);
                }
                Some(Ok((index, Err(error)))) => errors.push(format!("{}: {error}", jobs[index].scenario())),
                Some(Err(panic)) => errors.push(panic.to_string()),
            }
        }
        errors.extend(waiting.iter().map(|(_, job)| format!("{}: it was not begun", job.scenario())));
        Ok(Ended { records: records.into_iter().flatten().collect(), errors })
    })
}

/// What a run takes from the arguments.
#[derive(Clone)]
struct Start {
    out: PathBuf,
    keep: bool,
    tight_loop: bool,
    world: WorldName,
}

impl Start {
    fn of(args: &Args) -> Self {
        Self { out: args.out.clone(), keep: args.keep, tight_loop: args.tight_loop, world: args.world }
    }
}

async fn run_one(
    start: Start,
    job: Job,
    cancel: CancellationToken,
    listener: drill::Listener,
) -> anyhow::Result<Record> {
    match start.world {
        WorldName::Docker => run_on_engine(&start, job, cancel, listener).await,
        WorldName::Simulated => tokio::task::spawn_blocking(move || simulate(&start, job, cancel, listener)).await?,
    }
}

async fn run_on_engine(
    start: &Start,
    job: Job,
    cancel: CancellationToken,
    listener: drill::Listener,
) -> anyhow::Result<Record> {
    let (world, ledger) = connect(&job.run_id, &Needs::of(&job.plan)).await?;
    let world = Arc::new(world);
    let setting = setting(start, &job, Clock::start(), ledger, cancel, listener);
    let record = drill::run(job.plan, Arc::clone(&world) as Arc<dyn World>, setting).await;
    if start.keep
        && let Err(error) = world.keep().await
    {
        say(&format!("what is kept may have a way out once its containers are started by hand: {error}"));
    }
    Ok(record)
}

/// The engine as a run sees it, with the ledger of what the run is about to make there. A run for which there is too little room
/// is refused.
pub(super) async fn connect(run_id: &str, needs: &Needs) -> anyhow::Result<(DockerWorld, Ledger)> {
    let owner = owner::this_process();
    let world = DockerWorld::connect(RunIdentity::new(run_id, &owner)).await?;
    let (engine, machine) = (world.engine().await?, world.capacity().await?);
    let newcomer = Newcomer { run_id, owner: &owner, engine: &engine, machine, needs };
    let ledger = newcomer.enter(&ledger::folder()?, &state::folder("locks")?)?;
    Ok((world, ledger))
}

/// A runtime of its own, whose clock jumps from one timer to the next.
fn simulate(start: &Start, job: Job, cancel: CancellationToken, listener: drill::Listener) -> anyhow::Result<Record> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(async {
        let clock = Clock::start();
        let world: Arc<dyn World> = Arc::new(SimulatedWorld::new(&job.plan, job.plan.seed, clock));
        let setting = setting(start, &job, clock, Ledger::none(), cancel, listener);
        drill::run(job.plan, world, setting).await
    }))
}

fn setting(
    start: &Start,
    job: &Job,
    clock: Clock,
    ledger: Ledger,
    cancel: CancellationToken,
    listener: drill::Listener,
) -> Setting {
    Setting {
        run_id: job.run_id.clone(),
        started_at: jiff::Timestamp::now().to_string(),
        clock,
        folder: Some(start.out.join(&job.run_id)),
        ledger,
        keep: start.keep,
        tight_loop: start.tight_loop,
        cancel,
        listener,
    }
}

/// The first signal ends the drills, which then remove what they made; the third ends the program.
pub(super) async fn heed_signals(mut signals: Signals, cancel: CancellationToken, progress: Progress) {
    let mut heard = 0;
    loop {
        signals.next().await;
        heard += 1;
        cancel.cancel();
        match heard {
            1 => progress.say("told to end: removing what was made; this takes a few seconds"),
            2 => progress.say("still removing; once more ends at once and leaves the rest to `blackstart sweep`"),
            _ => std::process::exit(i32::from(COULD_NOT_RUN)),
        }
    }
}

fn tell(args: &Args, records: &[Record]) {
    if args.json {
        let each: Vec<String> = records.iter().map(json::render).collect();
        print(&if let [one] = &each[..] { one.clone() } else { format!("[{}]", each.join(",\n")) });
        return;
    }
    let style = Style { color: wants_color(&std::io::stdout()), ..Style::default() };
    match records {
        [] => {}
        [record] => print_styled(&terminal::render(record, &style)),
        _ => {
            // Of several runs, those that did not pass are told at length, and all of them in a table.
            for record in records.iter().filter(|record| record.exit_status() != 0) {
                print_styled(&terminal::render(record, &style));
            }
            print(&render_summary(records));
        }
    }
    if args.repeat > 1 {
        for runs in records.chunk_by(|one, next| one.scenario.id == next.scenario.id) {
            print_styled(&repeat::render(&repeat::repeat(runs), &style));
        }
    }
    for record in records.iter().filter(|record| evidence(&args.out, record).is_dir()) {
        say(&format!("evidence: {}", evidence(&args.out, record).display()));
    }
    let left = records.iter().filter(|record| !record.leftovers.is_empty()).map(|record| record.run_id.as_str());
    let left: Vec<&str> = left.collect();
    if !left.is_empty() {
        say(&format!("something was left behind: `blackstart sweep {}` removes it", left.join(" ")));
    }
    if args.keep && args.world == WorldName::Docker && !records.is_empty() {
        let runs: Vec<&str> = records.iter().map(|record| record.run_id.as_str()).collect();
        say(&format!(
            "kept: what is left of the system runs on, with no port published; `docker exec -it bs-{}-NODE sh` leads into a node, \
             and `blackstart sweep {}` removes it all",
            runs[0],
            runs.join(" ")
        ));
    }
}

fn evidence(out: &Path, record: &Record) -> PathBuf {
    out.join(&record.run_id)
}
