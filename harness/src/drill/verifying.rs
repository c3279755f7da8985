//! The verification as the sequencer sees it: what survived, every check, and what the failed nodes still hold.

use std::sync::{Arc, Mutex, PoisonError};

use blackstart_evidence::{
    checks,
    fact::{Fact, digest_of_tokens},
    manifest::digest_of,
};
use blackstart_reports::{record::Status, verdict::is_verified};

use super::{
    Facts, Stop,
    events::Event,
    isolation,
    phases::{Drill, EVERY},
};
use crate::{
    fault::InPlace,
    plan::{Plan, PlannedStep},
    scenario::{
        step::{Environment, StepKind},
        system::{ClusterChange, Role},
    },
    verify::Examiner,
    world::NodeState,
};

/// How often the writer is asked for its tokens before nothing is known of them.
const SURVIVOR_TRIES: usize = 3;

/// Whether a fault that stands, or the last step about a node, left it down. Which operations take a node down is known to
/// the system alone, but for those that bring one back.
fn may_be_down(plan: &Plan, facts: &Facts, node: &str) -> bool {
    let is_victim = |fault: &InPlace| fault.stands() && fault.fault.victims.iter().any(|victim| victim == node);
    let steps = plan.recovery.procedure.iter().chain(&plan.recovery.afterwards);
    let is_done = |step: &&PlannedStep| {
        facts.procedure.iter().any(|done| done.name == step.name && done.status == Status::Passed)
    };
    steps.filter(is_done).fold(facts.faults.iter().any(is_victim), |is_down, step| match &step.kind {
        StepKind::PowerOff(step) if step.node == node => true,
        StepKind::Start(step) if step.node == node => false,
        StepKind::RestoreStep(step) if step.node.as_deref() == Some(node) => false,
        StepKind::OperationStep(step) if step.node == node => {
            let does = step.operation(&plan.declared.system).and_then(|operation| operation.does);
            is_down || !does.is_some_and(ClusterChange::keeps_running)
        }
        StepKind::Command(step) if step.on == node => true,
        _ => is_down,
    })
}

impl Drill<'_> {
    /// Asks what survived, runs every check, and asks the nodes that failed what they still hold.
    pub(super) async fn verify(&self, facts: &mut Facts) -> Result<(), Stop> {
        facts.nodes_down = self.nodes_down_for_nothing(facts).await;
        self.events.state(Fact::NodesDown(facts.nodes_down.clone()));
        let mut examiner = self.examiner(self.in_service, facts).await;
        examiner.survivors = self.ask_survivors(&examiner).await.ok();
        let answers = Mutex::new(Vec::new());
        facts.levels = examiner
            .examine(&|level, (check, answer)| {
                let (id, detail) = (check.id.clone(), check.detail.clone());
                let kept = checks::kept(answer);
                self.events.state(Fact::Checked { level, result: check.clone(), answer: digest_of(&kept) });
                answers.lock().unwrap_or_else(PoisonError::into_inner).push((id.clone(), kept));
                self.events.say(Event::Check { level, id, status: check.status, detail });
            })
            .await;
        self.events.state(Fact::Examined);
        facts.answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        if facts.nodes_down.is_empty() && is_verified(facts.levels.iter().map(|level| level.status)) {
            let at_us = self.now_us();
            facts.verified_us = Some(at_us);
            self.events.state(Fact::Verified { at_us });
        }
        // What the checks themselves wrote must have survived as well, so the last word on survivors comes after them.
        // An older answer will not do: it would make lost writes of theirs.
        match self.ask_survivors(&examiner).await {
            Ok(tokens) => {
                let (count, digest) = (tokens.len() as u64, digest_of_tokens(&tokens));
                self.events.state(Fact::Survivors { copy: None, count, digest });
                facts.survivors = Some(tokens);
            }
            Err(why) => {
                self.events.state(Fact::Unmeasured { why: why.clone() });
                facts.unmeasured = Some(why);
            }
        }
        // What failed stands in the primary environment, wherever clients are now.
        let primary = self.examiner(Environment::Primary, facts).await;
        facts.stranded = self.ask_failed_nodes(&primary, facts).await;
        if let Some(tokens) = &facts.stranded {
            self.events.state(Fact::Stranded { count: tokens.len() as u64, digest: digest_of_tokens(tokens) });
        }
        Ok(())
    }

    /// What looks at an environment.
    async fn examiner(&self, environment: Environment, facts: &Facts) -> Examiner {
        let (world, plan) = match (&self.procedure.secondary, environment) {
            (Some(secondary), Environment::Secondary) => (&secondary.world, &secondary.plan),
            _ => (&self.scene.world, &self.scene.plan),
        };
        let down = match environment {
            Environment::Primary => self.nodes_left_down(facts).await,
            Environment::Secondary => Vec::new(),
        };
        Examiner {
            world: Arc::clone(world),
            plan: Arc::clone(plan),
            clients: self.clients.clone(),
            clock: self.scene.clock,
            down,
            fault_us: facts.first_fault().map(|fault| fault.began_us.lower),
            survivors: None,
            writer: Arc::default(),
            round: 0,
        }
    }

    /// Demands that the checks of some levels hold at the secondary environment, before clients are sent there.
    pub(super) async fn check_secondary(&self, levels: &[u8], facts: &Facts) -> Result<String, String> {
        let mut examiner = self.examiner(Environment::Secondary, facts).await;
        examiner.survivors = self.ask_survivors(&examiner).await.ok();
        let (found, proved) = tokio::join!(examiner.examine_levels(levels), self.prove_secondary(facts));
        proved.map_err(|error| error.to_string())?;
        let checks = || found.iter().flat_map(|level| &level.checks);
        let bad: Vec<String> = checks()
            .filter(|check| !matches!(check.status, Status::Passed | Status::Tolerated))
            .map(|check| format!("{}: {}", check.id, check.detail))
            .collect();
        match (checks().count(), bad.is_empty()) {
            (0, _) => Err("the system declares no check at these levels, so nothing was looked at".to_owned()),
            (count, true) => Ok(format!("{count} checks hold")),
            (_, false) => Err(bad.join("; ")),
        }
    }

    /// Records that the secondary environment has no way out, while its nodes run.
    async fn prove_secondary(&self, facts: &Facts) -> crate::world::Result<()> {
        let Some(there) = &self.procedure.secondary else { return Ok(()) };
        let mut topology = there.topology.lock().await;
        let name = Environment::Secondary.name();
        let proof = isolation::prove(name, there.world.as_ref(), &there.plan, &mut topology).await?;
        facts.note_isolation(self.events, proof);
        Ok(())
    }

    /// The tokens that the one writer holds. One question that fails must not make an unknown of the whole loss.
    async fn ask_survivors(&self, examiner: &Examiner) -> Result<Arc<Vec<String>>, String> {
        let mut why = String::new();
        for _ in 0..SURVIVOR_TRIES {
            match examiner.survivors().await {
                Ok(tokens) => return Ok(Arc::new(tokens)),
                Err(error) => why = error.to_string(),
            }
            self.events.say(Event::Progress { text: why.clone() });
            tokio::time::sleep(EVERY).await;
        }
        Err(why)
    }

    /// Nodes that do not run although no fault that stands, and no step, left them down.
    async fn nodes_down_for_nothing(&self, facts: &Facts) -> Vec<String> {
        let mut down = Vec::new();
        for planned in &self.plan().nodes {
            let name = &planned.node.name;
            let state = self.scene.world.state(name).await;
            if matches!(state, Ok(NodeState::Down | NodeState::Paused)) && !may_be_down(self.plan(), facts, name) {
                down.push(name.clone());
            }
        }
        down
    }

    /// Nodes that the drill left down, paused or partitioned. One that is down for no reason is not passed over.
    async fn nodes_left_down(&self, facts: &Facts) -> Vec<String> {
        let is_isolated = |name: &String| {
            let mut unhealed = facts.faults.iter().filter(|fault| fault.stands()).map(|fault| &fault.fault);
            unhealed.any(|fault| fault.effects().isolates && fault.victims.contains(name))
        };
        let mut down = Vec::new();
        for planned in &self.plan().nodes {
            let name = &planned.node.name;
            let runs = matches!(self.scene.world.state(name).await, Ok(NodeState::Running));
            if (!runs && !facts.nodes_down.contains(name)) || is_isolated(name) {
                down.push(name.clone());
            }
        }
        down
    }

    /// The tokens that the failed databases still hold; none where no failed database could be asked.
    async fn ask_failed_nodes(&self, examiner: &Examiner, facts: &Facts) -> Option<Vec<String>> {
        let (_, database) = self.plan().work_database()?;
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
