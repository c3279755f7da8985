//! What goes wrong with the world itself: about us, never a verdict about the system.

use std::{error::Error, fmt};

/// Which kind of trouble, where a caller or a person does something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldErrorKind {
    /// The engine does not answer.
    EngineGone,
    /// Something is not there.
    NotFound,
    /// A port or a name is taken.
    Taken,
    /// No room on the disk.
    DiskFull,
    /// A pool of the storage array is full.
    PoolFull,
    /// This process, or this machine, may open no more files. The engine may be well.
    TooManyFiles,
    /// A deadline passed.
    TimedOut,
    /// The other side answered with an error of its own.
    Answered,
    /// A fault was put in place, and nothing came of it.
    WithoutEffect,
    /// Anything else.
    Other,
}

impl WorldErrorKind {
    /// Whether it is about us and this machine, and says nothing of what is being looked at.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::EngineGone | Self::DiskFull | Self::PoolFull | Self::TooManyFiles | Self::Taken)
    }
}

/// An error of the world: what was being done, what happened, and what a person can do about it.
#[derive(Debug)]
pub struct WorldError {
    pub kind: WorldErrorKind,
    /// What was being done, such as `start node db-a`.
    pub doing: String,
    pub happened: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl WorldError {
    /// An error without a cause of its own.
    pub fn new(kind: WorldErrorKind, doing: impl Into<String>, happened: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), happened: happened.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The same error, with what happened in other words.
    #[must_use]
    pub fn told_as(mut self, words: impl FnOnce(&str) -> String) -> Self {
        self.happened = words(&self.happened);
        self
    }

    /// What a person can do about it.
    pub const fn mend(&self) -> Option<&'static str> {
        match self.kind {
            WorldErrorKind::EngineGone => {
                Some("start the Docker engine (`ci/setup` does it on Debian), then `blackstart doctor`")
            }
            WorldErrorKind::Taken => Some("`blackstart sweep` removes what a killed run left behind"),
            WorldErrorKind::DiskFull => Some("free some disk: `docker system df` shows what the engine holds"),
            WorldErrorKind::TooManyFiles => {
                Some("let more files be open (`ulimit -n 1024`), or run fewer drills side by side")
            }
            WorldErrorKind::PoolFull => Some(
                "declare a larger pool under `storage`, or take fewer backups: what they save stays until the run ends",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.doing, self.happened)?;
        match self.mend() {
            Some(mend) => write!(f, "; {mend}"),
            None => Ok(()),
        }
    }
}

impl Error for WorldError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}
