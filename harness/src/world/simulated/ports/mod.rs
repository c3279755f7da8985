//! The ports of the simulated world: each waits for as long as the real thing would take, and asks or changes the model.

mod backups;
mod commands;
mod damage;
mod network;
mod power;
mod provision;
mod questions;
mod storage;
mod traffic;
