//! What runs left behind: finding it by its label, and removing it. Images are not part of any run, and stay.
//!
//! Whether an owner is gone is for the caller to judge: this module only tells whose each thing is.

use std::{collections::HashMap, fmt};

use bollard::{
    Docker,
    query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder},
};

use super::{
    connect_engine,
    errors::Doing,
    names::{LABEL_OWNER, LABEL_RUN},
    provision::{remove_container, remove_network, remove_volume},
};
use crate::world::{Result, WorldError, WorldErrorKind};

/// What kind of thing was found, in the order in which they can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoundKind {
    /// A container.
    Container,
    /// A volume.
    Volume,
    /// A network.
    Network,
}

/// Something that a run made and that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// The run that made it.
    pub run_id: String,
    /// Who ran it, as it was said then.
    pub owner: String,
    /// By which the engine knows it.
    pub id: String,
    /// By which people know it.
    pub name: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FoundKind::Container => "container",
            FoundKind::Volume => "volume",
            FoundKind::Network => "network",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// Everything on the engine that any run made, in the order in which it can be removed.
///
/// # Errors
/// Where no engine answers.
pub async fn list_all() -> Result<Vec<Found>> {
    let any = HashMap::from([("label".to_owned(), vec![LABEL_RUN.to_owned()])]);
    find(&connect_engine().await?, &any).await
}

/// Removes things that were found, those of all kinds in the order in which they can be. What is gone already is no
/// error. One that cannot be removed does not keep the others: the errors come back, each with its thing.
///
/// # Errors
/// Where no engine answers.
pub async fn remove_found(found: &[Found]) -> Result<Vec<(Found, WorldError)>> {
    let docker = connect_engine().await?;
    let mut ordered: Vec<&Found> = found.iter().filter(|one| !one.run_id.is_empty()).collect();
    ordered.sort_by_key(|one| one.kind);
    let mut failed = Vec::new();
    for kind in ordered.chunk_by(|a, b| a.kind == b.kind) {
        let removals = kind.iter().map(|one| remove_one(&docker, one));
        let results = futures_util::future::join_all(removals).await;
        for (one, result) in kind.iter().zip(results) {
            failed.extend(result.err().map(|error| ((*one).clone(), error)));
        }
    }
    match failed.iter().position(|(_, error)| error.kind == WorldErrorKind::EngineGone) {
        Some(gone) => Err(failed.swap_remove(gone).1),
        None => Ok(failed),
    }
}

async fn remove_one(docker: &Docker, found: &Found) -> Result<()> {
    let doing = format!("remove {found}");
    match found.kind {
        FoundKind::Container => remove_container(docker, &found.id, &doing).await,
        FoundKind::Volume => remove_volume(docker, &found.id, &doing).await,
        FoundKind::Network => remove_network(docker, &found.id, &doing).await,
    }
}

/// What matches a filter, in the order in which it can be removed.
pub(super) async fn find(docker: &Docker, filter: &HashMap<String, Vec<String>>) -> Result<Vec<Found>> {
    let doing = "list what runs have made";
    let containers = ListContainersOptionsBuilder::new().all(true).filters(filter).build();
    let volumes = ListVolumesOptionsBuilder::new().filters(filter).build();
    let networks = ListNetworksOptionsBuilder::new().filters(filter).build();
    let (containers, volumes, networks) = tokio::join!(
        docker.list_containers(Some(containers)),
        docker.list_volumes(Some(volumes)),
        docker.list_networks(Some(networks)),
    );
    let mut found = Vec::new();
    for container in containers.doing(doing)? {
        let name = container.names.unwrap_or_default().first().map(|name| name.trim_start_matches('/').to_owned());
        let id = container.id.unwrap_or_default();
        found.push(note(FoundKind::Container, id, name.unwrap_or_default(), &container.labels.unwrap_or_default()));
    }
    for volume in volumes.doing(doing)?.volumes.unwrap_or_default() {
        found.push(note(FoundKind::Volume, volume.name.clone(), volume.name, &volume.labels));
    }
    for network in networks.doing(doing)? {
        let labels = network.labels.unwrap_or_default();
        found.push(note(FoundKind::Network, network.id.unwrap_or_default(), network.name.unwrap_or_default(), &labels));
    }
    Ok(found)
}

fn note(kind: FoundKind, id: String, name: String, labels: &HashMap<String, String>) -> Found {
    let label = |key: &str| labels.get(key).cloned().unwrap_or_default();
    Found { kind, run_id: label(LABEL_RUN), owner: label(LABEL_OWNER), id, name }
}
