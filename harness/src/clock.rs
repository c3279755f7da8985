//! The one clock of a run: monotonic, with one origin.
//!
//! It is tokio's clock, so that the simulated world can run the same sequencer in virtual time.

use tokio::time::Instant;

/// The clock of a run.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose origin is now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Microseconds since the origin.
    pub fn now_us(&self) -> u64 {
        self.origin.elapsed().as_micros() as u64
    }

    /// The instant at so many microseconds after the origin.
    pub fn at_us(&self, us: u64) -> Instant {
        self.origin + std::time::Duration::from_micros(us)
    }
}
