//! The status of every check, evaluated again: what was demanded stands in the scenario, and what came back is kept.

use std::{borrow::Cow, collections::BTreeSet, path::Path};

use blackstart_reports::{
    record::{CheckResult, World},
    verdict::is_verified,
};

use crate::{
    checks::{self, Answer, Check, Expected, HistoryAnswer, QuestionCheck, RowsAre},
    fact::digest_of_tokens,
    history::{Outcome, Sender, Sent},
    manifest::{self, digest_of},
    measure,
    observations::Observations,
    rebuild::Sources,
};

/// The check that a plan adds where a bad change is drilled: nothing of it may be left.
const DAMAGE_GONE: &str = "damage-gone";

/// What a run's checks come to.
#[derive(Debug, Default)]
pub struct Rechecked {
    /// What is told otherwise, each by the name of its check.
    pub wrong: Vec<String>,
    /// What rests on words alone.
    pub unchecked: Vec<String>,
    /// How many were evaluated again.
    pub count: usize,
}

/// Evaluates every check of a run again.
pub fn recheck(folder: &Path, sources: &Sources<'_>) -> Rechecked {
    let mut rechecked = Rechecked::default();
    let facts = &sources.journal.facts;
    if !facts.is_examined {
        return rechecked;
    }
    let mut by_model = Vec::new();
    for (level, result, digest) in &facts.checked {
        match answer_to(folder, result, digest) {
            Err(why) => rechecked.wrong.push(why),
            Ok(answer) => {
                rechecked.count += 1;
                if matches!(answer, Answer::Modelled { .. }) {
                    by_model.push(result.id.clone());
                }
                rechecked.look_at(*level, result, &answer, sources);
            }
        }
    }
    if !by_model.is_empty() {
        rechecked.unchecked.push(format!("what the model answered for its system: {}", by_model.join(", ")));
    }
    rechecked.wrong.extend(left_out(sources));
    let holds = facts.nodes_down.is_empty() && is_verified(facts.checked.iter().map(|(_, result, _)| result.status));
    if holds != facts.verified_us.is_some() {
        let told = if holds { "never" } else { "some time" };
        rechecked
            .wrong
            .push(format!("every level is told to have been verified {told}, and the checks tell otherwise"));
    }
    rechecked
}

/// What came back for a check, which must be what the journal tells of.
fn answer_to(folder: &Path, result: &CheckResult, digest: &str) -> Result<Answer, String> {
    let name = checks::file_of(&result.id);
    let text = manifest::read_text(folder, &name)?;
    if digest_of(&text) != *digest {
        return Err(format!("{name} is not what came back"));
    }
    serde_json::from_str(&text).map_err(|error| format!("{name} is no answer to a check: {error}"))
}

/// Checks that every drill asks, and of which no answer is told.
fn left_out<'a>(sources: &'a Sources<'_>) -> impl Iterator<Item = String> + 'a {
    let asked: BTreeSet<&str> = sources.journal.facts.checked.iter().map(|(_, result, _)| result.id.as_str()).collect();
    let declared = sources.resolved.system.checks.iter().filter(|check| !check.isolated);
    declared
        .filter(move |check| !asked.contains(check.id.as_str()))
        .map(|check| format!("check {}: it is declared, and no answer is told", check.id))
}

/// A check as it was demanded; whether its words can be made again too.
fn demanded(id: &str, sources: &Sources<'_>) -> Option<(Check, bool)> {
    let declared = sources.resolved.system.checks.iter().find(|check| check.id == id);
    let added = || {
        let question = QuestionCheck::expecting(Expected::Rows(RowsAre::None));
        Check { id: id.to_owned(), level: 3, question: Some(question), ..Check::default() }
    };
    declared.map(|check| (check.clone(), true)).or_else(|| (id == DAMAGE_GONE).then(|| (added(), false)))
}

impl Rechecked {
    fn look_at(&mut self, level: u8, result: &CheckResult, answer: &Answer, sources: &Sources<'_>) {
        let wrong = wrong_with(level, result, answer, sources).into_iter();
        self.wrong.extend(wrong.map(|what| format!("check {}: {what}", result.id)));
        let (wrong, unchecked) = against_requests(answer, sources);
        self.wrong.extend(wrong.map(|what| format!("check {}: {what}", result.id)));
        self.unchecked.extend(unchecked.map(|what| format!("check {}: {what}", result.id)));
    }
}

fn wrong_with(level: u8, result: &CheckResult, answer: &Answer, sources: &Sources<'_>) -> Option<String> {
    let Some((check, has_words)) = demanded(&result.id, sources) else {
        return Some("the scenario declares no such check".to_owned());
    };
    let world = sources.journal.facts.began.as_ref().map(|began| began.world);
    if check.level != level {
        return Some(format!("told at level {level}, declared at {}", check.level));
    }
    if matches!(answer, Answer::Modelled { .. }) && world != Some(World::Simulated) {
        return Some("answered by a model, in a run on real containers".to_owned());
    }
    let (status, detail) = match check.status(sources.resolved.scenario.tolerated(&result.id), answer) {
        Ok(evaluated) => evaluated,
        Err(why) => return Some(why),
    };
    let is_same = result.status == status && (!has_words || result.detail == detail);
    let said = |status, detail: &str| format!("{} ({detail})", format!("{status:?}").to_lowercase());
    let (told, again) = (said(result.status, &result.detail), said(status, &detail));
    (!is_same).then(|| format!("told {told}, and its kept answer comes to {again}"))
}

/// What an answer says of requests, held against the history of them: what is wrong, and what cannot be held against it.
fn against_requests(answer: &Answer, sources: &Sources<'_>) -> (Option<String>, Option<String>) {
    match answer {
        Answer::Invocation(told) => {
            let own = sources.history.iter().find(|sent| sent.sender == Sender::Check && *sent.token == *told.token);
            let is_ok = |sent: &Sent| (sent.outcome == Outcome::Ok) == told.is_acknowledged;
            let is_same = own.is_some_and(|sent| is_ok(sent) && *sent.kind == *told.request);
            ((!is_same).then(|| format!("the history tells otherwise of its request {}", told.token)), None)
        }
        Answer::History(told) => {
            let observations = sources.measured.map(|(observations, _)| observations);
            match observations.and_then(|it| history_again(it, sources.history, told)) {
                Some(true) => (None, None),
                Some(false) => (Some("history and survivors come to other counts".to_owned()), None),
                None => (None, Some("it was asked about other survivors than those that are kept".to_owned())),
            }
        }
        _ => (None, None),
    }
}

/// Whether history and survivors come to the same counts again, but for the requests that checks sent afterwards; nothing where
/// the survivors were others.
fn history_again(observations: &Observations, history: &[Sent], told: &HistoryAnswer) -> Option<bool> {
    let of_checks: BTreeSet<&str> =
        history.iter().filter(|sent| sent.sender == Sender::Check).map(|sent| &*sent.token).collect();
    let survivors = observations.survivors.as_ref()?.iter().map(String::as_str);
    let mut survivors: Vec<&str> = survivors.filter(|token| !of_checks.contains(token)).collect();
    survivors.sort_unstable();
    if digest_of_tokens(&survivors) != told.survivors {
        return None;
    }
    // Checks bring their requests last; were it otherwise, a copy of the history without them would do.
    let is_of_check = |sent: &Sent| sent.sender == Sender::Check;
    let first = history.iter().position(is_of_check).unwrap_or(history.len());
    let history = if history[first..].iter().all(is_of_check) {
        Cow::Borrowed(&history[..first])
    } else {
        Cow::Owned(history.iter().filter(|sent| !is_of_check(sent)).cloned().collect())
    };
    let loss = measure::loss(&history, &survivors, observations.fault_us.map(|fault| fault.lower));
    let again = (loss.phantom, loss.unexpected, loss.duplicated, loss.non_prefix_loss);
    Some(again == (told.phantom, told.unexpected, told.duplicated, told.holes) && told.rows == survivors.len() as u64)
}
