//! The evidence of a run: what was observed, the figures that follow from it, and the audit of both.
//!
//! No runtime, no Docker, no clock, no random numbers: an auditor can build and read it, and `blackstart-audit` with it. A
//! module imports only what stands above it in ARCHITECTURE.md's table.

pub mod audit;
pub mod chain;
pub mod checks;
pub mod copies;
pub mod cut_off;
pub mod declared;
pub mod event;
pub mod fact;
pub mod folder;
pub mod history;
pub mod index;
pub mod journal;
pub mod manifest;
pub mod measure;
pub mod observations;
pub mod rebuild;
pub mod recheck;
pub mod units;
