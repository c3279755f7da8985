//! The sequencer of drills: it runs the phases of a drill in order, listens for an end, and always tears down.
//!
//! `provision → load → protect → inject → recover → verify → tear down → report`. Each phase consumes what the last one made.
//! The same sequencer runs in both worlds; it never speaks to an engine itself, and formats nothing.

mod alive;
mod array;
mod assemble;
mod backup_record;
mod bundle;
mod consistency;
mod events;
mod faults;
mod isolation;
mod phases;
mod protecting;
mod recovering;
mod restore_tests;
mod service;
mod streams;
mod verifying;

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use blackstart_evidence::{copies, fact::Fact, journal::Journal};
use blackstart_reports::record::{self, Interval, Isolation, LevelResult, Phase, Record, StepResult};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    fault::InPlace,
    plan::{self, Plan},
    recovery::Secondary,
    scenario::step::Environment,
    topology::{Topology, ledger::Ledger},
    workload::History,
    world::{World, WorldError, WorldErrorKind, simulated::beyond_the_model},
};
pub use blackstart_evidence::manifest::digest_of;
pub use bundle::Bundle;
pub use events::{Event, Events, Listener, Stamped, validity};
pub(crate) use {
    bundle::resolved,
    phases::stop,
    streams::{WARM_WITHIN, warm_up},
};

/// What a drill needs beside its plan and its world.
pub struct Setting {
    /// The run's identifier.
    pub run_id: String,
    /// The wall clock at the start, as a label.
    pub started_at: String,
    /// The run's clock.
    pub clock: Clock,
    /// Where the evidence goes; none keeps nothing on disk.
    pub folder: Option<PathBuf>,
    /// The ledger of what the run makes.
    pub ledger: Ledger,
    /// Leave everything running at the end.
    pub keep: bool,
    /// Measure the outage a second time, by an independent prober in a tight loop.
    pub tight_loop: bool,
    /// Ends the drill early; what it made is still removed.
    pub cancel: CancellationToken,
    /// Who listens.
    pub listener: Listener,
}

impl Setting {
    /// A setting that keeps nothing: no evidence, no ledger, nobody who listens. For drills of the model.
    pub fn keeping_nothing(clock: Clock) -> Self {
        Self {
            run_id: "simulated".to_owned(),
            started_at: String::new(),
            clock,
            folder: None,
            ledger: Ledger::none(),
            keep: false,
            tight_loop: false,
            cancel: CancellationToken::new(),
            listener: Arc::new(|_| ()),
        }
    }
}

/// What is known at the end of a drill, however far it came.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    images: BTreeMap<String, String>,
    load_started_us: Option<u64>,
    undisturbed_us: Option<u64>,
    load_stopped_us: Option<u64>,
    load_ended_us: Option<u64>,
    recovery_started_us: Option<u64>,
    failback_us: Option<u64>,
    milestones: BTreeMap<String, Interval<u64>>,
    procedure: Vec<StepResult>,
    conditions: Vec<InPlace>,
    backups: Vec<protecting::Kept>,
    /// Backups that were interrupted on purpose.
    interrupted: Vec<protecting::Interrupted>,
    restore_tests: BTreeMap<String, restore_tests::Tested>,
    /// What was tried to get out of copies, and what came back.
    isolation: Mutex<Vec<Isolation>>,
    /// What their copies held.
    copies: BTreeMap<String, copies::Copy>,
    /// What copies left behind.
    leftovers: Vec<String>,
    faults: Vec<InPlace>,
    levels: Vec<LevelResult>,
    answers: Vec<(String, String)>,
    verified_us: Option<u64>,
    survivors: Option<Arc<Vec<String>>>,
    /// Why nothing is known of what survived.
    unmeasured: Option<String>,
    /// Nodes that are down although nothing left them so.
    nodes_down: Vec<String>,
    /// What showed that service was not healthy before the fault.
    disturbed: Option<String>,
    stranded: Option<Vec<String>>,
    stalls_us: Vec<Interval<u64>>,
    history: History,
    phases: Vec<Phase>,
}

impl Facts {
    fn note_isolation(&self, events: &Events, proof: Option<Isolation>) {
        proof.iter().for_each(|proof| events.state(Fact::Isolated(proof.clone())));
        self.isolation.lock().unwrap_or_else(PoisonError::into_inner).extend(proof);
    }

    fn isolation(&self) -> Vec<Isolation> {
        self.isolation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A drill that met no healthy service is inconclusive; whatever else stops one is an error of ours.
    fn note_stop(&mut self, events: &Events, stop: Stop, stopped: &mut Vec<String>) {
        let why = stop.to_string();
        if let Stop::Disturbed(what) = stop {
            events.say(Event::Progress { text: why });
            events.state(Fact::Disturbed { what: what.clone() });
            self.disturbed = Some(what);
        } else {
            events.say(Event::Stopped { why: why.clone() });
            stopped.push(why);
        }
    }

    fn end_phase(&mut self, events: &Events, phase: Phase) {
        events.state(Fact::Phase(phase.clone()));
        self.phases.push(phase);
    }

    fn end_step(&mut self, events: &Events, step: StepResult) {
        events.state(Fact::Step(step.clone()));
        self.procedure.push(step);
    }

    fn reach(&mut self, events: &Events, milestone: &str, at_us: u64) {
        let at_us = Interval::exactly(at_us);
        events.state(Fact::Milestone { name: milestone.to_owned(), at_us });
        self.milestones.insert(milestone.to_owned(), at_us);
    }

    /// The fault from which times count: the first that can take service away, where any can.
    fn first_fault(&self) -> Option<&InPlace> {
        let takes = self.faults.iter().find(|fault| fault.fault.effects().takes_service);
        takes.or(self.faults.first())
    }
}

/// How long the world may take to describe itself: what was made must be removed all the same.
const ENVIRONMENT_WITHIN: Duration = Duration::from_secs(10);

impl Facts {
    /// The phase in which the drill was stopped took time too: all since the end of the last whole one.
    fn note_cut_short(&mut self, events: &Events, now_us: u64) {
        let timeline = events.timeline();
        let Some(last) = timeline.iter().rev().find(|entry| entry.kind == "phase") else { return };
        let whole: f64 = self.phases.iter().map(|phase| phase.seconds).sum();
        let seconds = (now_us as f64 / 1e6 - whole).max(0.0);
        if self.phases.last().is_none_or(|phase| phase.name != last.text) {
            self.end_phase(events, Phase { name: last.text.clone(), seconds });
        }
    }
}

/// Why a drill did not come to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It was told to end.
    Cancelled,
    /// The engine did not answer any more.
    EngineGone(WorldError),
    /// Service was not healthy before the fault, so there is nothing to be learned from it.
    Disturbed(String),
    /// The world, or we, did not do what was needed.
    Error {
        phase: &'static str,
        /// What went wrong.
        error: anyhow::Error,
    },
    /// We broke an assumption of our own.
    Panic(String),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the drill was told to end before it was over"),
            Self::EngineGone(error) => write!(f, "the drill cannot go on: {error}"),
            Self::Disturbed(what) => write!(f, "service was not healthy before the fault: {what}"),
            // An error of the world tells its cause itself.
            Self::Error { phase, error } => write!(f, "in phase {phase}: {error}"),
            Self::Panic(words) => write!(f, "a defect of blackstart itself: {words}"),
        }
    }
}

/// Runs a drill to its end, and gives its record. Whatever happens, what it made is removed, unless it is to be kept.
pub async fn run(plan: Plan, world: Arc<dyn World>, setting: Setting) -> Record {
    let plan = Arc::new(plan);
    // Of several drills, one that loses its engine ends alone.
    let setting = Setting { cancel: setting.cancel.child_token(), ..setting };
    let (mut bundle, journal, trouble) = open_bundle(&setting);
    let mut stopped: Vec<String> = trouble.into_iter().collect();
    let events = Events::new(setting.clock, journal, Arc::clone(&setting.listener));
    let began = assemble::began(&plan, world.kind(), &setting);
    let requests = bundle.as_mut().and_then(|bundle| match bundle.begin(&plan, &began) {
        Ok(requests) => Some(requests),
        Err(error) => {
            stopped.push(format!("the evidence could not be begun: {error}"));
            None
        }
    });
    let events = events.keeping(requests);
    events.state(Fact::Began(began));
    let mut topology = Topology::new(Arc::clone(&world), setting.ledger.clone());
    let mut facts = Facts::default();
    stopped.extend(not_simulable(&plan, world.kind()));
    let secondary = secondary(&plan, &world, &setting).unwrap_or_else(|error| {
        stopped.push(error.to_string());
        None
    });
    for why in &stopped {
        events.say(Event::Stopped { why: why.clone() });
    }
    if stopped.is_empty() {
        let body = phases::run(&plan, &world, &setting, &events, &mut topology, secondary.as_ref(), &mut facts);
        // Even if the fault is ours, what was made must go.
        let body = AssertUnwindSafe(body).catch_unwind();
        let (ended, gone) = alive::unless_gone(world.as_ref(), &setting.cancel, body).await;
        let ended = ended.unwrap_or_else(|panic| Err(Stop::Panic(words_of(&*panic))));
        if let Err(stop) = gone.map_or(ended, |error| Err(Stop::EngineGone(error))) {
            facts.note_cut_short(&events, setting.clock.now_us());
            facts.note_stop(&events, stop, &mut stopped);
        }
    }
    let environment = tokio::time::timeout(ENVIRONMENT_WITHIN, world.environment()).await.unwrap_or_default();
    let leftovers = tear_down(&mut topology, secondary.as_ref(), &setting, &events, &mut facts).await;
    if let Some(Err(error)) = bundle.as_mut().map(Bundle::close_requests) {
        let why = format!("the history could not be written: {error}");
        events.say(Event::Stopped { why: why.clone() });
        stopped.push(why);
    }
    stopped.extend(events.trouble());
    let mut record = assemble::record(&plan, world.kind(), &setting, &facts, events.timeline(), stopped);
    // What a copy left behind carries the run's label too, and may be told twice.
    let all: BTreeSet<String> = facts.leftovers.iter().cloned().chain(leftovers).collect();
    record.leftovers = all.into_iter().collect();
    events.state(Fact::Ended { verdict: record.verdict });
    if let Some(bundle) = bundle
        && let Err(error) = bundle.seal(&plan, &record, &facts, &environment)
    {
        record.reasons.insert(0, format!("the evidence could not be written: {error}"));
        record.verdict = blackstart_reports::record::Verdict::CouldNotRun;
    }
    record
}

/// What a panic said.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

/// Opens the folder of a run, where it keeps one; says what kept it from that.
pub(crate) fn open_bundle(setting: &Setting) -> (Option<Bundle>, Journal, Option<String>) {
    let Some(folder) = &setting.folder else { return (None, Journal::none(), None) };
    match Bundle::create(folder) {
        Ok((bundle, journal)) => (Some(bundle), journal, None),
        Err(error) => {
            let trouble = format!("the folder {} could not be made: {error}", folder.display());
            (None, Journal::none(), Some(trouble))
        }
    }
}

/// Why a drill needs containers, where it has none.
fn not_simulable(plan: &Plan, world: record::World) -> Option<String> {
    let reasons = match world {
        record::World::Docker => return None,
        record::World::Simulated => beyond_the_model(plan),
    };
    (!reasons.is_empty()).then(|| format!("this drill needs containers: {}", reasons.join("; ")))
}

/// The secondary environment of a plan, of which nothing exists yet.
fn secondary(plan: &Plan, world: &Arc<dyn World>, setting: &Setting) -> crate::world::Result<Option<Secondary>> {
    if !plan.has_secondary() {
        return Ok(None);
    }
    let name = Environment::Secondary.name();
    let doing = "plan the secondary environment";
    let unplannable = |error: plan::Unplannable| WorldError::new(WorldErrorKind::Other, doing, error.to_string());
    let plan = Arc::new(plan::isolated(plan).map_err(unplannable)?);
    let world = world.beside(name, &plan)?;
    let topology = Topology::beside(Arc::clone(&world), setting.ledger.clone(), name);
    let topology = Arc::new(tokio::sync::Mutex::new(topology));
    Ok(Some(Secondary { plan, world, topology, installed: Arc::default(), pool: Arc::default() }))
}

async fn tear_down(
    topology: &mut Topology,
    secondary: Option<&Secondary>,
    setting: &Setting,
    events: &Events,
    facts: &mut Facts,
) -> Vec<String> {
    if setting.keep {
        return Vec::new();
    }
    let started_us = setting.clock.now_us();
    events.say(Event::Phase { name: "tear down".to_owned() });
    // It stands on the array of the primary one.
    let mut leftovers = match secondary {
        Some(secondary) => secondary.topology.lock().await.tear_down().await,
        None => Vec::new(),
    };
    leftovers.extend(topology.tear_down().await);
    for what in &leftovers {
        events.say(Event::Leftover { what: what.clone() });
    }
    let seconds = (setting.clock.now_us() - started_us) as f64 / 1e6;
    facts.end_phase(events, Phase { name: "tear down".to_owned(), seconds });
    leftovers
}
