//! Small drills on the model: each breaks something and compares what clients saw with the truth.

mod faults;
mod plans;
mod provision;
mod repeatable;
mod stage;
