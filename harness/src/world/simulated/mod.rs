//! A seeded model of a plan's system under a virtual clock, which knows the truth.
//!
//! The same sequencer that drives containers drives this, under tokio's paused clock: every port waits for as long as
//! the real thing would take (drawn by the seed) and then changes the model. It serves to test the measuring, because
//! it can be asked afterwards what was truly lost ([`SimulatedWorld::truth`]), and to draw distributions from thousands
//! of runs. It is never evidence.
//!
//! What it assumes stands in [`ASSUMPTIONS`], which every distribution is told with.

mod array;
mod assumptions;
mod draws;
mod environments;
mod failures;
mod flight;
mod health_checks;
mod limits;
mod model;
mod monitor;
mod network;
mod nodes;
mod operations;
mod ports;
mod properties;
mod replication;
mod repository;
mod shape;
mod stock;
#[cfg(test)]
mod tests;
mod truth;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use blackstart_reports::record;
use tokio::sync::Notify;

pub use self::{
    assumptions::ASSUMPTIONS,
    limits::beyond_the_model,
    truth::{Commit, Truth, Unavailable},
};
use self::{
    draws::{EFFECT, Purpose},
    environments::Environments,
    failures::{Failures, Then},
    model::Model,
    shape::{NodeId, Shape},
    stock::Stock,
};
use super::{Result, World, WorldError, WorldErrorKind};
use crate::{clock::Clock, plan::Plan};

pub struct SimulatedWorld {
    clock: Clock,
    seed: u64,
    state: Arc<Mutex<State>>,
    changed: Notify,
    run: Arc<Environments>,
    /// Its place among them.
    place: usize,
}

/// Everything behind the one lock, which is never held across a wait.
struct State {
    model: Model,
    stock: Stock,
    failures: Failures,
    not_modelled: BTreeSet<String>,
    /// What was true before the first node was removed.
    sealed: Option<Truth>,
}

impl SimulatedWorld {
    /// The world of a plan. Every draw comes from the seed; every time that it tells is one on the clock.
    pub fn new(plan: &Plan, seed: u64, clock: Clock) -> Self {
        Self::in_run(plan, seed, clock, Arc::default())
    }

    fn in_run(plan: &Plan, seed: u64, clock: Clock, run: Arc<Environments>) -> Self {
        let state = State {
            model: Model::new(Shape::of(plan), seed),
            stock: Stock::default(),
            failures: Failures::default(),
            not_modelled: BTreeSet::new(),
            sealed: None,
        };
        let state = Arc::new(Mutex::new(state));
        let place = run.add(&state);
        Self { clock, seed, state, changed: Notify::new(), run, place }
    }

    /// The same world, in which a former primary that restarts does not ask whether another one took over.
    #[must_use]
    pub fn without_guard(self) -> Self {
        self.locked().model.is_guarded = false;
        self
    }

    /// What really happened: up to now, or up to the removal of the first node, which is the end of the drill.
    pub fn truth(&self) -> Truth {
        if let Some(truth) = self.run.truth(self.clock.now_us()) {
            return truth;
        }
        let state = self.now();
        state.sealed.clone().unwrap_or_else(|| state.model.truth())
    }

    /// Commands that were run and that the model does not know, such as one that makes a schema: it took their success for
    /// granted.
    pub fn not_modelled(&self) -> Vec<String> {
        self.locked().not_modelled.iter().cloned().collect()
    }

    /// Makes every call of this name fail, such as `start db-a`; [`Self::calls`] lists the names.
    pub fn fail_at(&self, step: &str) {
        self.locked().failures.steps.insert(step.to_owned());
    }

    /// Makes the n-th call fail, counted from 0.
    pub fn fail_call(&self, number: usize) {
        self.locked().failures.number = Some(number);
    }

    /// Makes every call but removals fail with a probability.
    pub fn fail_with_probability(&self, probability: f64) {
        self.locked().failures.probability = probability;
    }

    /// Does something at the moment of the n-th call, counted from 0; it must not use the world.
    pub fn at_call(&self, number: usize, then: impl FnOnce() + Send + 'static) {
        self.locked().failures.then = Some((number, Then(Box::new(then))));
    }

    /// The names of all calls so far that can be made to fail, in order.
    pub fn calls(&self) -> Vec<String> {
        self.locked().failures.calls.clone()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, with everything done that was due until now.
    fn now(&self) -> MutexGuard<'_, State> {
        let mut state = self.locked();
        state.model.advance(self.clock.now_us());
        state
    }

    /// Changes the model, and has everybody look again who hangs.
    fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let done = change(&mut self.now().model);
        self.changed.notify_waiters();
        done
    }

    /// Notes a call, and lets it fail if a test wants it so.
    fn enter(&self, call: &str) -> Result<()> {
        let State { failures, model, .. } = &mut *self.locked();
        failures.enter(call, &mut model.draws)
    }

    fn node(&self, doing: &str, name: &str) -> Result<NodeId> {
        let known = self.locked().model.shape.id(name);
        known.ok_or_else(|| WorldError::new(WorldErrorKind::NotFound, doing, format!("no node is named {name}")))
    }

    /// Has what was saved under a name, wherever in this run that was.
    fn have_saved(&self, name: &str) {
        let is_here = self.now().model.has_saved(name);
        if let Some(carried) = (!is_here).then(|| self.run.saved_elsewhere(self.place, name)).flatten() {
            self.change(|model| model.take_up(name, carried));
        }
    }

    /// Lets the drawn time pass.
    async fn spend(&self, purpose: &Purpose, node: NodeId) {
        let takes_us = self.locked().model.draw(purpose, node);
        tokio::time::sleep(Duration::from_micros(takes_us)).await;
    }

    /// Lets the drawn time pass, unless it is longer than allowed.
    async fn spend_within(&self, doing: &str, purpose: &Purpose, node: NodeId, within: Duration) -> Result<()> {
        let takes = Duration::from_micros(self.locked().model.draw(purpose, node));
        tokio::time::sleep(takes.min(within)).await;
        if takes <= within { Ok(()) } else { Err(timed_out(doing, within)) }
    }

    /// Lets the drawn time pass, and changes the model somewhere on the way.
    async fn take_effect<T>(&self, purpose: &Purpose, node: NodeId, change: impl FnOnce(&mut Model) -> T + Send) -> T {
        let (before, after) = {
            let model = &mut self.locked().model;
            let (takes_us, thousandths) = (model.draw(purpose, node), model.draw(&EFFECT, node));
            let before_us = takes_us * thousandths / 1000;
            (Duration::from_micros(before_us), Duration::from_micros(takes_us - before_us))
        };
        tokio::time::sleep(before).await;
        let done = self.change(change);
        tokio::time::sleep(after).await;
        done
    }
}

fn timed_out(doing: &str, within: Duration) -> WorldError {
    WorldError::new(WorldErrorKind::TimedOut, doing, format!("no answer within {within:?}"))
}

impl World for SimulatedWorld {
    fn kind(&self) -> record::World {
        record::World::Simulated
    }

    fn beside(&self, _: &str, plan: &Plan) -> Result<Arc<dyn World>> {
        let copy = Self::in_run(plan, self.seed, self.clock, Arc::clone(&self.run));
        let state = self.now();
        copy.locked().model.take_over(&state.model);
        drop(state);
        Ok(Arc::new(copy))
    }

    fn serve_clients(&self) {
        self.run.serve(self.place, self.clock.now_us());
    }
}
