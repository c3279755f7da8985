//! What the engine and its clients say, as errors of the world. The only place that reads their words.

use std::{error::Error as _, io};

use bollard::errors::Error;
use rustix::io::Errno;

use crate::world::{Result, WorldError, WorldErrorKind};

/// Turns a client's result into one of the world, saying what was being done.
pub(super) trait Doing<T> {
    /// What was being done, such as `start node db-a`.
    fn doing(self, doing: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, Error> {
    fn doing(self, doing: impl Into<String>) -> Result<T> {
        self.map_err(|error| from_engine(doing, error))
    }
}

pub(super) fn from_engine(doing: impl Into<String>, error: Error) -> WorldError {
    WorldError::new(classify(&error), doing, words(&error)).caused_by(error)
}

/// The HTTP status by which the engine refused, where it did.
pub(super) const fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// Which kind of trouble an error of the engine is.
pub(super) fn classify(error: &Error) -> WorldErrorKind {
    match error {
        _ if is_out_of_files(error) => WorldErrorKind::TooManyFiles,
        Error::DockerResponseServerError { status_code, message } => classify_answer(*status_code, message),
        Error::DockerStreamError { error } => classify_answer(500, error),
        Error::SocketNotFoundError(_) => WorldErrorKind::EngineGone,
        Error::HyperLegacyError { err } if err.is_connect() => WorldErrorKind::EngineGone,
        Error::HyperResponseError { err } if err.is_incomplete_message() || err.is_closed() => {
            WorldErrorKind::EngineGone
        }
        Error::IOError { err } => classify_io(err),
        Error::RequestTimeoutError => WorldErrorKind::TimedOut,
        other => classify_source(other),
    }
}

/// Whether no more files may be opened, here or on the whole machine: no connection is made then, and yet the engine is there.
fn is_out_of_files(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(one) = cause {
        if one.downcast_ref::<io::Error>().is_some_and(is_file_limit) {
            return true;
        }
        cause = one.source();
    }
    false
}

fn is_file_limit(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// An engine that dies in the middle of a request shows as a broken pipe somewhere below.
fn classify_source(error: &Error) -> WorldErrorKind {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return classify_io(cause);
        }
        source = cause.source();
    }
    let text = chain(error);
    let closed = ["connection closed before message completed", "channel closed", "connection was not ready"];
    if closed.iter().any(|sign| text.contains(sign)) { WorldErrorKind::EngineGone } else { WorldErrorKind::Other }
}

fn classify_io(error: &io::Error) -> WorldErrorKind {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotFound
        | io::ErrorKind::UnexpectedEof => WorldErrorKind::EngineGone,
        _ if is_file_limit(error) => WorldErrorKind::TooManyFiles,
        io::ErrorKind::StorageFull => WorldErrorKind::DiskFull,
        io::ErrorKind::TimedOut => WorldErrorKind::TimedOut,
        _ => WorldErrorKind::Other,
    }
}

fn classify_answer(status: u16, message: &str) -> WorldErrorKind {
    const TAKEN: [&str; 6] = [
        "already in use",
        "already allocated",
        "already exists",
        "address already in use",
        "overlaps with other one",
        "non-overlapping",
    ];
    if message.contains("no space left on device") {
        WorldErrorKind::DiskFull
    } else if TAKEN.iter().any(|sign| message.to_lowercase().contains(sign)) {
        WorldErrorKind::Taken
    } else if status == 404 {
        WorldErrorKind::NotFound
    } else {
        WorldErrorKind::Answered
    }
}

/// What an error says, with what lies below it where the top says little.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error.trim().to_owned(),
        Error::SocketNotFoundError(socket) => format!("there is no socket at {socket}"),
        Error::RequestTimeoutError => "the engine did not answer in time".to_owned(),
        other if classify(other) == WorldErrorKind::TooManyFiles => {
            "no more files may be open, and a connection to the engine is one".to_owned()
        }
        other if classify(other) == WorldErrorKind::EngineGone => {
            let root = chain(other);
            format!("the engine is gone ({})", root.rsplit(": ").next().unwrap_or(&root))
        }
        other => chain(other),
    }
}

/// An error and its causes in one line, without saying anything twice.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

/// An error of testcontainers, which wraps the engine's.
pub(super) fn from_testcontainers(doing: &str, error: testcontainers::TestcontainersError) -> WorldError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut kind = WorldErrorKind::Other;
    while let Some(cause) = source {
        if let Some(engine) = cause.downcast_ref::<Error>() {
            kind = classify(engine);
            break;
        }
        source = cause.source();
    }
    let text = chain(&error);
    if text.contains("startup timeout") {
        kind = WorldErrorKind::TimedOut;
    }
    WorldError::new(kind, doing, text).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status_code: u16, message: &str) -> WorldErrorKind {
        classify(&Error::DockerResponseServerError { status_code, message: message.to_owned() })
    }

    #[test]
    fn answers_of_the_engine_are_told_apart() {
        let name = "Conflict. The container name \"/bs-1-db-a\" is already in use by container";
        assert_eq!(answer(409, name), WorldErrorKind::Taken);
        assert_eq!(answer(500, "Bind for 127.0.0.1:80 failed: port is already allocated"), WorldErrorKind::Taken);
        assert_eq!(answer(403, "Pool overlaps with other one on this address space"), WorldErrorKind::Taken);
        assert_eq!(answer(500, "write /x: no space left on device"), WorldErrorKind::DiskFull);
        assert_eq!(answer(404, "No such container: x"), WorldErrorKind::NotFound);
        assert_eq!(answer(409, "Container x is paused"), WorldErrorKind::Answered);
    }

    #[test]
    fn an_engine_that_is_gone_is_told_apart() {
        let refused = Error::IOError { err: io::Error::from(io::ErrorKind::ConnectionRefused) };
        assert_eq!(classify(&refused), WorldErrorKind::EngineGone);
        assert_eq!(classify(&Error::SocketNotFoundError("/x".into())), WorldErrorKind::EngineGone);
    }

    #[test]
    fn too_many_open_files_are_no_engine_that_is_gone() {
        for limit in [Errno::MFILE, Errno::NFILE] {
            let error = Error::IOError { err: io::Error::from(limit) };
            assert_eq!(classify(&error), WorldErrorKind::TooManyFiles);
            let told = from_engine("start node db-a", error).to_string();
            assert!(told.contains("ulimit -n") && !told.contains("gone"), "{told}");
        }
    }

    #[tokio::test]
    async fn an_engine_that_goes_in_the_middle_is_gone() {
        let socket = std::env::temp_dir().join(format!("blackstart-{:08x}.sock", rand::random::<u32>()));
        let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
        let path = socket.to_string_lossy().into_owned();
        let docker = bollard::Docker::connect_with_unix(&path, 5, bollard::API_DEFAULT_VERSION).expect("a client");
        let hangs_up = async {
            let (mut stream, _) = listener.accept().await.expect("a request");
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 64]).await;
        };
        let (asked, ()) = tokio::join!(docker.ping(), hangs_up);
        assert_eq!(classify(&asked.expect_err("it hung up")), WorldErrorKind::EngineGone);
        drop(listener);
        let refused = docker.ping().await.expect_err("nobody listens");
        assert_eq!(classify(&refused), WorldErrorKind::EngineGone);
        std::fs::remove_file(&socket).expect("the socket goes");
        let missing = docker.ping().await.expect_err("there is no socket");
        assert_eq!(classify(&missing), WorldErrorKind::EngineGone);
    }
}
