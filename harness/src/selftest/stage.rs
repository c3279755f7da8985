//! The running system of a self-test: put under load, saved, broken, examined, and brought back.

use std::{sync::Arc, time::Duration};

use blackstart_evidence::measure;
use blackstart_reports::{
    record::{CheckResult, Status},
    selftest::RPO,
};
use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::Agenda;
use crate::{
    clock::Clock,
    drill::{Event, Events, Setting, Stop, WARM_WITHIN, stop, warm_up},
    fault::Scene,
    plan::{Plan, PlannedStep, draws},
    recovery::Procedure,
    scenario::{selftest::SelfTest, step::StepKind},
    topology::Topology,
    verify::{Examined, Examiner},
    workload::{Clients, History, Outcome, Sender, Stream},
    world::World,
};

/// How long the damaged service may take to answer again before the checks are asked all the same.
const SHOWS_WITHIN: Duration = Duration::from_secs(2);

/// What a check, or the recovery point, came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its identifier.
    pub check: String,
    /// How it ended.
    pub status: Status,
    /// What it found.
    pub detail: String,
}

/// The running system.
pub struct Stage<'a> {
    plan: Arc<Plan>,
    hasty: Arc<Plan>,
    world: Arc<dyn World>,
    clock: Clock,
    events: &'a Events,
    procedure: Procedure,
    clients: Clients,
    /// How much of the history belongs to the saved state.
    saved: usize,
    /// The first number that no warm-up has used.
    warm: usize,
    /// How often the system was examined.
    round: usize,
}

impl<'a> Stage<'a> {
    /// A stage on which nothing stands yet.
    pub fn new(agenda: &Agenda, world: &Arc<dyn World>, setting: &'a Setting, events: &'a Events) -> Self {
        let (plan, clock) = (Arc::new(agenda.plan.clone()), setting.clock);
        let scene = Scene { world: Arc::clone(world), plan: Arc::clone(&plan), clock, taken_backups: Arc::default() };
        let procedure = Procedure { scene, in_place: Arc::new(Mutex::new(Vec::new())), secondary: None };
        let clients = Clients::new(Arc::clone(world), clock, plan.load.clone());
        let (hasty, world) = (Arc::new(agenda.hasty_plan()), Arc::clone(world));
        Self { plan, hasty, world, clock, events, procedure, clients, saved: 0, warm: 0, round: 0 }
    }

    /// Microseconds on the run's clock.
    pub fn now_us(&self) -> u64 {
        self.clock.now_us()
    }

    /// Says that something happened.
    pub fn say(&self, event: Event) {
        self.events.say(event);
    }

    /// Says that a phase begins.
    pub fn say_phase(&self, name: &str) {
        self.say(Event::Phase { name: name.to_owned() });
    }

    /// Makes the topology, and sees its service answer.
    pub async fn provision(&mut self, topology: &mut Topology) -> Result<(), Stop> {
        self.say_phase("provision");
        let say = |text: &str| self.events.say(Event::Progress { text: text.to_owned() });
        topology.provision(&self.plan, &say).await.map_err(|error| stop("provision", error))?;
        self.warm_up("provision", WARM_WITHIN).await
    }

    async fn warm_up(&mut self, phase: &'static str, within: Duration) -> Result<(), Stop> {
        let answered = warm_up(&self.plan, &self.clients, self.clock, &mut self.warm, within).await;
        answered.map_err(|error| stop(phase, error))
    }

    /// Lets clients work for a while, with the steps in the middle of it, and waits for their last answers.
    pub async fn load(&mut self, selftest: &SelfTest, midway: &[PlannedStep]) -> Result<(), Stop> {
        self.say_phase("load");
        let load = &self.plan.load;
        let stream = Stream {
            sender: Sender::Load,
            interval: load.interval,
            deadline: load.deadline,
            draws: Box::new(draws(self.plan.seed, &load.mix)),
        };
        let end = CancellationToken::new();
        let clients = self.clients.clone().run(stream, end.clone());
        let around = async {
            let half = selftest.lasts.duration() / 2;
            tokio::time::sleep(half).await;
            let done = self.demand("load", midway).await;
            tokio::time::sleep(half).await;
            end.cancel();
            done
        };
        tokio::join!(clients, around).1
    }

    /// Saves the state to which every defect's undoing comes back, with what the clients know of it.
    pub async fn save(&mut self, steps: &[PlannedStep]) -> Result<(), Stop> {
        self.say_phase("save");
        self.demand("save", steps).await?;
        self.saved = self.clients.with_history(History::len);
        self.warm_up("save", WARM_WITHIN).await
    }

    /// Carries out what comes before a defect, and lets clients write once more.
    pub async fn prepare(&mut self, steps: &[PlannedStep]) -> Result<(), Stop> {
        self.demand("prepare", steps).await?;
        self.warm_up("prepare", WARM_WITHIN).await
    }

    /// Brings the saved state back: first what belongs to this defect, then list by list, each list side by side. What was
    /// acknowledged since the saving is gone with it, and no loss; what is not known may still turn up.
    pub async fn restore(&mut self, undo: &[PlannedStep], restore: &[Vec<PlannedStep>]) -> Result<(), Stop> {
        self.demand("undo", undo).await?;
        for steps in restore {
            let done = join_all(steps.iter().map(|step| self.demand("restore", std::slice::from_ref(step)))).await;
            done.into_iter().collect::<Result<(), Stop>>()?;
        }
        self.clients = self.clients.with_past(self.clients.with_history(|history| past(history, self.saved)));
        self.warm_up("restore", WARM_WITHIN).await
    }

    /// Carries out steps that must succeed.
    async fn demand(&self, phase: &'static str, steps: &[PlannedStep]) -> Result<(), Stop> {
        self.carry_out(steps).await?.map(drop).map_err(|why| stop(phase, anyhow::anyhow!("{why}")))
    }

    /// Carries out steps, one after the other: what the last one saw, or why one of them failed.
    pub async fn carry_out(&self, steps: &[PlannedStep]) -> Result<Result<String, String>, Stop> {
        let mut seen = String::new();
        for step in steps {
            let done = self.procedure.carry_out(step).await.map_err(|error| stop("self-test", error))?;
            seen = match step.kind {
                StepKind::Command(_) => done.detail,
                _ => format!("{}: {}", done.name, done.detail),
            };
            if done.status != Status::Passed {
                return Ok(Err(seen));
            }
        }
        Ok(Ok(seen))
    }

    /// Gives a service whose database was restarted the time to find it again. Whether it does is for the checks to say.
    pub async fn let_it_show(&mut self) {
        let _is_shown = self.warm_up("show", SHOWS_WITHIN).await;
    }

    /// Asks what survived, measures what was lost by that, and runs every check of the six levels.
    pub async fn examine(&mut self, fault_us: Option<u64>) -> Vec<Seen> {
        self.round += 1;
        let mut examiner = Examiner {
            world: Arc::clone(&self.world),
            plan: Arc::clone(if fault_us.is_none() { &self.plan } else { &self.hasty }),
            clients: self.clients.clone(),
            clock: self.clock,
            down: Vec::new(),
            fault_us,
            survivors: None,
            writer: Arc::default(),
            round: self.round,
        };
        let survivors = examiner.survivors().await;
        let recovery_point = match &survivors {
            Ok(tokens) => self.recovery_point(tokens, fault_us),
            Err(error) => seen(RPO, Status::Error, error.to_string()),
        };
        examiner.survivors = survivors.ok().map(Arc::new);
        let tell = |level: u8, (check, _): &Examined| {
            let CheckResult { id, status, detail, .. } = check.clone();
            self.events.say(Event::Check { level, id, status, detail });
        };
        let levels = examiner.examine(&tell).await;
        let checks = levels.into_iter().flat_map(|level| level.checks);
        checks.map(|check| seen(&check.id, check.status, check.detail)).chain([recovery_point]).collect()
    }

    /// Whether a write is missing that was acknowledged.
    fn recovery_point(&self, survivors: &[String], fault_us: Option<u64>) -> Seen {
        let loss = self.clients.with_history(|history| measure::loss(history, survivors, fault_us));
        let (lost, of) = (loss.lost.len(), loss.requests);
        let status = if lost == 0 { Status::Passed } else { Status::Failed };
        seen(RPO, status, format!("{lost} acknowledged writes are missing, of {of} requests"))
    }
}

fn seen(check: &str, status: Status, detail: String) -> Seen {
    Seen { check: check.to_owned(), status, detail }
}

/// The history as far as it belongs to the saved state, and whatever may still turn up.
fn past(history: &History, saved: usize) -> History {
    let belongs =
        |(index, sent): &(usize, &crate::workload::Sent)| *index < saved || sent.outcome == Outcome::Indeterminate;
    history.iter().enumerate().filter(belongs).map(|(_, sent)| sent.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Sent;

    #[test]
    fn what_was_acknowledged_after_the_saving_is_forgotten_and_what_is_unknown_is_not() {
        let sent = |token: &str, outcome| Sent {
            token: token.into(),
            sender: Sender::Check,
            kind: "place".into(),
            intended_us: 0,
            sent_us: 0,
            returned_us: 0,
            outcome,
            reply: "".into(),
        };
        let history = vec![
            sent("saved", Outcome::Ok),
            sent("refused", Outcome::Refused),
            sent("gone", Outcome::Ok),
            sent("hanging", Outcome::Indeterminate),
        ];
        let tokens: Vec<String> = past(&history, 2).into_iter().map(|sent| sent.token.into()).collect();
        assert_eq!(tokens, ["saved", "refused", "hanging"]);
    }
}
