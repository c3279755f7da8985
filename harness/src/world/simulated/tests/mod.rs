//! Small drills on the model: each breaks something and compares what clients saw with the truth.

#![allow(clippy::unwrap_used)] // a test that cannot unwrap has failed

mod faults;
mod plans;
mod provision;
mod repeatable;
mod soak;
mod stage;
