//! Restore tests as the sequencer sees them: each is restored in isolation and put to every check.
//!
//! A backup that was never restored is a hope. The copy has networks of its own, sends nothing to the archive, and reads
//! the backup repository without being able to change it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use blackstart_evidence::{
    copies::{self, held},
    fact::{Fact, digest_of_tokens},
};
use blackstart_reports::record::{CheckResult, Isolation, LevelResult, RestoreTest, Status};
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
    workload::Clients,
    world::{DiskState, World, WorldError, WorldErrorKind},
};

/// How long a copy may take to become ready after its data is there, at the least; and as long as any of its nodes may.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What came of a backup.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tested {
    /// Whether it may be kept; unknown where nothing speaks against it and some check could not look.
    pub valid: Option<bool>,
    /// How that was found.
    pub restore_test: RestoreTest,
    /// The proof that its copy had no way out, where the copy came up.
    pub isolation: Option<Isolation>,
    /// What its copy held, where that could be asked.
    pub copy: Option<copies::Copy>,
}

/// How many copies stand at a time. Each boots a whole system: more would only make one another wait.
const AT_A_TIME: usize = 2;

impl Drill<'_> {
    /// Restores and tests every backup that can be restored by itself, the oldest first.
    pub(super) async fn test_restores(&self, facts: &mut Facts) -> Result<(), Stop> {
        let restorable: Vec<Kept> = facts.backups.iter().filter(|kept| kept.planned.is_restorable()).cloned().collect();
        // Where one cannot be tested, the others end too, but nothing of them may stay.
        let cancel = self.setting.cancel.child_token();
        let mut testing = stream::iter(restorable).map(|kept| self.test_restore(kept, &cancel)).buffered(AT_A_TIME);
        let mut ended = Ok(());
        while let Some((id, left, tested)) = testing.next().await {
            facts.leftovers.extend(left);
            match tested {
                Ok(tested) => {
                    facts.note_isolation(self.events, tested.isolation.clone());
                    self.state_tested(&id, &tested);
                    facts.copies.extend(tested.copy.clone().map(|copy| (id.clone(), copy)));
                    facts.restore_tests.insert(id, tested);
                }
                Err(stop) => {
                    cancel.cancel();
                    ended = ended.and(Err(stop));
                }
            }
        }
        ended
    }

    fn state_tested(&self, id: &str, tested: &Tested) {
        let copy = tested.copy.as_ref();
        if let Some(copy) = copy {
            let (count, digest) = (copy.survivors.len() as u64, digest_of_tokens(&copy.survivors));
            self.events.state(Fact::Survivors { copy: Some(id.to_owned()), count, digest });
        }
        let (valid, restore_test) = (tested.valid, tested.restore_test.clone());
        let asked_us = copy.map(|copy| copy.asked_us);
        self.events.state(Fact::RestoreTested { id: id.to_owned(), valid, restore_test, asked_us });
    }

    /// The name of a backup, what was left of its copy, and what came of it.
    async fn test_restore(
        &self,
        kept: Kept,
        cancel: &CancellationToken,
    ) -> (String, Vec<String>, Result<Tested, Stop>) {
        let id = kept.planned.id.clone();
        if cancel.is_cancelled() {
            return (id, Vec::new(), Err(Stop::Cancelled));
        }
        self.events.say(Event::Progress { text: format!("backup {id} is restored in isolation") });
        let plan = match plan::isolated(self.plan()) {
            Ok(plan) => Arc::new(plan),
            Err(error) => return (id, Vec::new(), Err(stop("restore-test", error))),
        };
        let world = match self.scene.world.beside(&id, &plan) {
            Ok(world) => world,
            Err(error) => return (id, Vec::new(), Err(stop("restore-test", error))),
        };
        let mut topology = Topology::beside(Arc::clone(&world), self.setting.ledger.clone(), &id);
        let copy = Copy { drill: self, plan, world, kept: &kept };
        // Whatever came of it, even if the fault is ours, the copy must go.
        let testing = AssertUnwindSafe(cancel.run_until_cancelled(copy.test(&mut topology))).catch_unwind();
        let tested = testing.await;
        let left = topology.tear_down().await;
        for what in &left {
            self.events.say(Event::Leftover { what: what.clone() });
        }
        // The removal cannot be cancelled; whoever cancelled meanwhile is heard here.
        let tested = match tested {
            Err(panic) => Err(Stop::Panic(words_of(&*panic))),
            Ok(None) => Err(Stop::Cancelled),
            Ok(Some(_)) if cancel.is_cancelled() => Err(Stop::Cancelled),
            Ok(Some(Err(error))) => Err(stop("restore-test", error)),
            Ok(Some(Ok(tested))) => {
                let detail = words(&tested.restore_test);
                self.events.say(Event::RestoreTested { id: id.clone(), valid: tested.valid, detail });
                Ok(tested)
            }
        };
        (id, left, tested)
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
    async fn test(&self, topology: &mut Topology) -> Result<Tested, WorldError> {
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
        let known = RestoreTest { crash_consistency, ..nothing() };
        if let Err(error) = self.restore().await? {
            let restore_test = RestoreTest { error: Some(error), ..known };
            return Ok(Tested { valid: Some(false), restore_test, isolation: None, copy: None });
        }
        let came_back = self.come_up(topology, &clients).await?;
        let restore_seconds = Some((clock.now_us() - began_us) as f64 / 1e6);
        if let Err(error) = came_back {
            let restore_test = RestoreTest { restore_seconds, error: Some(error), ..known };
            return Ok(Tested { valid: Some(false), restore_test, isolation: None, copy: None });
        }
        let proof = isolation::prove(&self.kept.planned.id, self.world.as_ref(), &self.plan, topology);
        let ((levels, copy), isolation) = tokio::join!(self.examine(clients), proof);
        let isolation = isolation?;
        let held = copy.as_ref().map(|copy| self.drill.clients.with_history(|history| held(history, copy)));
        let (missing, holds_until_ms) = held.map_or((None, None), |held| (Some(held.missing), held.until_ms));
        let application = consistency::for_applications(&disks, &levels);
        // Levels look at what is there. That nothing is missing which was there when the backup began, only clients know.
        let has_failed = checks(&levels).any(|check| check.status == Status::Failed);
        let is_wrong = missing != Some(0) || has_failed || application.status == Status::Failed;
        let valid = if is_wrong { Some(false) } else { levels.iter().all(consistency::holds).then_some(true) };
        let application_consistency = Some(application);
        let restore_test =
            RestoreTest { restore_seconds, holds_until_ms, missing, levels, application_consistency, ..known };
        Ok(Tested { valid, restore_test, isolation, copy })
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
        let procedure = Procedure { scene, in_place: Arc::default(), secondary: None };
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
    async fn examine(&self, clients: Clients) -> (Vec<LevelResult>, Option<copies::Copy>) {
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
        let copy = examiner.survivors.as_ref().map(|survivors| copies::Copy {
            began_us: self.kept.us.0,
            asked_us: self.drill.now_us(),
            requests: self.drill.clients.with_history(Vec::len),
            survivors: survivors.to_vec(),
        });
        let levels = examiner.examine(&|_, _| ()).await;
        (levels, copy)
    }
}

/// An error as a finding about the backup, unless it is one of ours: a copy that this machine cannot hold says nothing of it.
fn about_the_backup(error: WorldError) -> Result<Result<(), String>, WorldError> {
    if error.kind.is_ours() { Err(error) } else { Ok(Err(error.to_string())) }
}

fn checks(levels: &[LevelResult]) -> impl Iterator<Item = &CheckResult> {
    levels.iter().flat_map(|level| &level.checks)
}

const fn nothing() -> RestoreTest {
    RestoreTest {
        restore_seconds: None,
        holds_until_ms: None,
        missing: None,
        error: None,
        levels: Vec::new(),
        crash_consistency: None,
        application_consistency: None,
    }
}

/// A restore test in one line.
fn words(restore_test: &RestoreTest) -> String {
    if let Some(error) = &restore_test.error {
        return error.clone();
    }
    let bad: Vec<&str> = checks(&restore_test.levels)
        .filter(|check| matches!(check.status, Status::Failed | Status::Error))
        .map(|check| check.id.as_str())
        .collect();
    let restored = restore_test.restore_seconds.unwrap_or_default();
    let checks = checks(&restore_test.levels).count();
    match (restore_test.missing, bad.is_empty()) {
        (Some(0), true) => format!("restored in {restored:.1} s, {checks} checks passed"),
        (Some(missing), true) => {
            format!("restored in {restored:.1} s, and {missing} writes from before it began are missing")
        }
        _ => format!("restored in {restored:.1} s, and failed {}", bad.join(", ")),
    }
}
