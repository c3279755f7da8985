//! Whole drills on the simulated world: the real sequencer, measuring and verdict, against a model that knows the truth.
//!
//! Every drill here is a real scenario of this repository, or a variation of one. Nothing is asked of the system that it
//! models: what is on trial is the harness.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod alike;
mod bounds;
mod cancelled;
mod declared;
mod failing;
mod figures;
mod questions;
mod repeatable;
mod stage;
mod variations;
