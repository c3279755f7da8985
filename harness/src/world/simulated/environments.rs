//! The environments of one run: which of them clients are sent to, and what is carried from one to another.
//!
//! Each has a model of its own, with its own commits. What a disk of another one held comes with the commits on it, and the
//! truth about a run whose clients went from one to the other is put together from both.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{
    State,
    array::SavedDisks,
    flight::Flight,
    model::Model,
    replication::{CommitId, WrittenCommit},
    truth::{Truth, spans, when_back},
};

/// The environments of a run. The first is the primary one.
#[derive(Default)]
pub(super) struct Environments {
    states: Mutex<Vec<Weak<Mutex<State>>>>,
    /// From when on clients were sent where, where they were ever sent anywhere.
    served: Mutex<Vec<(u64, usize)>>,
    /// What was true before the first node was removed of one that clients had been sent to.
    sealed: Mutex<Option<Truth>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Environments {
    /// Adds one; gives its place.
    pub(super) fn add(&self, state: &Arc<Mutex<State>>) -> usize {
        let mut states = locked(&self.states);
        states.push(Arc::downgrade(state));
        states.len() - 1
    }

    /// Clients are sent to one of them from now on.
    pub(super) fn serve(&self, place: usize, now_us: u64) {
        let mut served = locked(&self.served);
        if served.is_empty() {
            served.push((0, 0));
        }
        served.push((now_us, place));
    }

    /// Whether clients were ever sent from one to another, and to this one among them.
    fn has_served(&self, place: usize) -> bool {
        locked(&self.served).iter().any(|(_, served)| *served == place)
    }

    /// The disks that another environment saved under a name, with the commits on them.
    pub(super) fn saved_elsewhere(&self, own: usize, name: &str) -> Option<Carried> {
        let states = locked(&self.states).clone();
        let others = states.iter().enumerate().filter(|(place, _)| *place != own);
        others.filter_map(|(_, state)| state.upgrade()).find_map(|state| locked(&state).model.carry(name))
    }

    /// The truth of the whole run, where clients were sent from one environment to another.
    pub(super) fn truth(&self, now_us: u64) -> Option<Truth> {
        if let Some(sealed) = locked(&self.sealed).clone() {
            return Some(sealed);
        }
        let served = locked(&self.served).clone();
        let (_, last) = *served.last()?;
        let states: Vec<_> = locked(&self.states).iter().map(Weak::upgrade).collect();
        let told = states.iter().map(|state| {
            let mut state = locked(state.as_ref()?);
            state.model.advance(now_us);
            Some(state.model.tell())
        });
        let mut told: Vec<Told> = told.map(Option::unwrap_or_default).collect();
        // Copies that are only looked at have the same past, and tell it once more.
        for (place, told) in told.iter_mut().enumerate() {
            if !served.iter().any(|(_, served)| *served == place) {
                *told = Told::default();
            }
        }
        Some(together(&told, &served, last))
    }

    /// Keeps the truth of the whole run before something of it is removed.
    pub(super) fn seal(&self, place: usize, now_us: u64) {
        if self.has_served(place) {
            let truth = self.truth(now_us);
            *locked(&self.sealed) = truth;
        }
    }
}

/// What one environment tells.
#[derive(Debug, Default)]
struct Told {
    /// What is true of it alone.
    truth: Truth,
    /// Tokens that were acknowledged here.
    acknowledged: BTreeSet<String>,
    /// Tokens that its survivor holds.
    held: BTreeSet<String>,
    /// Tokens that any of its servers holds.
    held_anywhere: BTreeSet<String>,
    /// How the share of failing requests changed.
    shares: Vec<(u64, f64)>,
}

/// The truth of several environments, of which the last one that clients were sent to holds what survived.
fn together(all: &[Told], served: &[(u64, usize)], last: usize) -> Truth {
    let mut commits: Vec<_> = all.iter().flat_map(|told| told.truth.commits.clone()).collect();
    commits.sort_by_key(|commit| commit.instant_us);
    let mut failed: Vec<_> = all.iter().flat_map(|told| told.truth.failed.clone()).collect();
    failed.sort_by_key(|(_, sent_us)| *sent_us);
    let mut faults: Vec<_> = all.iter().flat_map(|told| told.truth.faults.clone()).collect();
    faults.sort();
    let is_acknowledged = |token: &str| all.iter().any(|told| told.acknowledged.contains(token));
    let is_there = |token: &str| all[last].held.contains(token);
    let is_elsewhere = |token: &str| all.iter().any(|told| told.held_anywhere.contains(token));
    let tokens = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        commits.iter().map(|commit| &commit.token).filter(|token| wanted(token)).cloned().collect()
    };
    let lost = tokens(&|token| is_acknowledged(token) && !is_there(token));
    let shares = as_served(all, served);
    let fault_instant_us = faults.first().map(|(at_us, _)| *at_us);
    Truth {
        fault_instant_us,
        stranded: lost.iter().filter(|token| is_elsewhere(token)).cloned().collect(),
        recovered: tokens(&|token| !is_acknowledged(token) && is_there(token)),
        acknowledged: all.iter().map(|told| told.acknowledged.len()).sum(),
        survivor: all[last].truth.survivor.clone(),
        service_back_us: when_back(&shares, fault_instant_us, &failed),
        unavailable: spans(&shares),
        lost,
        faults,
        commits,
        failed,
    }
}

/// The share of failing requests where clients were sent, as it changed.
fn as_served(all: &[Told], served: &[(u64, usize)]) -> Vec<(u64, f64)> {
    let mut shares = Vec::new();
    for (index, (from_us, place)) in served.iter().enumerate() {
        let until_us = served.get(index + 1).map_or(u64::MAX, |(at_us, _)| *at_us);
        let own = &all[*place].shares;
        let before = own.iter().rev().find(|(at_us, _)| at_us <= from_us);
        // Before there was any service, the past of a run has no share either.
        shares.extend((index > 0 || before.is_some()).then(|| (*from_us, before.map_or(1.0, |(_, share)| *share))));
        shares.extend(own.iter().filter(|(at_us, _)| from_us < at_us && *at_us < until_us));
    }
    shares.dedup_by(|later, earlier| (later.1 - earlier.1).abs() < 1e-9);
    shares
}

/// Disks on their way to another environment, with the commits on them.
pub(super) struct Carried {
    saved: SavedDisks,
    commits: BTreeMap<CommitId, (WrittenCommit, Flight)>,
}

impl Model {
    fn carry(&self, name: &str) -> Option<Carried> {
        let saved = self.saved(name)?.clone();
        let commits = saved.commits().into_iter().map(|id| {
            let commit = self.commits[id].clone();
            let flight = self.flights[commit.flight].carried();
            (id, (commit, flight))
        });
        Some(Carried { commits: commits.collect(), saved })
    }

    /// Takes up disks of another environment. What is known here already is not taken up once more.
    pub(super) fn take_up(&mut self, name: &str, carried: Carried) {
        let known: HashMap<String, CommitId> =
            (0..self.commits.len()).map(|commit| (self.token(commit).to_owned(), commit)).collect();
        let Carried { saved, commits } = carried;
        let mut own = BTreeMap::new();
        for (id, (commit, flight)) in commits {
            let place = known.get(&flight.token).copied().unwrap_or_else(|| {
                self.flights.push(flight);
                self.commits.push(WrittenCommit { flight: self.flights.len() - 1, ..commit });
                self.commits.len() - 1
            });
            own.insert(id, place);
        }
        self.put_saved(name, saved.renumbered(&own));
    }

    fn tell(&self) -> Told {
        let tokens = |is_wanted: &dyn Fn(CommitId) -> bool| -> BTreeSet<String> {
            (0..self.commits.len()).filter(|id| is_wanted(*id)).map(|id| self.token(id).to_owned()).collect()
        };
        let (held, anywhere) = (self.held_by(self.survivor().as_slice()), self.held_by(&self.shape.cluster));
        let is_own = |commit: CommitId| !self.flights[self.commits[commit].flight].is_carried;
        let mut truth = self.truth();
        let own = tokens(&is_own);
        truth.commits.retain(|commit| own.contains(&commit.token));
        Told {
            acknowledged: tokens(&|commit| is_own(commit) && self.was_acknowledged(commit)),
            held: tokens(&|commit| held[commit]),
            held_anywhere: tokens(&|commit| anywhere[commit]),
            shares: self.shares().to_vec(),
            truth,
        }
    }
}
