//! The judging of backups as the sequencer sees it: each is restored in isolation and put to every check.
//!
//! A backup that was never restored is a hope. The copy has networks of its own, sends nothing to the archive, and reads
//! the vault without being able to change it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use blackstart_evidence::measure;
use blackstart_reports::record::{CheckResult, Interval, Isolation, Judgement, LevelResult, Status};
use futures_util::{FutureExt, StreamExt, future::try_join_all, stream};
use tokio_util::sync::CancellationToken;

use super::{
    Facts, Stop, consistency,
    events::Event,
    isolation,
    phases::{Drill, stop},
    protecting::Kept,
    streams::{WARM_WITHIN, warm_up},
    words_of,
};
use crate::{
    plan::{self, Plan},
    recovery::Procedure,
    scenario::{system::Role, units::Span},
    topology::Topology,
    verify::Examiner,
    workload::{Clients, Outcome, Sender, Sent},
    world::{DiskState, World, WorldError, WorldErrorKind},
};

/// How long a copy may take to become ready after its data is there, at the least; and as long as any of its nodes may.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What came of a backup.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    /// Whether it may be kept; unknown where nothing speaks against it and some check could not look.
    pub valid: Option<bool>,
    /// How that was found.
    pub judgement: Judgement,
    /// The proof that its copy had no way out, where the copy came up.
    pub isolation: Option<Isolation>,
}

/// How many copies stand at a time. Each boots a whole system: more would only make one another wait.
const AT_A_TIME: usize = 2;

impl Drill<'_> {
    /// Restores and judges every backup that can be restored by itself, the oldest first.
    pub(super) async fn judge_backups(&self, facts: &mut Facts) -> Result<(), Stop> {
        let restorable: Vec<Kept> = facts.backups.iter().filter(|kept| kept.planned.is_restorable()).cloned().collect();
        // Where one cannot be judged, the others end too, but nothing of them may stay.
        let cancel = self.setting.cancel.child_token();
        let mut judging = stream::iter(restorable).map(|kept| self.judge_backup(kept, &cancel)).buffered(AT_A_TIME);
        let mut ended = Ok(());
        while let Some((id, left, judged)) = judging.next().await {
            facts.leftovers.extend(left);
            match judged {
                Ok(judged) => {
                    facts.note_isolation(judged.isolation.clone());
                    facts.judged.insert(id, judged);
                }
                Err(stop) => {
                    cancel.cancel();
                    ended = ended.and(Err(stop));
                }
            }
        }
        ended
    }

    /// The name of a backup, what was left of its copy, and what came of it.
    async fn judge_backup(
        &self,
        kept: Kept,
        cancel: &CancellationToken,
    ) -> (String, Vec<String>, Result<Judged, Stop>) {
        let id = kept.planned.id.clone();
        if cancel.is_cancelled() {
            return (id, Vec::new(), Err(Stop::Cancelled));
        }
        self.events.say(Event::Progress { text: format!("backup {id} is restored in isolation") });
        let plan = match plan::isolated(self.plan()) {
            Ok(plan) => Arc::new(plan),
            Err(error) => return (id, Vec::new(), Err(stop("judge", error))),
        };
        let world = match self.scene.world.beside(&id, &plan) {
            Ok(world) => world,
            Err(error) => return (id, Vec::new(), Err(stop("judge", error))),
        };
        let mut topology = Topology::beside(Arc::clone(&world), self.setting.ledger.clone(), &id);
        let copy = Copy { drill: self, plan, world, kept: &kept };
        // Whatever came of it, even if the fault is ours, the copy must go.
        let judging = AssertUnwindSafe(cancel.run_until_cancelled(copy.judge(&mut topology))).catch_unwind();
        let judged = judging.await;
        let left = topology.tear_down().await;
        for what in &left {
            self.events.say(Event::Leftover { what: what.clone() });
        }
        // The removal cannot be cancelled; whoever cancelled meanwhile is heard here.
        let judged = match judged {
            Err(panic) => Err(Stop::Panic(words_of(&*panic))),
            Ok(None) => Err(Stop::Cancelled),
            Ok(Some(_)) if cancel.is_cancelled() => Err(Stop::Cancelled),
            Ok(Some(Err(error))) => Err(stop("judge", error)),
            Ok(Some(Ok(judged))) => {
                let detail = words(&judged.judgement);
                self.events.say(Event::Judged { id: id.clone(), valid: judged.valid, detail });
                Ok(judged)
            }
        };
        (id, left, judged)
    }
}

/// A copy of the system, restored from one backup.
struct Copy<'a> {
    drill: &'a Drill<'a>,
    plan: Arc<Plan>,
    world: Arc<dyn World>,
    kept: &'a Kept,
}

impl Copy<'_> {
    /// Makes the copy, restores into it, and runs every check. A restore that fails is a finding about the backup; what
    /// keeps the copy from being made at all is an error of ours.
    async fn judge(&self, topology: &mut Topology) -> Result<Judged, WorldError> {
        let silent = |_: &str| ();
        let clock = self.drill.scene.clock;
        let mut began_us = clock.now_us();
        topology.lay_out(&self.plan, &self.kept.taken.disks, &silent).await?;
        let disks = self.inspect_disks().await?;
        topology.populate(&self.plan, &silent).await?;
        let clients = self.drill.clients.beside(Arc::clone(&self.world), &self.kept.planned.id);
        // A command restores into nodes that run; disks are laid before anything can.
        if self.kept.planned.restore.is_some() {
            began_us = clock.now_us();
        }
        let crash_consistency = consistency::of_crash(&self.kept.planned.taking, &disks);
        let known = Judgement { crash_consistency, ..nothing() };
        if let Err(error) = self.restore().await? {
            let judgement = Judgement { error: Some(error), ..known };
            return Ok(Judged { valid: Some(false), judgement, isolation: None });
        }
        let came_back = self.come_up(topology, &clients).await?;
        let restore_seconds = Some((clock.now_us() - began_us) as f64 / 1e6);
        if let Err(error) = came_back {
            let judgement = Judgement { restore_seconds, error: Some(error), ..known };
            return Ok(Judged { valid: Some(false), judgement, isolation: None });
        }
        let proof = isolation::prove(&self.kept.planned.id, self.world.as_ref(), &self.plan, topology);
        let ((levels, held), isolation) = tokio::join!(self.examine(clients), proof);
        let isolation = isolation?;
        let (missing, holds_until_ms) = held.map_or((None, None), |held| (Some(held.missing), held.until_ms));
        let application = consistency::for_applications(&disks, &levels);
        // Levels look at what is there. That nothing is missing which was there when the backup began, only clients know.
        let has_failed = checks(&levels).any(|check| check.status == Status::Failed);
        let is_wrong = missing != Some(0) || has_failed || application.status == Status::Failed;
        let valid = if is_wrong { Some(false) } else { levels.iter().all(consistency::holds).then_some(true) };
        let application_consistency = Some(application);
        let judgement =
            Judgement { restore_seconds, holds_until_ms, missing, levels, application_consistency, ..known };
        Ok(Judged { valid, judgement, isolation })
    }

    /// A look at every disk of the copy before anything uses it.
    async fn inspect_disks(&self) -> Result<Vec<(String, DiskState)>, WorldError> {
        let disks = self.plan.disks().filter(|node| self.kept.taken.disks.contains_key(*node));
        let looks = disks.map(|node| async move { Ok((node.to_owned(), self.world.inspect(node).await?)) });
        try_join_all(looks).await
    }

    /// Every primary of the system gets its data back, no further than the backup itself goes. What the array took is on the disks
    /// already.
    async fn restore(&self) -> Result<Result<(), String>, WorldError> {
        if self.kept.planned.restore.is_none() {
            return Ok(Ok(()));
        }
        let mut scene = self.drill.scene.clone();
        scene.world = Arc::clone(&self.world);
        scene.plan = Arc::clone(&self.plan);
        let procedure = Procedure { scene, standing: Arc::default(), secondary: None };
        let primaries = self.plan.nodes.iter().filter(|planned| planned.node.role == Role::Primary);
        for primary in primaries {
            let step = plan::restore_step(&primary.node.name, &self.kept.planned.id, &self.plan.declared);
            let step = step.map_err(|error| WorldError::new(WorldErrorKind::Other, "restore it", error.to_string()))?;
            let done = procedure.carry_out(&step).await?;
            if done.status != Status::Passed {
                return Ok(Err(done.detail));
            }
        }
        Ok(Ok(()))
    }

    async fn come_up(&self, topology: &Topology, clients: &Clients) -> Result<Result<(), String>, WorldError> {
        let declared = self.plan.nodes.iter().filter_map(|planned| planned.node.ready.as_ref()?.within);
        let within = declared.map(Span::duration).chain([READY_WITHIN]).max().unwrap_or(READY_WITHIN);
        match tokio::time::timeout(within, topology.all_ready(&self.plan)).await {
            Err(_) => return Ok(Err(format!("it was not ready within {within:?}"))),
            Ok(Err(error)) => return about_the_backup(error),
            Ok(Ok(())) => {}
        }
        let clock = self.drill.scene.clock;
        match warm_up(&self.plan, clients, clock, &mut 0, WARM_WITHIN).await {
            Ok(()) => Ok(Ok(())),
            Err(error) => about_the_backup(error),
        }
    }

    /// What every level found, and what the backup holds, where the copy could be asked for it.
    async fn examine(&self, clients: Clients) -> (Vec<LevelResult>, Option<Held>) {
        let mut examiner = Examiner {
            world: Arc::clone(&self.world),
            plan: Arc::clone(&self.plan),
            clients,
            clock: self.drill.scene.clock,
            down: Vec::new(),
            fault_us: Some(self.kept.us.0),
            survivors: None,
            writer: Arc::default(),
            round: 0,
        };
        examiner.survivors = examiner.survivors().await.ok().map(Arc::new);
        let held = examiner.survivors.as_ref().map(|survivors| {
            self.drill.clients.with_history(|history| held(history, survivors, self.kept.us.0, self.drill.now_us()))
        });
        let levels = examiner.examine(&|_, _| ()).await;
        (levels, held)
    }
}

/// An error as a finding about the backup, unless it is one of ours: a copy that this machine cannot hold says nothing of it.
fn about_the_backup(error: WorldError) -> Result<Result<(), String>, WorldError> {
    if error.kind.is_ours() { Err(error) } else { Ok(Err(error.to_string())) }
}

fn checks(levels: &[LevelResult]) -> impl Iterator<Item = &CheckResult> {
    levels.iter().flat_map(|level| &level.checks)
}

const fn nothing() -> Judgement {
    Judgement {
        restore_seconds: None,
        holds_until_ms: None,
        missing: None,
        error: None,
        levels: Vec::new(),
        crash_consistency: None,
        application_consistency: None,
    }
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Held {
    /// Writes that were acknowledged before it began, and are not in it.
    missing: u64,
    /// Up to when every acknowledged write is in it; nothing where none was acknowledged at all.
    until_ms: Option<Interval<f64>>,
}

/// The first write that is missing was made somewhere between its sending and its acknowledgement: up to then a backup
/// holds everything. Where none is missing, up to now.
fn held(history: &[Sent], survivors: &[String], began_us: u64, now_us: u64) -> Held {
    let loss = measure::loss(history, survivors, None);
    let lost = loss.lost.iter().filter_map(|index| history.get(*index));
    let missing = lost.filter(|sent| sent.returned_us <= began_us).count() as u64;
    let first = loss.lost.first().and_then(|index| history.get(*index));
    let is_any_there = history.iter().any(|sent| sent.outcome == Outcome::Ok && sent.sender != Sender::TightLoop);
    let (lower, upper) = first.map_or((now_us, now_us), |sent| (sent.sent_us, sent.returned_us));
    let until_ms = is_any_there.then(|| Interval::new(lower as f64 / 1e3, upper as f64 / 1e3));
    Held { missing, until_ms }
}

/// A judgement in one line.
fn words(judgement: &Judgement) -> String {
    if let Some(error) = &judgement.error {
        return error.clone();
    }
    let bad: Vec<&str> = checks(&judgement.levels)
        .filter(|check| matches!(check.status, Status::Failed | Status::Error))
        .map(|check| check.id.as_str())
        .collect();
    let restored = judgement.restore_seconds.unwrap_or_default();
    let checks = checks(&judgement.levels).count();
    match (judgement.missing, bad.is_empty()) {
        (Some(0), true) => format!("restored in {restored:.1} s, {checks} checks passed"),
        (Some(missing), true) => {
            format!("restored in {restored:.1} s, and {missing} writes from before it began are missing")
        }
        _ => format!("restored in {restored:.1} s, and failed {}", bad.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(token: &str, at_us: u64) -> Sent {
        Sent {
            token: token.into(),
            sender: Sender::Load,
            kind: "place".into(),
            intended_us: at_us,
            sent_us: at_us,
            returned_us: at_us + 10_000,
            outcome: Outcome::Ok,
            reply: "".into(),
        }
    }

    #[test]
    fn a_backup_holds_until_the_first_write_that_it_lacks() {
        let history = [sent("a", 0), sent("b", 50_000), sent("c", 100_000)];
        let until = |survivors: &[&str]| {
            let survivors: Vec<String> = survivors.iter().map(|token| (*token).to_owned()).collect();
            held(&history, &survivors, 65_000, 900_000).until_ms
        };
        assert_eq!(until(&["a", "b"]), Some(Interval::new(100.0, 110.0)));
        assert_eq!(until(&["a", "b", "c"]), Some(Interval::exactly(900.0)));
        assert_eq!(held(&[], &[], 65_000, 900_000).until_ms, None);
    }

    #[test]
    fn what_was_acknowledged_before_a_backup_began_must_be_in_it() {
        let history = [sent("a", 0), sent("b", 50_000), sent("c", 100_000)];
        let missing = |survivors: &[String]| held(&history, survivors, 65_000, 900_000).missing;
        assert_eq!(missing(&["a".into(), "b".into()]), 0, "c came later");
        assert_eq!(missing(&["a".into()]), 1);
        assert_eq!(missing(&[]), 2, "an empty copy passes many a check");
    }
}
