//! What runs left behind: whose it is, and its removal where the owner is gone.
//!
//! The labels on the engine say what is there, the ledgers what may still be coming: an engine that was asked for
//! something at the moment of a kill makes it all the same, some time later. Nothing of a run that may still live is
//! ever touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    ledger,
    owner::{self, OwnerState},
};
use crate::world::{Found, Remains, Result, WorldError, WorldErrorKind};

/// How long an engine may take from one thing that it was asked to make to the next.
const LATE_WITHIN: Duration = Duration::from_secs(2);
/// However many things still come, the removal begins after so long; what comes then is met by a later round.
const LATE_AT_MOST: Duration = Duration::from_secs(20);
/// How often the engine is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many looks must find nothing where something that was announced never came.
const QUIET_LOOKS: usize = 5;
/// How many times something is removed before what is left is told instead.
const ROUNDS: usize = 30;

/// What can be said of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its process runs.
    Alive,
    /// Its process is gone, or was said to be.
    Gone,
    /// It is of another machine or process namespace, or of an earlier boot: nothing can be said.
    Elsewhere,
    /// It made its things on another engine than the one that was asked.
    OtherEngine,
}

/// A run that left something, or is leaving something at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub run_id: String,
    /// What can be said of it.
    pub run_state: RunState,
    /// What is there.
    pub found: Vec<Found>,
    /// Its ledger, where there is one.
    pub ledger: Option<ledger::Found>,
}

/// What became of a run that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    pub run_id: String,
    /// What was removed.
    pub removed: Vec<String>,
    /// What could not be removed, and why.
    pub failed: Vec<(String, String)>,
    /// What its ledger announced that was never seen.
    pub never_came: Vec<String>,
    /// Whether it had a ledger that is now gone too.
    pub ledger_removed: bool,
}

/// Looks at the engine and at the ledgers of a folder, and classes every run. `known_gone` are runs of which somebody
/// knows better than can be told from here; one whose process is seen to run stays alive all the same.
///
/// # Errors
/// Where no engine answers, or others could have written the ledgers.
pub async fn survey(engine: &dyn Remains, folder: &Path, known_gone: &[String]) -> Result<Vec<Left>> {
    let name = engine.engine().await?;
    // Things first: a run that begins after this look has no part in it.
    let found = engine.list().await?;
    let mut runs: BTreeMap<String, (Vec<Found>, Option<ledger::Found>)> = BTreeMap::new();
    for one in found.into_iter().filter(|one| !one.run_id.is_empty()) {
        runs.entry(one.run_id.clone()).or_default().0.push(one);
    }
    for one in ledger::find(folder).map_err(|error| untrusted(&error))? {
        let run_id = one.run_id.clone();
        runs.entry(run_id).or_default().1 = Some(one);
    }
    let evaluated = runs.into_iter().map(|(run_id, (found, ledger))| {
        let run_state = evaluate(&found, ledger.as_ref(), &name, known_gone.contains(&run_id));
        Left { run_id, run_state, found, ledger }
    });
    Ok(evaluated.collect())
}

fn untrusted(error: &std::io::Error) -> WorldError {
    WorldError::new(WorldErrorKind::Other, "read the ledgers of runs", error.to_string())
}

/// A ledger without an owner proves nothing: not even that its run is over.
fn evaluate(found: &[Found], ledger: Option<&ledger::Found>, engine: &str, is_known_gone: bool) -> RunState {
    let mut owners: BTreeSet<&str> = found.iter().map(|one| one.owner.as_str()).collect();
    owners.extend(ledger.and_then(|ledger| ledger.owner.as_deref()));
    // A device does not tell whose it is; where nothing else is left of its run, nobody does.
    owners.remove("");
    let states: Vec<OwnerState> = owners.into_iter().map(owner::state).collect();
    let is_of_other = ledger.and_then(|ledger| ledger.engine.as_deref()).is_some_and(|other| other != engine);
    if states.contains(&OwnerState::Alive) {
        RunState::Alive
    } else if found.is_empty() && is_of_other {
        RunState::OtherEngine
    } else if is_known_gone {
        RunState::Gone
    } else if states.is_empty() || states.contains(&OwnerState::Elsewhere) {
        RunState::Elsewhere
    } else {
        RunState::Gone
    }
}

/// Removes everything of the runs that are gone, and their ledgers. The others are left alone.
///
/// # Errors
/// Where the engine stops answering.
pub async fn clear(engine: &dyn Remains, left: &[Left]) -> Result<Vec<Cleared>> {
    let mut runs: BTreeMap<String, Clearing> = BTreeMap::new();
    for one in left.iter().filter(|one| one.run_state == RunState::Gone) {
        runs.insert(one.run_id.clone(), Clearing::of(one));
    }
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    await_late(engine, &mut runs).await?;
    let mut quiet = 0;
    for _ in 0..ROUNDS {
        quiet = if remove_round(engine, &mut runs).await? { 0 } else { quiet + 1 };
        if quiet > 0 && (quiet >= QUIET_LOOKS || runs.values().all(Clearing::came_whole)) {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    note_what_is_left(engine, &mut runs).await?;
    Ok(runs.into_iter().map(|(run_id, run)| run.end(run_id)).collect())
}

/// A run that is being cleared.
#[derive(Default)]
struct Clearing {
    ledger: Option<ledger::Found>,
    /// Everything that was ever seen, by what the engine calls it.
    seen: BTreeMap<String, Found>,
    /// Why something is still there, by what the engine calls it.
    failed: BTreeMap<String, String>,
}

impl Clearing {
    fn of(left: &Left) -> Self {
        let mut own = Self { ledger: left.ledger.clone(), ..Self::default() };
        left.found.iter().for_each(|one| own.see(one));
        own
    }

    fn see(&mut self, found: &Found) {
        self.seen.insert(found.id.clone(), found.clone());
    }

    /// What was announced and has not been seen. The networks are two things under one name, and so are the container and
    /// the volume of an array.
    fn missing(&self) -> Vec<String> {
        let announced = self.ledger.iter().flat_map(|ledger| &ledger.open);
        let count = |name: &String| self.seen.values().filter(|one| one.resource == *name).count();
        let wanted = |name: &str| if name.ends_with("networks") || name == "array" { 2 } else { 1 };
        announced.filter(|name| count(name) < wanted(name)).cloned().collect()
    }

    fn came_whole(&self) -> bool {
        self.missing().is_empty()
    }

    fn end(self, run_id: String) -> Cleared {
        let never_came = self.missing();
        let is_clear = self.failed.is_empty();
        let ledger = self.ledger.filter(|_| is_clear);
        let name = |id: &String| self.seen.get(id).map_or_else(|| id.clone(), ToString::to_string);
        Cleared {
            run_id,
            removed: self
                .seen
                .values()
                .filter(|one| !self.failed.contains_key(&one.id))
                .map(ToString::to_string)
                .collect(),
            failed: self.failed.iter().map(|(id, why)| (name(id), why.clone())).collect(),
            never_came,
            ledger_removed: ledger.is_some_and(|ledger| fs::remove_file(ledger.path).is_ok()),
        }
    }
}

/// What is there of these runs now; all of it counts as seen. Says whether something is new.
async fn look(engine: &dyn Remains, runs: &mut BTreeMap<String, Clearing>) -> Result<(Vec<Found>, bool)> {
    let mut found = engine.list().await?;
    found.retain(|one| runs.contains_key(&one.run_id));
    let mut is_news = false;
    for one in &found {
        if let Some(run) = runs.get_mut(&one.run_id) {
            is_news |= !run.seen.contains_key(&one.id);
            run.see(one);
        }
    }
    Ok((found, is_news))
}

/// Waits until everything that was announced has come, or nothing more comes. A container whose volume were removed
/// before it is made would bring it back, without a label.
async fn await_late(engine: &dyn Remains, runs: &mut BTreeMap<String, Clearing>) -> Result<()> {
    let begun = Instant::now();
    let mut last_news = begun;
    while !runs.values().all(Clearing::came_whole)
        && last_news.elapsed() < LATE_WITHIN
        && begun.elapsed() < LATE_AT_MOST
    {
        sleep(LOOK_EVERY).await;
        if look(engine, runs).await?.1 {
            last_news = Instant::now();
        }
    }
    Ok(())
}

/// Removes one kind of what is there: containers until none is listed any more, then volumes, then networks. The engine
/// lists a container that is half made, says that it is not there when told to remove it, and makes it all the same;
/// its volume is then in use for as long as nobody looks again. Says whether there was anything to do.
async fn remove_round(engine: &dyn Remains, runs: &mut BTreeMap<String, Clearing>) -> Result<bool> {
    let (mut found, _) = look(engine, runs).await?;
    // What did not go with all the patience of the port will not go now either.
    found.retain(|one| !runs.get(&one.run_id).is_some_and(|run| run.failed.contains_key(&one.id)));
    let Some(first) = found.iter().map(|one| one.kind).min() else { return Ok(false) };
    found.retain(|one| one.kind == first);
    for (one, error) in engine.remove(&found).await? {
        if let Some(run) = runs.get_mut(&one.run_id) {
            run.failed.insert(one.id, error.happened);
        }
    }
    Ok(true)
}

/// The last word has the engine, and not what became of our requests.
async fn note_what_is_left(engine: &dyn Remains, runs: &mut BTreeMap<String, Clearing>) -> Result<()> {
    let (found, _) = look(engine, runs).await?;
    for run in runs.values_mut() {
        run.failed.retain(|id, _| found.iter().any(|one| one.id == *id));
    }
    for one in found {
        if let Some(run) = runs.get_mut(&one.run_id) {
            run.failed.entry(one.id).or_insert_with(|| "it is there again".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Mutex};

    use async_trait::async_trait;

    use super::*;
    use crate::world::FoundKind;

    /// An engine on which things turn up by and by, and some of which will not go.
    struct Slow {
        begun: Instant,
        coming: Vec<(u64, Found)>,
        removed: Mutex<Vec<String>>,
        /// The name of what will not go.
        stuck: &'static str,
        /// The name of what is half made: the first removal finds nothing.
        half_made: Mutex<&'static str>,
    }

    #[async_trait]
    impl Remains for Slow {
        async fn engine(&self) -> Result<String> {
            Ok("here".to_owned())
        }

        async fn list(&self) -> Result<Vec<Found>> {
            let now_ms = self.begun.elapsed().as_millis() as u64;
            let removed = self.removed.lock().unwrap();
            let is_there = |(at_ms, one): &&(u64, Found)| *at_ms <= now_ms && !removed.contains(&one.id);
            Ok(self.coming.iter().filter(is_there).map(|(_, one)| one.clone()).collect())
        }

        async fn remove(&self, found: &[Found]) -> Result<Vec<(Found, WorldError)>> {
            let half_made = std::mem::take(&mut *self.half_made.lock().unwrap());
            let rest = found.iter().filter(|one| one.name != half_made);
            let (stuck, gone): (Vec<_>, Vec<_>) = rest.partition(|one| one.name == self.stuck);
            assert!(found.iter().all(|one| one.kind == found[0].kind), "one kind after the other: {found:?}");
            self.removed.lock().unwrap().extend(gone.iter().map(|one| one.id.clone()));
            let error = || WorldError::new(WorldErrorKind::Answered, "remove it", "it is in use");
            Ok(stuck.into_iter().map(|one| (one.clone(), error())).collect())
        }
    }

    fn thing(run_id: &str, owner: &str, resource: &str) -> Found {
        let kind = match resource.split(' ').next() {
            Some("networks") => FoundKind::Network,
            Some("volume") => FoundKind::Volume,
            Some("device") => FoundKind::Device,
            _ => FoundKind::Container,
        };
        let (id, name) = (format!("{run_id} {resource} {}", rand::random::<u32>()), resource.to_owned());
        Found { kind, run_id: run_id.into(), owner: owner.into(), id, name, resource: resource.into() }
    }

    fn engine(coming: Vec<(u64, Found)>) -> Slow {
        Slow { begun: Instant::now(), coming, removed: Mutex::default(), stuck: "", half_made: Mutex::new("") }
    }

    /// An owner whose process has ended.
    fn dead() -> String {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let mine = format!("/{}/", std::process::id());
        let dead = owner::this_process().replace(&mine, &format!("/{}/", child.id()));
        child.wait().unwrap();
        dead
    }

    struct State(PathBuf);

    impl State {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("blackstart-sweep-{:08x}", rand::random::<u32>())))
        }

        fn ledger(&self, run_id: &str, owner: &str, engine: &str, announced: &[&str]) {
            let ledger = ledger::Ledger::create(&self.0, run_id, owner, engine).unwrap();
            announced.iter().for_each(|name| ledger.announce(name).unwrap());
        }
    }

    impl Drop for State {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    async fn run_states(engine: &Slow, state: &State, known_gone: &[&str]) -> Vec<(String, RunState)> {
        let known_gone: Vec<String> = known_gone.iter().map(|run| (*run).to_owned()).collect();
        let left = survey(engine, &state.0, &known_gone).await.unwrap();
        left.into_iter().map(|one| (one.run_id, one.run_state)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_evaluated_by_its_owner() {
        let (state, mine, dead) = (State::new(), owner::this_process(), dead());
        state.ledger("alive-by-ledger", &mine, "here", &[]);
        state.ledger("of-other-engine", &dead, "there", &["networks"]);
        let engine = engine(vec![
            (0, thing("alive", &mine, "relay")),
            (0, thing("dead", &dead, "relay")),
            (0, thing("elsewhere", "boot/1/2/3/4", "relay")),
            (0, thing("half", &dead, "relay")),
            (0, thing("half", &mine, "node a")),
        ]);
        let expected = [
            ("alive", RunState::Alive),
            ("alive-by-ledger", RunState::Alive),
            ("dead", RunState::Gone),
            ("elsewhere", RunState::Elsewhere),
            ("half", RunState::Alive),
            ("of-other-engine", RunState::OtherEngine),
        ];
        assert_eq!(run_states(&engine, &state, &[]).await, expected.map(|(run, how)| (run.to_owned(), how)));
        let said = run_states(&engine, &state, &["elsewhere", "alive"]).await;
        assert_eq!(said[0].1, RunState::Alive, "nobody knows better than a process that runs");
        assert_eq!(said[3].1, RunState::Gone);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_empty_ledger_proves_nothing() {
        let state = State::new();
        state.ledger("torn", &dead(), "here", &["relay"]);
        let torn = fs::File::options().write(true).truncate(true).open(state.0.join("torn.jsonl")).unwrap();
        torn.set_modified(std::time::SystemTime::now() - Duration::from_secs(86_400)).unwrap();
        let engine = engine(vec![(0, thing("torn", "boot/1/2/3/4", "relay"))]);
        assert_eq!(run_states(&engine, &state, &[]).await, [("torn".to_owned(), RunState::Elsewhere)]);
        assert_eq!(run_states(&engine, &state, &["torn"]).await[0].1, RunState::Gone, "somebody may know better");
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_goes_by_what_else_is_known_of_its_run() {
        let (state, dead) = (State::new(), dead());
        state.ledger("by-ledger", &dead, "here", &["array"]);
        let engine = engine(vec![
            (0, thing("alone", "", "device of a pool")),
            (0, thing("by-ledger", "", "device of a pool")),
            (0, thing("by-volume", "", "device of a pool")),
            (0, thing("by-volume", &owner::this_process(), "volume of a")),
        ]);
        let expected = [("alone", RunState::Elsewhere), ("by-ledger", RunState::Gone), ("by-volume", RunState::Alive)];
        assert_eq!(run_states(&engine, &state, &[]).await, expected.map(|(run, how)| (run.to_owned(), how)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_engine_is_still_making_is_awaited_before_anything_goes() {
        let (state, dead) = (State::new(), dead());
        state.ledger("r", &dead, "here", &["networks", "volume of a", "node a", "node b"]);
        let came = [(0, "networks"), (300, "networks"), (1900, "volume of a"), (3700, "node a")];
        let engine = engine(came.map(|(at_ms, what)| (at_ms, thing("r", &dead, what))).to_vec());
        let left = survey(&engine, &state.0, &[]).await.unwrap();
        let cleared = clear(&engine, &left).await.unwrap();
        assert_eq!(cleared[0].removed.len(), 4, "{cleared:?}");
        assert_eq!(cleared[0].never_came, ["node b"]);
        assert!(cleared[0].ledger_removed);
        assert!(engine.list().await.unwrap().is_empty());
        let spent = engine.begun.elapsed();
        assert!(spent > Duration::from_millis(5700) && spent < Duration::from_secs(7), "{spent:?}");
        assert!(ledger::find(&state.0).unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_lives_is_left_alone_and_what_will_not_go_keeps_its_ledger() {
        let (state, mine, dead) = (State::new(), owner::this_process(), dead());
        state.ledger("dead", &dead, "here", &["relay"]);
        let coming = vec![
            (0, thing("alive", &mine, "relay")),
            (0, thing("dead", &dead, "relay")),
            (0, thing("dead", &dead, "node stuck")),
        ];
        let engine = Slow { stuck: "node stuck", ..engine(coming) };
        let left = survey(&engine, &state.0, &[]).await.unwrap();
        let cleared = clear(&engine, &left).await.unwrap();
        assert_eq!(cleared.len(), 1);
        assert_eq!(cleared[0].removed, ["container relay"]);
        assert_eq!(cleared[0].failed, [("container node stuck".to_owned(), "it is in use".to_owned())]);
        assert!(!cleared[0].ledger_removed);
        assert_eq!(engine.list().await.unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_half_made_is_gone_before_its_volume_is_asked_for() {
        let (state, dead) = (State::new(), dead());
        let made = ["networks", "networks", "volume of a", "device of a", "node a", "node b"]
            .map(|what| (0, thing("r", &dead, what)));
        let engine = Slow { half_made: Mutex::new("node a"), ..engine(made.to_vec()) };
        let left = survey(&engine, &state.0, &[]).await.unwrap();
        let cleared = clear(&engine, &left).await.unwrap();
        assert_eq!((cleared[0].removed.len(), cleared[0].failed.len()), (6, 0), "{cleared:?}");
        let removed = engine.removed.lock().unwrap().clone();
        let place = |what: &str| removed.iter().position(|id| id.contains(what));
        let order = ["node a", "device of a", "volume of a", "networks"].map(place);
        assert!(order.is_sorted(), "{removed:?}");
    }
}
