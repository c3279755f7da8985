//! What a user declares: the types, the reading of files, and the refusals.
//!
//! A scenario ([`drill`], with what breaks in [`mod@fault`]) names a system ([`system`]); both are YAML. [`read`] turns files into a [`Declared`] pair or
//! into [`Refusals`] that point at the line ([`locate`]); [`validate`] holds the rules that a well-formed file can still
//! break. The [`schema()`] says what is well-formed, to editors as to the reader.

pub mod backup;
pub mod check;
pub mod drill;
pub mod fault;
mod half_way;
mod include;
mod kinds;
pub mod locate;
pub mod question;
pub mod read;
pub mod reference;
pub mod refusal;
pub mod renamed;
pub mod rights;
pub mod schema;
pub mod selftest;
mod shape;
pub mod step;
pub mod system;
pub mod validate;

use std::path::PathBuf;

pub use blackstart_evidence::units;
pub use drill::Scenario;
pub use read::{read, read_allowing, read_system, read_system_allowing};
pub use refusal::{Refusal, Refusals};
pub use schema::schema;
pub use system::System;

use crate::files::Reach;

/// A scenario with the system that it names: read, and free of what [`validate`] refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The drill.
    pub scenario: Scenario,
    /// The system, with what the scenario changes about it already applied.
    pub system: System,
    /// The scenario's file, as given.
    pub scenario_file: PathBuf,
    /// The system's file; paths in the system are relative to its folder.
    pub system_file: PathBuf,
    /// Which files the two may name.
    pub reach: Reach,
    /// What is no reason to refuse, and yet ought to be said.
    pub warnings: Vec<Refusal>,
}
