//! Open-loop clients, and the history of every request that they made.
//!
//! Knows nothing of faults, nor of which node is primary: what it sees is what a client sees.

mod clients;
mod stall;

pub use blackstart_evidence::history::{History, Outcome, Sender, Sent, Words};
pub use clients::{Clients, Stream};
pub use stall::{StallWatch, longest_us};
