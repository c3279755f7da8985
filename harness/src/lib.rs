//! `blackstart`: disaster-recovery drills for data systems.
//!
//! A declared scenario breaks a declared system on real containers, recovers it by the declared procedure, verifies
//! what came back at six levels, and reports the RPO and RTO that it measured, with error bounds, against targets.
//! ARCHITECTURE.md walks the rooms; a module imports only what stands above it in the list below.

pub mod cli;
pub mod clock;
pub mod drill;
pub mod fault;
pub mod files;
pub mod plan;
pub mod question;
pub mod recovery;
pub mod scenario;
pub mod secrets;
pub mod selftest;
pub mod state;
pub mod topology;
pub mod verify;
pub mod workload;
pub mod world;
