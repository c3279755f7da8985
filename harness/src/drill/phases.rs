//! The phases of a drill, up to the moment when everything is known that can be known.

use std::{sync::Arc, time::Duration};

use blackstart_evidence::fact::Fact;
use blackstart_reports::record::{self, Phase};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Facts, Setting, Stop, assemble,
    events::{Event, Events},
    faults::{Injector, Progress, bounded},
    streams::{WARM_WITHIN, warm_up},
};
use crate::{
    fault::Scene,
    plan::Plan,
    recovery::{FaultsInPlace, Procedure, Secondary},
    scenario::step::Environment,
    topology::Topology,
    workload::{Clients, StallWatch},
    world::World,
};

/// How long a control is watched: there is no fault whose end could end it.
const CONTROL_FOR: Duration = Duration::from_secs(5);

/// How often a wait looks again.
pub(super) const EVERY: Duration = Duration::from_millis(25);

/// Runs the phases.
pub async fn run(
    plan: &Arc<Plan>,
    world: &Arc<dyn World>,
    setting: &Setting,
    events: &Events,
    topology: &mut Topology,
    secondary: Option<&Secondary>,
    facts: &mut Facts,
) -> Result<(), Stop> {
    let clients = Clients::new(Arc::clone(world), setting.clock, plan.load.clone()).keeping(events.requests());
    unless_cancelled(setting, provision(plan, setting, events, topology, &clients, facts)).await?;

    if let Some(secondary) = secondary {
        secondary.installed.lock().await.clone_from(&facts.images);
    }
    let scene =
        Scene { world: Arc::clone(world), plan: Arc::clone(plan), clock: setting.clock, taken_backups: Arc::default() };
    let mut drill = Drill {
        procedure: Procedure { scene: scene.clone(), in_place: Arc::default(), secondary: secondary.cloned() },
        in_service: Environment::Primary,
        scene,
        clients,
        setting,
        events,
        stop: CancellationToken::new(),
        tasks: JoinSet::new(),
        // A clock that jumps is never late.
        stalls: (world.kind() == record::World::Docker).then(|| StallWatch::start(setting.clock)),
    };
    let watched = unless_cancelled(setting, drill.watch(facts)).await;
    // However the watching ended, what the clients saw up to then belongs to the record.
    let ended = drill.end_watching(facts).await;
    watched.and(ended)?;

    let timer = PhaseTimer::start("verify", setting, events);
    let verified = unless_cancelled(setting, drill.verify(facts)).await;
    facts.history = drill.clients.history();
    timer.end(facts);
    verified?;
    if plan.declared.scenario.restore_test {
        let timer = PhaseTimer::start("restore-test", setting, events);
        drill.test_restores(facts).await?;
        timer.end(facts);
    }
    Ok(())
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
    warm_up(plan, clients, setting.clock, &mut 0, WARM_WITHIN).await.map_err(|error| stop("provision", error))?;
    timer.end(facts);
    Ok(())
}

/// An error of ours in a phase.
pub(crate) fn stop(phase: &'static str, error: impl Into<anyhow::Error>) -> Stop {
    Stop::Error { phase, error: error.into() }
}

/// Measures a phase and says that it begins.
struct PhaseTimer<'a> {
    name: &'static str,
    setting: &'a Setting,
    events: &'a Events,
    started_us: u64,
}

impl<'a> PhaseTimer<'a> {
    fn start(name: &'static str, setting: &'a Setting, events: &'a Events) -> Self {
        events.say(Event::Phase { name: name.to_owned() });
        Self { name, setting, events, started_us: setting.clock.now_us() }
    }

    fn end(self, facts: &mut Facts) {
        let seconds = (self.setting.clock.now_us() - self.started_us) as f64 / 1e6;
        facts.end_phase(self.events, Phase { name: self.name.to_owned(), seconds });
    }
}

/// A drill whose topology runs.
pub(super) struct Drill<'a> {
    pub(super) scene: Scene,
    pub(super) procedure: Procedure,
    /// Where clients go.
    pub(super) in_service: Environment,
    pub(super) clients: Clients,
    pub(super) setting: &'a Setting,
    pub(super) events: &'a Events,
    pub(super) stop: CancellationToken,
    pub(super) tasks: JoinSet<()>,
    stalls: Option<StallWatch>,
}

impl Drill<'_> {
    pub(super) fn plan(&self) -> &Plan {
        &self.scene.plan
    }

    pub(super) fn in_place(&self) -> &FaultsInPlace {
        &self.procedure.in_place
    }

    pub(super) fn now_us(&self) -> u64 {
        self.scene.clock.now_us()
    }

    /// Everything that happens while clients watch: load, faults, recovery, and what comes afterwards.
    async fn watch(&mut self, facts: &mut Facts) -> Result<(), Stop> {
        let takes_backups = !self.plan().backups.is_empty();
        let first = if takes_backups { "protect" } else { "load" };
        let mut timer = PhaseTimer::start(first, self.setting, self.events);
        for condition in self.plan().conditions.clone() {
            let in_place = bounded(self.scene.inject(&condition)).await.map_err(|error| stop("load", error))?;
            self.events.say(Event::Condition { summary: condition.summary.clone() });
            facts.conditions.push(in_place);
        }
        let started_us = self.now_us();
        facts.load_started_us = Some(started_us);
        self.events.state(Fact::LoadBegan { at_us: started_us });
        let detected = self.start_clients();
        if takes_backups {
            self.protect(facts).await?;
            timer.end(facts);
            timer = PhaseTimer::start("load", self.setting, self.events);
        }
        // Faults go by the time since everything before them was done.
        let ready_us = self.now_us();
        facts.undisturbed_us = Some(ready_us);
        let mut faults = self.start_faults(ready_us);
        self.watch_faults(facts, timer, ready_us, detected, &mut faults).await
    }

    /// Stops the clients and keeps what they saw. Answers that are still out are waited for, each up to its deadline,
    /// unless the drill is told to end.
    async fn end_watching(&mut self, facts: &mut Facts) -> Result<(), Stop> {
        self.stop.cancel();
        facts.load_stopped_us = Some(self.now_us());
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
        facts.stalls_us = self.stalls.as_ref().map(StallWatch::stalls_us).unwrap_or_default();
        facts.faults.clone_from(&*self.in_place().lock().await);
        facts.history = self.clients.history();
        self.events.state(Fact::Watched(assemble::watched(facts)));
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
        self.demand_quiet_before_fault(facts.load_started_us.unwrap_or(started_us), detected_us).await?;
        let timer = PhaseTimer::start("recover", self.setting, self.events);
        self.recover(facts, detected, faults).await?;
        timer.end(facts);
        Ok(())
    }

    /// What was detected before the first fault can have struck was no effect of it.
    async fn demand_quiet_before_fault(&self, started_us: u64, detected_us: Option<u64>) -> Result<(), Stop> {
        let struck_us = self.in_place().lock().await.first().map_or(u64::MAX, |fault| fault.began_us.lower);
        match detected_us.filter(|at_us| *at_us < struck_us) {
            None => Ok(()),
            Some(at_us) => {
                let seconds = at_us.saturating_sub(started_us) as f64 / 1e6;
                Err(Stop::Disturbed(format!("a failure was detected {seconds:.1} s into the load, before any fault")))
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

    fn start_faults(&self, load_started_us: u64) -> FaultsUnderWay {
        let injector =
            Injector { scene: self.scene.clone(), in_place: Arc::clone(self.in_place()), events: self.events.clone() };
        let (tell, progress) = watch::channel(Progress::default());
        let task = AbortOnDropHandle::new(tokio::spawn(injector.run(load_started_us, tell)));
        FaultsUnderWay { task, progress }
    }
}

/// The faults of a plan while they are under way. None strikes any more once this is dropped.
pub(super) struct FaultsUnderWay {
    task: AbortOnDropHandle<crate::world::Result<()>>,
    progress: watch::Receiver<Progress>,
}

impl FaultsUnderWay {
    /// Waits until they have come so far; an error of theirs is one of the run.
    pub(super) async fn until(&mut self, reached: impl FnMut(&Progress) -> bool) -> Result<(), Stop> {
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
