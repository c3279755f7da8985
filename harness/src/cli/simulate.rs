//! `blackstart simulate`: thousands of drills on the model, and how RPO and RTO are distributed over them.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use blackstart_reports::{
    render::{
        Style,
        distribution::{self, Pace, Sample},
    },
    safe,
    verdict::worst_exit_status,
};

use super::{COULD_NOT_RUN, UNUSABLE, allow::Allow, print, print_styled, say, say_refused, wants_color};
use crate::{
    clock::Clock,
    drill::{self, Setting},
    plan,
    scenario::{self, Declared},
    world::simulated::{ASSUMPTIONS, SimulatedWorld},
};

/// Arguments of `simulate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scenario file
    file: PathBuf,
    #[command(flatten)]
    allow: Allow,
    /// How many drills
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    runs: u64,
    /// The seed of the first; the next ones follow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the distribution as JSON
    #[arg(long)]
    json: bool,
}

/// What came of one drill.
struct Run {
    sample: Sample,
    exit_status: u8,
    simulated_seconds: f64,
    not_modelled: Vec<String>,
}

/// Simulates and tells.
pub fn main(args: &Args) -> u8 {
    let declared = match scenario::read_allowing(&args.file, &args.allow.folders) {
        Ok(declared) => Arc::new(declared),
        Err(refusals) => {
            say_refused(&refusals);
            return UNUSABLE;
        }
    };
    let started = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(args.runs as usize);
    let runs = match run_all(&declared, args, cores) {
        Ok(runs) => runs,
        Err(error) => {
            say(&format!("blackstart: {error}"));
            return COULD_NOT_RUN;
        }
    };
    let pace = Pace {
        simulated_seconds: runs.iter().map(|run| run.simulated_seconds).sum(),
        wall_seconds: started.elapsed().as_secs_f64(),
        cores,
    };
    tell(args, &declared, &runs, pace);
    worst_exit_status(runs.iter().map(|run| run.exit_status))
}

/// Every seed once, on every core, in the order of seeds.
fn run_all(declared: &Arc<Declared>, args: &Args, cores: usize) -> std::io::Result<Vec<Run>> {
    let (next, runs) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= args.runs {
                return Ok(());
            }
            let run = run_one(declared, args.seed.wrapping_add(index))?;
            runs.lock().unwrap_or_else(PoisonError::into_inner).push((index, run));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(std::io::Error::other("a simulated drill broke an assumption of ours")))
        })
    })?;
    let mut runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.sort_unstable_by_key(|(index, _)| *index);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// One drill on a runtime of its own, whose clock jumps from one timer to the next. Nothing is kept on disk.
fn run_one(declared: &Arc<Declared>, seed: u64) -> std::io::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let plan = plan::build(Arc::clone(declared), seed).map_err(std::io::Error::other)?;
    Ok(runtime.block_on(async {
        let clock = Clock::start();
        let world = Arc::new(SimulatedWorld::new(&plan, seed, clock));
        let record = drill::run(plan, world.clone(), Setting::keeping_nothing(clock)).await;
        Run {
            sample: Sample::of(&record),
            exit_status: record.exit_status(),
            simulated_seconds: clock.now_us() as f64 / 1e6,
            not_modelled: world.not_modelled(),
        }
    }))
}

fn tell(args: &Args, declared: &Declared, runs: &[Run], pace: Pace) {
    let samples: Vec<Sample> = runs.iter().map(|run| run.sample.clone()).collect();
    let not_modelled: BTreeSet<String> = runs.iter().flat_map(|run| run.not_modelled.clone()).collect();
    let told = distribution::distribution(
        &declared.scenario.scenario,
        &args.file.display().to_string(),
        &samples,
        pace,
        ASSUMPTIONS,
        not_modelled.into_iter().collect(),
    );
    if args.json {
        print(&safe::json(&distribution::json(&told)));
    } else {
        let style = Style { color: wants_color(&std::io::stdout()), ..Style::default() };
        print_styled(&distribution::render(&told, &style));
    }
}
