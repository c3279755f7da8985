//! The six levels of verification: every declared check, run and evaluated by what it found.
//!
//! Checks ask and never change anything; the invocation of new work goes through the door that clients use. A check is
//! asked again until it holds or its time is up, since a recovered system may still be catching up. Findings are
//! collected, never stopped at the first.
//!
//! One file per kind of check. What is declared of it stands in the file of the same name in `harness/src/scenario/check/`, whose
//! registry makes the list here too.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use blackstart_evidence::checks::{self, Answer, Evaluate, Evaluation};
pub use blackstart_evidence::rebuild::LEVELS;
use blackstart_reports::{
    record::{CheckResult, LevelResult},
    verdict::level_status,
};
use futures_util::future::join_all;

use crate::{
    clock::Clock,
    plan::{Plan, or_default},
    question::Asker,
    scenario::check::{Check, CheckKind, checks},
    workload::Clients,
    world::{ModelAnswer, Result, Rows, SqlTarget, World, WorldError, WorldErrorKind},
};

/// The first level whose checks bring requests of their own.
const INVOCATION: usize = 5;

/// How often a check that does not hold yet is asked again.
const EVERY: Duration = Duration::from_millis(50);

/// How long a check may take where the system does not say.
const WITHIN_MS: u64 = 5000;

/// How long the question for survivors may take: it is about every request that was ever made.
const SURVIVORS_WITHIN: Duration = Duration::from_secs(30);

/// How long one question may take.
const ASK_WITHIN: Duration = Duration::from_secs(5);

/// What came back for a check, and what it amounts to.
struct Asked {
    answer: Answer,
    evaluation: Option<Evaluation>,
}

impl Asked {
    /// An answer, evaluated by what the check demands.
    fn evaluated<C: Evaluate<Answer: Clone>>(check: &C, answer: C::Answer) -> Self
    where
        Answer: From<C::Answer>,
    {
        Self { evaluation: Some(check.evaluate(&answer)), answer: answer.into() }
    }

    /// The drill left nothing of what the check is about.
    fn nothing(why: String) -> Self {
        Self { answer: Answer::Nothing { why }, evaluation: None }
    }

    /// Whether there is no need to ask again.
    fn holds(&self) -> bool {
        self.evaluation.as_ref().is_none_or(|evaluation| evaluation.deviations == 0)
    }
}

/// A check as it is asked.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// Its level.
    level: u8,
    /// Its place among those of the level.
    index: usize,
    /// How long it may take.
    within: Duration,
}

/// How a kind of check is asked and evaluated.
#[async_trait]
trait Ask: Sync {
    /// Asks once.
    async fn ask(&self, examiner: &Examiner, turn: Turn) -> Result<Asked>;

    /// Whether it asks what we know ourselves, so that a model of the world has nothing to say about it.
    fn is_ours(&self) -> bool {
        false
    }
}

macro_rules! asks {
    ($($(#[$doc:meta])+ $key:ident: $Check:ident,)+) => {
        $(pub mod $key;)+

        /// How a kind of check is asked.
        fn ask(kind: &CheckKind) -> &dyn Ask {
            match kind {
                $(CheckKind::$Check(it) => it,)+
            }
        }
    };
}
checks!(asks);

/// What the checks of a run look at.
#[derive(Clone)]
pub struct Examiner {
    /// The world, of which only questions, commands and states are used.
    pub world: Arc<dyn World>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The clients, for the invocation of new work.
    pub clients: Clients,
    /// The run's clock.
    pub clock: Clock,
    /// Nodes that the drill left down, paused or partitioned.
    pub down: Vec<String>,
    /// The earliest moment of the first fault; a control has none.
    pub fault_us: Option<u64>,
    /// The tokens of the recovered writer, where they could be read.
    pub survivors: Option<Arc<Vec<String>>>,
    /// The server that took writes when it was last looked for.
    pub writer: Arc<Mutex<Option<String>>>,
    /// Which examination of the system this is, where there are several: the tokens of their requests must never meet.
    pub round: usize,
}

/// One check's result with what came back.
pub type Examined = (CheckResult, Answer);

/// Who hears each result at once, with its level.
pub type Heard<'a> = &'a (dyn Fn(u8, &Examined) + Send + Sync);

impl Examiner {
    /// Runs every check: first those that ask, side by side, and then those that bring work of their own, which others would
    /// see half done. `heard` hears each result at once.
    pub async fn examine(&self, heard: Heard<'_>) -> Vec<LevelResult> {
        let mut levels = join_all((1..INVOCATION).map(|level| self.examine_level(level, heard))).await;
        levels.extend(join_all((INVOCATION..=LEVELS.len()).map(|level| self.examine_level(level, heard))).await);
        levels
    }

    /// Runs the checks of some levels, which must bring no work of their own.
    pub async fn examine_levels(&self, levels: &[u8]) -> Vec<LevelResult> {
        join_all(levels.iter().map(|level| self.examine_level(usize::from(*level), &|_, _| ()))).await
    }

    async fn examine_level(&self, level: usize, heard: Heard<'_>) -> LevelResult {
        let (number, name) = (level as u8, LEVELS[level - 1].to_owned());
        let checks = self.plan.checks.iter().filter(|check| check.level == number);
        let checks = join_all(checks.enumerate().map(|(index, check)| async move {
            let examined = self.examine_one(check, index).await;
            heard(number, &examined);
            examined.0
        }))
        .await;
        let status = level_status(checks.iter().map(|check| check.status));
        LevelResult { level: number, name, status, checks }
    }

    async fn examine_one(&self, check: &Check, index: usize) -> Examined {
        let began_us = self.clock.now_us();
        let within = or_default(check.within, WITHIN_MS);
        let last = self.ask_until_it_holds(check, index, within).await;
        let Asked { answer, evaluation } = last.unwrap_or_else(|error| without_answer(&error));
        let (status, detail) = checks::status(check.level, self.tolerated(check), &answer, evaluation);
        let duration_ms = (self.clock.now_us() - began_us) / 1000;
        let cannot_prove = check.cannot_prove.clone();
        (CheckResult { id: check.id.clone(), status, detail, duration_ms, cannot_prove }, answer)
    }

    /// The first answer that holds, or the last one when time is up. A try that time ends says less than the one before.
    async fn ask_until_it_holds(&self, check: &Check, index: usize, within: Duration) -> Result<Asked> {
        let deadline = tokio::time::Instant::now() + within;
        let mut last = Err(out_of_time(check, within));
        while let Ok(answer) = tokio::time::timeout_at(deadline, self.ask(check, index)).await {
            let holds = answer.as_ref().is_ok_and(Asked::holds);
            last = answer;
            if holds || tokio::time::Instant::now() + EVERY >= deadline {
                break;
            }
            tokio::time::sleep(EVERY).await;
        }
        last
    }

    async fn ask(&self, check: &Check, index: usize) -> Result<Asked> {
        let ask = ask(&check.kind);
        let modelled = check.models.filter(|_| !ask.is_ours()).and_then(|property| self.world.model(property));
        if let Some(ModelAnswer { deviations, detail: said }) = modelled {
            let evaluation = Some(Evaluation { deviations, detail: said.clone() });
            return Ok(Asked { answer: Answer::Modelled { deviations, said }, evaluation });
        }
        let within = or_default(check.within, WITHIN_MS);
        ask.ask(self, Turn { level: check.level, index, within }).await
    }

    fn tolerated(&self, check: &Check) -> u64 {
        let tolerances = &self.plan.declared.scenario.tolerate;
        tolerances.iter().filter(|tolerance| tolerance.check == check.id).map(|tolerance| tolerance.up_to).sum()
    }

    /// What asks the nodes.
    fn asker(&self) -> Asker<'_> {
        Asker::new(self.world.as_ref(), &self.plan).remembering(&self.writer)
    }

    /// The server that a comparison of contents asks: the node named, or whichever takes writes.
    async fn target(&self, on: &str, database: &str) -> Result<SqlTarget> {
        let asker = self.asker();
        let node = if on == "writer" { asker.writer(database).await? } else { on.to_owned() };
        asker.target(Some(database), &node)
    }

    /// The tokens that the recovered writer holds.
    ///
    /// # Errors
    /// Where no server, or more than one, takes writes, or the question fails.
    pub async fn survivors(&self) -> Result<Vec<String>> {
        Ok(tokens(self.asker().ask(&self.plan.load.survivors, SURVIVORS_WITHIN).await?))
    }

    /// The tokens that a node which failed still holds.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub async fn stranded(&self, node: &str) -> Result<Vec<String>> {
        Ok(tokens(self.asker().ask_node(node, &self.plan.load.survivors, SURVIVORS_WITHIN).await?))
    }
}

/// The first cell of each row.
fn tokens(rows: Rows) -> Vec<String> {
    rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
}

/// Whether an error is the system's own answer: a refused query, a deadline passed, a server that is away. That is
/// what the check is there to find; only what is wrong with us is an error.
const fn is_finding(error: &WorldError) -> bool {
    !error.kind.is_ours()
}

/// What is kept where no answer came.
fn without_answer(error: &WorldError) -> Asked {
    let why = error.to_string();
    let answer = if is_finding(error) { Answer::Refused { why } } else { Answer::Error { why } };
    Asked { answer, evaluation: None }
}

fn out_of_time(check: &Check, within: Duration) -> WorldError {
    WorldError::new(
        WorldErrorKind::TimedOut,
        format!("get an answer to check {}", check.id),
        format!("none within {within:?}"),
    )
}

fn answered(doing: String, happened: impl Into<String>) -> WorldError {
    WorldError::new(WorldErrorKind::Answered, doing, happened)
}
