//! The ports of the simulated world: each waits for as long as the real thing would take, and asks or changes the model.

mod commands;
mod network;
mod power;
mod provision;
mod questions;
mod traffic;
