//! The phases of a drill, up to the moment when everything is known that can be known.

use std::{sync::Arc, time::Duration};

use blackstart_reports::record::{Interval, Phase, Status};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Facts, Setting, Stop,
    event::{Event, Events},
    faults::{Injector, Progress, bounded},
    service::is_sustained,
};
use crate::{
    fault::Scene,
    plan::{Plan, PlannedStep, StepAction},
    recovery::{Detector, Procedure, Standing},
    scenario::{drill::Recoverer, system::Role},
    topology::Topology,
    verify::Examiner,
    workload::{Clients, Draw, Sender, StallWatch, Stream, draws},
    world::{NodeState, World, WorldError, WorldErrorKind},
};

/// How long a control is watched: there is no fault whose end could end it.
const CONTROL_FOR: Duration = Duration::from_secs(5);

/// How often a wait looks again.
const EVERY: Duration = Duration::from_millis(25);

/// How often the writer is asked for its tokens before nothing is known of them.
const SURVIVOR_TRIES: usize = 3;

/// How long after a failed procedure the service may still come back by itself.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the phases.
pub async fn run(
    plan: &Arc<Plan>,
    world: &Arc<dyn World>,
    setting: &Setting,
    events: &Events,
    topology: &mut Topology,
    facts: &mut Facts,
) -> Result<(), Stop> {
    let clients = Clients::new(Arc::clone(world), setting.clock, plan.load.clone());
    unless_cancelled(setting, provision(plan, setting, events, topology, &clients, facts)).await?;

    let scene = Scene { world: Arc::clone(world), plan: Arc::clone(plan), clock: setting.clock };
    let mut drill = Drill {
        procedure: Procedure { scene: scene.clone(), standing: Arc::new(Mutex::new(Vec::new())) },
        scene,
        clients,
        setting,
        events,
        stop: CancellationToken::new(),
        tasks: JoinSet::new(),
        stalls: StallWatch::start(),
    };
    let watched = unless_cancelled(setting, drill.watch(facts)).await;
    // However the watching ended, what the clients saw up to then belongs to the record.
    let ended = drill.end_watching(facts).await;
    watched.and(ended)?;

    let timer = PhaseTimer::start("verify", setting, events);
    let verified = unless_cancelled(setting, drill.verify(facts)).await;
    facts.history = drill.clients.history();
    timer.end(facts);
    verified
}

/// Lets a part of the drill go on until it ends or the drill is told to end.
async fn unless_cancelled(setting: &Setting, part: impl Future<Output = Result<(), Stop>>) -> Result<(), Stop> {
    setting.cancel.run_until_cancelled(part).await.unwrap_or(Err(Stop::Cancelled))
}

/// Makes the topology, and sees its service answer.
async fn provision(
    plan: &Plan,
    setting: &Setting,
    events: &Events,
    topology: &mut Topology,
    clients: &Clients,
    facts: &mut Facts,
) -> Result<(), Stop> {
    let timer = PhaseTimer::start("provision", setting, events);
    let say = |text: &str| events.say(Event::Progress { text: text.to_owned() });
    facts.images = topology.provision(plan, &say).await.map_err(|error| stop("provision", error))?;
    say("the service answers");
    warm_up(plan, clients, setting).await?;
    timer.end(facts);
    Ok(())
}

/// How many requests in a row must be acknowledged before the load starts.
const WARM: usize = 6;

/// How long that may take.
const WARM_WITHIN: Duration = Duration::from_secs(20);

/// Sends probes until the service has answered several in a row: a load that starts against a balancer that has not yet
/// seen its servers would count our own haste as failures of the system.
async fn warm_up(plan: &Plan, clients: &Clients, setting: &Setting) -> Result<(), Stop> {
    let give_up = tokio::time::Instant::now() + WARM_WITHIN;
    let draw = Draw { kind: plan.load.probe.clone(), number: 1 };
    let mut in_a_row = 0;
    for index in 0.. {
        let now_us = setting.clock.now_us();
        let sent = clients.send(Sender::WarmUp, index, &draw, now_us, plan.load.probe_deadline).await;
        in_a_row = if sent.is_ok() { in_a_row + 1 } else { 0 };
        if in_a_row >= WARM {
            break;
        }
        if tokio::time::Instant::now() >= give_up {
            let happened = format!("its last answer was: {}", sent.reply);
            return Err(stop(
                "provision",
                WorldError::new(WorldErrorKind::TimedOut, "see the service answer", happened),
            ));
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok(())
}

fn stop(phase: &'static str, error: impl Into<anyhow::Error>) -> Stop {
    Stop::Error { phase, error: error.into() }
}

/// Measures a phase and says that it begins.
struct PhaseTimer<'a> {
    name: &'static str,
    setting: &'a Setting,
    started_us: u64,
}

impl<'a> PhaseTimer<'a> {
    fn start(name: &'static str, setting: &'a Setting, events: &Events) -> Self {
        events.say(Event::Phase { name: name.to_owned() });
        Self { name, setting, started_us: setting.clock.now_us() }
    }

    fn end(self, facts: &mut Facts) {
        let seconds = (self.setting.clock.now_us() - self.started_us) as f64 / 1e6;
        facts.phases.push(Phase { name: self.name.to_owned(), seconds });
    }
}

/// A drill whose topology runs.
struct Drill<'a> {
    scene: Scene,
    procedure: Procedure,
    clients: Clients,
    setting: &'a Setting,
    events: &'a Events,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    stalls: StallWatch,
}

impl Drill<'_> {
    fn plan(&self) -> &Plan {
        &self.scene.plan
    }

    fn standing(&self) -> &Standing {
        &self.procedure.standing
    }

    fn now_us(&self) -> u64 {
        self.scene.clock.now_us()
    }

    /// Everything that happens while clients watch: load, faults, recovery, and what comes afterwards.
    async fn watch(&mut self, facts: &mut Facts) -> Result<(), Stop> {
        let timer = PhaseTimer::start("load", self.setting, self.events);
        for condition in self.plan().conditions.clone() {
            let in_place = bounded(self.scene.inject(&condition)).await.map_err(|error| stop("load", error))?;
            self.events.say(Event::Condition { summary: condition.summary.clone() });
            facts.conditions.push(in_place);
        }
        let started_us = self.now_us();
        facts.load_started_us = Some(started_us);
        let detected = self.start_clients();
        let mut faults = self.start_faults(started_us);
        self.watch_faults(facts, timer, started_us, detected, &mut faults).await
    }

    /// Stops the clients and keeps what they saw. Answers that are still out are waited for, each up to its deadline,
    /// unless the drill is told to end.
    async fn end_watching(&mut self, facts: &mut Facts) -> Result<(), Stop> {
        self.stop.cancel();
        let mut ended = Ok(());
        let answers = async {
            while let Some(task) = self.tasks.join_next().await {
                if let Err(panic) = task {
                    ended = Err(stop("load", anyhow::anyhow!("a client of ours: {panic}")));
                }
            }
        };
        let all = self.setting.cancel.run_until_cancelled(answers).await;
        if all.is_none() {
            self.tasks.shutdown().await;
        }
        facts.load_ended_us = Some(self.now_us());
        facts.longest_stall_us = self.stalls.longest_us();
        facts.faults.clone_from(&*self.standing().lock().await);
        facts.history = self.clients.history();
        ended
    }

    async fn watch_faults(
        &mut self,
        facts: &mut Facts,
        timer: PhaseTimer<'_>,
        started_us: u64,
        detected: watch::Receiver<Option<u64>>,
        faults: &mut FaultsUnderWay,
    ) -> Result<(), Stop> {
        // A control is watched for a while, and ends where a fault would have struck.
        let first = self.plan().first_fault().unwrap_or(CONTROL_FOR);
        let first_at = self.scene.clock.at_us(started_us + first.as_micros() as u64);
        self.prove_conditions(facts, first_at).await?;
        if self.plan().faults.is_empty() {
            tokio::time::sleep_until(first_at).await;
            timer.end(facts);
            return Ok(());
        }
        faults.until(|progress| progress.in_place > 0).await?;
        timer.end(facts);
        let detected_us = *detected.borrow();
        self.demand_quiet_before_fault(started_us, detected_us).await?;
        let timer = PhaseTimer::start("recover", self.setting, self.events);
        self.recover(facts, detected, faults).await?;
        timer.end(facts);
        Ok(())
    }

    /// What was detected before the first fault can have struck was no effect of it.
    async fn demand_quiet_before_fault(&self, started_us: u64, detected_us: Option<u64>) -> Result<(), Stop> {
        let struck_us = self.standing().lock().await.first().map_or(u64::MAX, |fault| fault.began_us.lower);
        match detected_us.filter(|at_us| *at_us < struck_us) {
            None => Ok(()),
            Some(at_us) => {
                let seconds = at_us.saturating_sub(started_us) as f64 / 1e6;
                let happened = format!("a failure was detected {seconds:.1} s into the load, before any fault");
                Err(stop("load", WorldError::new(WorldErrorKind::Other, "keep the load undisturbed", happened)))
            }
        }
    }

    /// A condition without effect makes the run an error; it is looked at shortly before the first fault, under load.
    async fn prove_conditions(&self, facts: &mut Facts, first_at: tokio::time::Instant) -> Result<(), Stop> {
        if facts.conditions.is_empty() {
            return Ok(());
        }
        tokio::time::sleep_until(first_at - Duration::from_millis(500)).await;
        for condition in &mut facts.conditions {
            let proof = bounded(self.scene.prove(&condition.fault)).await;
            condition.proof = proof.map_err(|error| stop("load", error))?;
            self.events.say(Event::Bit { proof: condition.proof.clone() });
        }
        Ok(())
    }

    fn start_clients(&mut self) -> watch::Receiver<Option<u64>> {
        let load = self.plan().load.clone();
        let seed = self.plan().seed;
        let probe = Draw { kind: load.probe.clone(), number: 1 };
        let mut streams = vec![
            Stream {
                sender: Sender::Load,
                interval: load.interval,
                deadline: load.deadline,
                draws: Box::new(draws(seed, &load.mix)),
            },
            Stream {
                sender: Sender::Probe,
                interval: load.probe_interval,
                deadline: load.probe_deadline,
                draws: Box::new(std::iter::repeat(probe.clone())),
            },
        ];
        if self.setting.tight_loop {
            streams.push(Stream {
                sender: Sender::TightLoop,
                interval: Duration::ZERO,
                deadline: load.probe_deadline,
                draws: Box::new(std::iter::repeat(probe)),
            });
        }
        for stream in streams {
            self.tasks.spawn(self.clients.clone().run(stream, self.stop.clone()));
        }
        self.tasks.spawn(report_traffic(self.clients.clone(), self.events.clone(), self.stop.clone()));
        let (tell, detected) = watch::channel(None);
        if let Some(detect) = self.plan().recovery.detect.clone() {
            let detector = Detector::new(self.clients.clone(), self.scene.clock, detect);
            self.tasks.spawn(detector.run(tell, self.stop.clone()));
        }
        detected
    }

    fn start_faults(&self, load_started_us: u64) -> FaultsUnderWay {
        let injector =
            Injector { scene: self.scene.clone(), standing: Arc::clone(self.standing()), events: self.events.clone() };
        let (tell, progress) = watch::channel(Progress::default());
        let task = AbortOnDropHandle::new(tokio::spawn(injector.run(load_started_us, tell)));
        FaultsUnderWay { task, progress }
    }

    async fn recover(
        &mut self,
        facts: &mut Facts,
        mut detected: watch::Receiver<Option<u64>>,
        faults: &mut FaultsUnderWay,
    ) -> Result<(), Stop> {
        let recovery = self.plan().recovery.clone();
        let give_up = tokio::time::Instant::now() + recovery.within;
        if recovery.by == Recoverer::Procedure {
            let found = tokio::time::timeout_at(give_up, detected.wait_for(Option::is_some)).await;
            match found.ok().and_then(|found| found.ok().and_then(|at| *at)) {
                Some(at_us) => self.proceed(facts, at_us).await?,
                None => self.never_detected(facts),
            }
        }
        let went_wrong = facts.procedure.iter().any(|step| step.status == Status::Failed);
        let give_up = if went_wrong { give_up.min(tokio::time::Instant::now() + GRACE) } else { give_up };
        faults.until(|progress| progress.all_done).await?;
        // Service from before a fault says nothing about the service after it.
        let struck_us = self.standing().lock().await.iter().map(|fault| fault.began_us.upper).max();
        if self.await_service(struck_us.unwrap_or_default(), give_up).await {
            self.events.say(Event::Sustained);
        }
        if !recovery.afterwards.is_empty() {
            self.carry_out(facts, &recovery.afterwards).await?;
            // What comes back may do harm: the service must stand it for as long as it had to stand before.
            let window = self.plan().service_level.sustained_for.duration();
            self.await_service(self.now_us(), tokio::time::Instant::now() + window + GRACE).await;
        }
        Ok(())
    }

    async fn proceed(&self, facts: &mut Facts, detected_us: u64) -> Result<(), Stop> {
        let recovery = &self.scene.plan.recovery;
        let by = recovery.detect.as_ref().map_or_else(String::new, |detect| {
            format!("{} failures of `{}` in a row", detect.failures, detect.request)
        });
        self.events.say(Event::Detected { by });
        facts.milestones.insert("detected".to_owned(), Interval::exactly(detected_us));
        tokio::time::sleep(recovery.decision).await;
        let started_us = self.now_us();
        facts.recovery_started_us = Some(started_us);
        facts.milestones.insert("recovery_started".to_owned(), Interval::exactly(started_us));
        self.carry_out(facts, &recovery.procedure).await
    }

    fn never_detected(&self, facts: &mut Facts) {
        let name = "detect the failure".to_owned();
        let detail = format!("nothing was detected within {:?}", self.plan().recovery.within);
        let began_ms = self.now_us() as f64 / 1e3;
        facts.procedure.push(blackstart_reports::record::StepResult {
            name,
            began_ms,
            duration_ms: 0.0,
            status: Status::Failed,
            detail,
        });
    }

    /// Carries out steps in order, and stops at the first that fails.
    async fn carry_out(&self, facts: &mut Facts, steps: &[PlannedStep]) -> Result<(), Stop> {
        for step in steps {
            self.events.say(Event::Step { name: step.name.clone() });
            let result = self.procedure.carry_out(step).await.map_err(|error| stop("recover", error))?;
            self.events.say(Event::StepDone {
                name: result.name.clone(),
                status: result.status,
                detail: result.detail.clone(),
                duration_ms: result.duration_ms,
            });
            let failed = result.status == Status::Failed;
            facts.procedure.push(result);
            if failed {
                break;
            }
            if let Some(milestone) = milestone(&step.action) {
                facts.milestones.insert(milestone.to_owned(), Interval::exactly(self.now_us()));
            }
        }
        Ok(())
    }

    /// Waits until the service has been as declared for as long as declared, in a window that begins after a moment.
    async fn await_service(&self, since_us: u64, give_up: tokio::time::Instant) -> bool {
        loop {
            let now_us = self.now_us();
            if self.clients.with_history(|history| is_sustained(self.plan(), history, since_us, now_us)) {
                return true;
            }
            if tokio::time::Instant::now() >= give_up {
                return false;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Asks what survived, runs every check, and asks the nodes that failed what they still hold.
    async fn verify(&self, facts: &mut Facts) -> Result<(), Stop> {
        let mut examiner = Examiner {
            world: Arc::clone(&self.scene.world),
            plan: Arc::clone(&self.scene.plan),
            clients: self.clients.clone(),
            clock: self.scene.clock,
            down: self.nodes_left_down(facts).await,
            fault_us: facts.faults.first().map(|fault| fault.began_us.lower),
            survivors: None,
            writer: Arc::default(),
        };
        examiner.survivors = self.ask_survivors(&examiner).await;
        let raw = std::sync::Mutex::new(Vec::new());
        facts.levels = examiner
            .examine(&|level, (check, output)| {
                let (id, detail) = (check.id.clone(), check.detail.clone());
                raw.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((id.clone(), output.clone()));
                self.events.say(Event::Check { level, id, status: check.status, detail });
            })
            .await;
        facts.raw = raw.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let holds = |status: Status| matches!(status, Status::Passed | Status::Tolerated | Status::NotDeclared);
        if facts.levels.iter().all(|level| holds(level.status)) {
            facts.verified_us = Some(self.now_us());
        }
        // What the checks themselves wrote must have survived as well, so the last word on survivors comes after them.
        // An older answer will not do: it would make lost writes of theirs.
        facts.survivors = self.ask_survivors(&examiner).await;
        facts.stranded = self.ask_failed_nodes(&examiner, facts).await;
        Ok(())
    }

    /// The tokens that the one writer holds. One question that fails must not make an unknown of the whole loss.
    async fn ask_survivors(&self, examiner: &Examiner) -> Option<Arc<Vec<String>>> {
        for _ in 0..SURVIVOR_TRIES {
            match examiner.survivors().await {
                Ok(tokens) => return Some(Arc::new(tokens)),
                Err(error) => self.events.say(Event::Progress { text: error.to_string() }),
            }
            tokio::time::sleep(EVERY).await;
        }
        None
    }

    async fn nodes_left_down(&self, facts: &Facts) -> Vec<String> {
        let is_dark = |name: &String| {
            facts.faults.iter().any(|fault| {
                fault.stands()
                    && fault.fault.kind == "zone_dark"
                    && fault.fault.action.is_reversible()
                    && fault.fault.victims.contains(name)
            })
        };
        let mut down = Vec::new();
        for planned in &self.plan().nodes {
            let name = &planned.node.name;
            let runs = matches!(self.scene.world.state(name).await, Ok(NodeState::Running));
            if !runs || is_dark(name) {
                down.push(name.clone());
            }
        }
        down
    }

    /// The tokens that the failed databases still hold; none where no failed database could be asked.
    async fn ask_failed_nodes(&self, examiner: &Examiner, facts: &Facts) -> Option<Vec<String>> {
        let database = self.plan().database(&self.plan().load.survivors.database)?;
        let was_hit = |name: &&String| facts.faults.iter().any(|fault| fault.fault.victims.contains(name));
        let is_primary =
            |name: &&String| self.plan().node(name).is_some_and(|planned| planned.node.role == Role::Primary);
        let mut found = None;
        for node in database.nodes.iter().filter(was_hit).filter(is_primary) {
            if let Ok(tokens) = examiner.stranded(node).await {
                found.get_or_insert_with(Vec::new).extend(tokens);
            }
        }
        found
    }
}

/// The milestone that a step reaches.
fn milestone(action: &StepAction) -> Option<&'static str> {
    match action {
        StepAction::Operation { name, .. } if name == "promote" => Some("promoted"),
        StepAction::Operation { name, .. } if name == "rejoin" => Some("redundancy_restored"),
        StepAction::AwaitWriter { .. } => Some("server_accepting"),
        StepAction::Heal { .. } => Some("healed"),
        _ => None,
    }
}

/// The faults of a plan while they are under way. None strikes any more once this is dropped.
struct FaultsUnderWay {
    task: AbortOnDropHandle<crate::world::Result<()>>,
    progress: watch::Receiver<Progress>,
}

impl FaultsUnderWay {
    /// Waits until they have come so far; an error of theirs is one of the run.
    async fn until(&mut self, reached: impl FnMut(&Progress) -> bool) -> Result<(), Stop> {
        if self.progress.wait_for(reached).await.is_ok() {
            return Ok(());
        }
        // The sender is gone: the task ended, either done or with an error.
        match (&mut self.task).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(stop("inject", error)),
            Err(panic) => Err(stop("inject", anyhow::anyhow!("{panic}"))),
        }
    }
}

async fn report_traffic(clients: Clients, events: Events, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        let (acknowledged, failed) = clients.with_history(|history| {
            let good = history.iter().filter(|sent| sent.is_ok()).count() as u64;
            (good, history.len() as u64 - good)
        });
        events.say(Event::Traffic { acknowledged, failed });
    }
}
