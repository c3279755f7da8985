//! The log that `BLACKSTART_LOG` asks for, on stderr.
//!
//! Of other crates it takes warnings and errors only, whatever is asked for: at their most talkative they print the
//! bodies of requests, in which passwords and files go to nodes. Whatever is written goes without secrets, and cannot steer
//! a terminal or a CI system.

use std::io::{self, Write};

use blackstart_reports::safe;
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, Layer, filter::FilterFn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::secrets;

/// Our own crates, by the first word of where an event comes from.
const OURS: [&str; 2] = ["blackstart", "blackstart_reports"];

/// Begins the log.
pub fn begin() {
    let lines = fmt::layer().with_ansi(false).with_writer(|| Shown(io::stderr()));
    let asked = EnvFilter::from_env("BLACKSTART_LOG");
    tracing_subscriber::registry().with(lines.with_filter(FilterFn::new(may_be_told))).with(asked).init();
    tracing::debug!(version = env!("CARGO_PKG_VERSION"), "the log begins");
}

fn may_be_told(event: &Metadata<'_>) -> bool {
    let first = event.target().split("::").next().unwrap_or_default();
    OURS.contains(&first) || *event.level() <= Level::WARN
}

/// A writer that shows what may be shown. Each event comes whole.
struct Shown<W>(W);

impl<W: Write> Write for Shown<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(safe::page(&secrets::redact(&text)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("lines").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn heard(events: impl FnOnce()) -> String {
        let heard = Heard::default();
        let to = heard.clone();
        let lines = fmt::layer().with_ansi(false).with_writer(move || Shown(to.clone()));
        let log = tracing_subscriber::registry().with(lines.with_filter(FilterFn::new(may_be_told)));
        tracing::subscriber::with_default(log, events);
        let bytes = heard.0.lock().expect("lines").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn bodies_that_other_crates_print_are_not_taken() {
        let said = heard(|| {
            tracing::trace!(target: "bollard::docker", "request: a body");
            tracing::debug!(target: "tokio_postgres::query", "executing statement");
            tracing::warn!(target: "hyper::client", "it is slow");
            tracing::trace!("of our own");
        });
        assert!(!said.contains("body") && !said.contains("statement"), "{said}");
        assert!(said.contains("it is slow") && said.contains("of our own"), "{said}");
    }

    #[test]
    fn a_secret_and_a_command_in_an_event_are_not_shown() {
        secrets::keep("71d0-secret-of-the-log");
        let said = heard(|| {
            tracing::warn!(target: "bollard", body = ?b"x 71d0-secret-of-the-log", "71d0-secret-of-the-log\u{1b}[31m\n::error::boom");
        });
        assert!(!said.contains("71d0") && said.contains("(password)"), "{said}");
        assert!(!said.contains('\u{1b}') && !said.lines().any(|line| line.trim_start().starts_with("::")), "{said}");
    }
}
