//! The signals by which a person or a machine tells this program to end.

use std::{fs, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, SIGTERM, the end of the terminal and of the time that we may take, heard from the moment when this is made and never missed.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
    /// The limit of processor time is reached; a second later the system may kill us.
    out_of_time: Signal,
    /// A file has reached the limit of sizes. Nobody waits for it: that somebody listens makes the write fail instead of killing
    /// us, and what cannot be written ends the drill by itself.
    _too_large: Signal,
}

impl Signals {
    /// Starts to listen. Must be called before anything is made that would have to be removed.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn listen() -> io::Result<Self> {
        // Under `nohup` the end of the terminal is none of our business.
        let hang_up = if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) };
        let of = |kind: rustix::process::Signal| signal(SignalKind::from_raw(kind.as_raw()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
            out_of_time: of(rustix::process::Signal::XCPU)?,
            _too_large: of(rustix::process::Signal::XFSZ)?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hang_up => {}
            _ = self.out_of_time.recv() => {}
        }
    }
}

/// Whether whoever started us has SIGHUP, the first signal, ignored.
fn ignores_hang_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
