//! What a test drives: a drill of a scenario on the simulated world, and what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use blackstart::{
    clock::Clock,
    drill::{self, Setting},
    plan::{self, Plan, PlannedStep},
    scenario::{
        self, Declared,
        drill::ServiceLevel,
        step::{SecondaryKind, SecondaryStep, StepKind},
    },
    world::{
        Provision,
        simulated::{SimulatedWorld, Truth},
    },
};
use blackstart_reports::{
    record::{Record, Verdict},
    render::{Format, Style, render},
};
use tokio_util::sync::CancellationToken;

/// The drills that must pass.
pub const PASSING: [&str; 8] = [
    "order-management/app-zone-outage",
    "order-management/nothing-broken",
    "order-management/primary-killed",
    "order-management/primary-zone-outage",
    "order-management/primary-zone-outage-async",
    "order-management/split-brain-refused",
    "order-management/standby-zone-outage",
    "order-management/two-zones-outage",
];

/// The drills that must pass, and take backups.
pub const WITH_BACKUPS: [&str; 8] = [
    "order-management/backups-tested",
    "order-management/backup-interrupted",
    "order-management/bad-change",
    "order-management/bad-change-by-time",
    "order-management/bad-change-to-point",
    "order-management/lost-data",
    "order-management/restore-interrupted",
    "order-management/two-zones-lost",
];

/// Drills of the process cell that must pass.
pub const OF_THE_CELL: [&str; 3] =
    ["process-cell/nothing-broken", "process-cell/dump-restored", "process-cell/exports-tested"];

/// The drills that must fail.
pub const FAILING: [&str; 2] = ["broken/fails-rto-out-of-reach", "broken/fails-split-brain-unfenced"];

/// No drill takes so long, in virtual time.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// How long the world is watched after a drill, for anything that still acts.
const AFTERWARDS: Duration = Duration::from_secs(60);

/// What came of a drill.
#[derive(Debug)]
pub struct Ran {
    pub record: Record,
    /// What really happened.
    pub truth: Truth,
    /// What the world still holds.
    pub leftovers: Vec<String>,
    /// What the model took for granted.
    pub not_modelled: Vec<String>,
    /// Every call that could have failed.
    pub calls: Vec<String>,
    /// How long the most patient client waits for an answer.
    pub patience: Duration,
    /// What counts as service.
    pub level: ServiceLevel,
    /// The step with which a failback begins, by its name, where one is declared.
    pub failback: Option<String>,
    /// When the drill ended.
    pub ended: Duration,
}

/// A scenario of this repository, read once.
pub fn read(name: &str) -> Declared {
    static READ: Mutex<BTreeMap<String, Declared>> = Mutex::new(BTreeMap::new());
    let mut known = READ.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(|| read_afresh(name)).clone()
}

fn read_afresh(name: &str) -> Declared {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.yaml"));
    scenario::read(&file).unwrap_or_else(|refusals| panic!("{name} is refused: {refusals:?}"))
}

/// Its plan under a seed.
pub fn planned(name: &str, seed: u64) -> Plan {
    plan::build(read(name), seed).unwrap()
}

/// Runs a plan undisturbed.
pub fn run(plan: Plan) -> Ran {
    run_disturbed(plan, |_, _| ())
}

/// Runs a plan after `disturb` has told the world what is to go wrong, or when the drill is to be cancelled.
pub fn run_disturbed(plan: Plan, disturb: impl FnOnce(&SimulatedWorld, CancellationToken)) -> Ran {
    run_beside(plan, |world, cancel| disturb(world, cancel))
}

/// Runs a plan, and something else beside it, which no plan knows of.
pub fn run_beside(plan: Plan, disturb: impl FnOnce(&Arc<SimulatedWorld>, CancellationToken)) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = Clock::start();
        let world = Arc::new(SimulatedWorld::new(&plan, plan.seed, clock));
        let (patience, level) = (plan.load.deadline.max(plan.load.probe_deadline), plan.service_level.clone());
        let is_failback = |step: &&PlannedStep| {
            matches!(&step.kind, StepKind::SecondaryStep(SecondaryStep { kind: SecondaryKind::ShutDown(_) }))
        };
        let failback = plan.recovery.afterwards.iter().find(is_failback).map(|step| step.name.clone());
        let setting = Setting::keeping_nothing(clock);
        disturb(&world, setting.cancel.clone());
        let drill = drill::run(plan, world.clone(), setting);
        let record = tokio::time::timeout(FOR_EVER, drill).await.expect("the drill never ended");
        let (ended, calls) = (Duration::from_micros(clock.now_us()), world.calls());
        tokio::time::sleep(AFTERWARDS).await;
        assert_eq!(world.calls(), calls, "something still acts after the drill");
        Ran {
            record,
            truth: world.truth(),
            leftovers: world.leftovers().await.unwrap(),
            not_modelled: world.not_modelled(),
            calls,
            patience,
            level,
            failback,
            ended,
        }
    })
}

/// Does something for each number, on every core, and gives what was found wrong.
pub fn each(numbers: impl IntoIterator<Item = usize>, wrong: impl Fn(usize) -> Vec<String> + Sync) -> Vec<String> {
    let numbers: Vec<usize> = numbers.into_iter().collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    found.lock().unwrap().extend(wrong(*number));
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Demands that nothing was found wrong, and shows what was.
pub fn demand_none(found: &[String]) {
    let shown: Vec<&str> = found.iter().take(20).map(String::as_str).collect();
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), shown.join("\n"));
}

/// What is wrong with a record as such: whatever happened, it must tell why, and every rendering must cope with it.
pub fn malformed(record: &Record) -> Vec<String> {
    let mut wrong = Vec::new();
    if record.reasons.is_empty() {
        wrong.push("the verdict has no reason".to_owned());
    }
    if record.verdict == Verdict::Passed && record.levels.len() != 6 {
        wrong.push("passed without six levels".to_owned());
    }
    for format in Format::ALL {
        if render(record, format, &Style { verbose: true, ..Style::default() }).trim().is_empty() {
            wrong.push(format!("{format} says nothing"));
        }
    }
    let told = render(record, Format::Json, &Style::default());
    match serde_json::from_str::<Record>(&told) {
        Ok(read) if read == *record => {}
        Ok(_) => wrong.push("the record changes when it is written and read".to_owned()),
        Err(error) => wrong.push(format!("the record cannot be read again: {error}")),
    }
    let ends = record.milestones.values().chain(record.faults.iter().map(|fault| &fault.began_ms));
    if ends.into_iter().any(|interval| interval.lower > interval.upper) {
        wrong.push("an interval runs backwards".to_owned());
    }
    wrong
}

/// The tokens of the writes that a record calls lost.
pub fn lost_tokens(record: &Record) -> BTreeSet<String> {
    record.rpo.iter().flat_map(|rpo| &rpo.lost).map(|write| write.token.clone()).collect()
}
