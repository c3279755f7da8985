//! Open-loop clients, and the history of every request that they made.
//!
//! Knows nothing of faults, nor of which node is primary: what it sees is what a client sees.

mod clients;
pub mod history;
mod stall;

pub use clients::{Clients, Stream};
pub use history::{History, Outcome, Sender, Sent, Words};
pub use stall::StallWatch;
