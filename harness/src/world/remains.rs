//! What runs left behind on an engine, and the narrow port through which a sweep sees and removes it.
//!
//! Whether an owner is gone is for the caller to tell: this port only tells whose each thing is.

use std::fmt;

use async_trait::async_trait;

use super::{Result, WorldError};

/// What kind of thing was found, in the order in which they can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoundKind {
    Container,
    /// A loop device that holds a disk or a pool of an array.
    Device,
    Volume,
    Network,
}

/// Something that a run made and that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: FoundKind,
    /// The run that made it.
    pub run_id: String,
    /// Who ran it, as it was said then.
    pub owner: String,
    /// By which the engine knows it.
    pub id: String,
    /// By which people know it.
    pub name: String,
    /// By which the ledger of its run knows it, as [`super::Resource::name`] gives it.
    pub resource: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FoundKind::Container => "container",
            FoundKind::Device => "device",
            FoundKind::Volume => "volume",
            FoundKind::Network => "network",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// What runs left behind.
#[async_trait]
pub trait Remains: Send + Sync {
    /// What the engine calls itself: the same from wherever it is asked.
    async fn engine(&self) -> Result<String>;

    /// Everything that any run made, in the order in which it can be removed.
    async fn list(&self) -> Result<Vec<Found>>;

    /// Removes things that were found, those of all kinds in the order in which they can be. What is gone already is
    /// no error. One that cannot be removed does not keep the others: the errors come back, each with its thing.
    async fn remove(&self, found: &[Found]) -> Result<Vec<(Found, WorldError)>>;
}
