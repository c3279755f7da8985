//! What the record of a run tells and its history of requests does not show: stated in the journal at the moment when it is
//! known, so that a record can be held against it, and a run that was cut off still tells how far it came.

use std::collections::BTreeMap;

use blackstart_reports::record::{
    CheckResult, FaultResult, Interval, Isolation, Phase, RestoreTest, ScenarioRef, StepResult, Verdict, World,
};
use serde::{Deserialize, Serialize};

/// A statement of fact. Times are microseconds on the run's clock, where nothing else is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The run began.
    Began(Began),
    LoadBegan {
        /// When.
        at_us: u64,
    },
    /// A fault was put in place.
    Struck {
        /// The interval within which it was.
        began_us: Interval<u64>,
        /// Whether it can take service away.
        takes_service: bool,
    },
    /// A moment that has a name was reached.
    Milestone {
        name: String,
        /// The interval in which it lies.
        at_us: Interval<u64>,
    },
    /// A step of the procedure ended.
    Step(StepResult),
    /// A phase ended.
    Phase(Phase),
    /// The clients stopped.
    Watched(Watched),
    /// A check ended.
    Checked {
        level: u8,
        /// What it found.
        result: CheckResult,
        /// SHA-256 of what came back, as it is kept under `checks/`.
        answer: String,
    },
    /// Every check of the verification has ended.
    Examined,
    /// Every level was verified.
    Verified {
        /// When.
        at_us: u64,
    },
    /// The tokens were read that the recovered writer holds, or, of a copy, the restored one.
    Survivors {
        /// The backup whose copy it was.
        copy: Option<String>,
        /// How many there are.
        count: u64,
        /// SHA-256 of them, each followed by a newline.
        digest: String,
    },
    /// The tokens were read that the failed nodes still hold.
    Stranded {
        /// How many there are.
        count: u64,
        /// SHA-256 of them, each followed by a newline.
        digest: String,
    },
    /// A backup was restored in isolation and tested.
    #[serde(alias = "judged")]
    RestoreTested {
        /// What the scenario calls it.
        id: String,
        /// Whether it is valid.
        valid: Option<bool>,
        /// How that was found.
        #[serde(alias = "judgement")]
        restore_test: RestoreTest,
        /// When, for what the copy holds.
        asked_us: Option<u64>,
    },
    /// Service was not healthy before the fault, and the drill ended there.
    Disturbed {
        /// What was found.
        what: String,
    },
    /// Nodes were down although no fault, step or declaration had left them so.
    NodesDown(Vec<String>),
    /// What survived could not be asked.
    Unmeasured { why: String },
    /// It was proved that an environment beside the run's own has no way out, or found that it has.
    Isolated(Isolation),
    /// The run ended.
    Ended {
        /// What came of it.
        verdict: Verdict,
    },
}

/// What is known when a run begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Began {
    /// The version of the program.
    pub tool_version: String,
    /// The run's identifier.
    pub run_id: String,
    /// When, by the wall clock, as a label.
    pub started_at: String,
    pub scenario: ScenarioRef,
    /// The seed of every random draw.
    pub seed: u64,
    /// Which world it runs in.
    pub world: World,
}

/// What is known once the clients have stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// When the load began.
    pub load_started_us: Option<u64>,
    /// From when on it was undisturbed by backups.
    pub undisturbed_us: Option<u64>,
    /// When it ended.
    pub load_ended_us: u64,
    /// When the recovery started.
    pub recovery_started_us: Option<u64>,
    /// When the recovered service was taken down on purpose.
    pub failback_us: Option<u64>,
    /// The longest stall of the harness.
    pub longest_stall_us: u64,
    /// When no more requests of the load were sent.
    pub load_stopped_us: Option<u64>,
    /// When the harness itself did not run, in order.
    pub stalls_us: Vec<Interval<u64>>,
    pub faults: Vec<FaultResult>,
    /// The standing conditions.
    pub conditions: Vec<FaultResult>,
}

/// The digest of tokens, as [`Fact::Survivors`] tells it.
pub fn digest_of_tokens(tokens: &[impl AsRef<str>]) -> String {
    let mut text = String::with_capacity(tokens.iter().map(|token| token.as_ref().len() + 1).sum());
    for token in tokens {
        text.push_str(token.as_ref());
        text.push('\n');
    }
    crate::manifest::digest_of(&text)
}

/// The facts of a run, sorted by what they are about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// How it began.
    pub began: Option<Began>,
    /// When the load began.
    pub load_began_us: Option<u64>,
    /// The faults as they struck, each with whether it can take service away.
    pub struck: Vec<(Interval<u64>, bool)>,
    /// The moments that have a name.
    pub milestones: BTreeMap<String, Interval<u64>>,
    /// The steps of the procedure.
    pub steps: Vec<StepResult>,
    /// What was found before the fault, where service was not healthy then.
    pub disturbed: Option<String>,
    /// The nodes that were down for no reason.
    pub nodes_down: Vec<String>,
    /// Why what survived is not known.
    pub unmeasured: Option<String>,
    /// The proofs of isolation, in order.
    pub isolation: Vec<Isolation>,
    /// The phases that ended.
    pub phases: Vec<Phase>,
    /// What was known once the clients had stopped.
    pub watched: Option<Watched>,
    /// The checks, in the order in which they ended, each with its level and the digest of its answer.
    pub checked: Vec<(u8, CheckResult, String)>,
    /// Whether every check of the verification has ended.
    pub is_examined: bool,
    /// When every level was verified.
    pub verified_us: Option<u64>,
    /// The last survivors that were read, and those of each copy: their number and digest.
    pub survivors: BTreeMap<Option<String>, (u64, String)>,
    /// The tokens that the failed nodes still hold: their number and digest.
    pub stranded: Option<(u64, String)>,
    /// The backups that were tested, in that order.
    pub restore_tests: BTreeMap<String, (Option<bool>, RestoreTest, Option<u64>)>,
    /// What came of the run.
    pub ended: Option<Verdict>,
}

impl Facts {
    pub fn add(&mut self, fact: Fact) {
        match fact {
            Fact::Began(began) => self.began = Some(began),
            Fact::LoadBegan { at_us } => self.load_began_us = Some(at_us),
            Fact::Struck { began_us, takes_service } => self.struck.push((began_us, takes_service)),
            Fact::Milestone { name, at_us } => drop(self.milestones.insert(name, at_us)),
            Fact::Step(step) => self.steps.push(step),
            Fact::Phase(phase) => self.phases.push(phase),
            Fact::Watched(watched) => self.watched = Some(watched),
            Fact::Checked { level, result, answer } => self.checked.push((level, result, answer)),
            Fact::Examined => self.is_examined = true,
            Fact::Stranded { count, digest } => self.stranded = Some((count, digest)),
            Fact::Verified { at_us } => self.verified_us = Some(at_us),
            Fact::Survivors { copy, count, digest } => drop(self.survivors.insert(copy, (count, digest))),
            Fact::Disturbed { what } => self.disturbed = Some(what),
            Fact::NodesDown(nodes) => self.nodes_down = nodes,
            Fact::Unmeasured { why } => self.unmeasured = Some(why),
            Fact::Isolated(proof) => self.isolation.push(proof),
            Fact::RestoreTested { id, valid, restore_test, asked_us } => {
                self.restore_tests.insert(id, (valid, restore_test, asked_us));
            }
            Fact::Ended { verdict } => self.ended = Some(verdict),
        }
    }

    /// The fault from which times count: the first that can take service away, where any can.
    pub fn first_fault_us(&self) -> Option<Interval<u64>> {
        let takes = self.struck.iter().find(|(_, takes_service)| *takes_service);
        takes.or(self.struck.first()).map(|(began_us, _)| *began_us)
    }

    /// Every fault that can take service away, in order.
    pub fn faults_us(&self) -> Vec<Interval<u64>> {
        self.struck.iter().filter(|(_, takes_service)| *takes_service).map(|(began_us, _)| *began_us).collect()
    }
}
