//! What runs left behind: finding it by its label, and removing it. Images are not part of any run, and stay.

use std::collections::HashMap;

use async_trait::async_trait;
use bollard::{
    Docker,
    query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder},
};

use super::{
    connect_engine,
    errors::Doing,
    names::{LABEL_NODE, LABEL_OWNER, LABEL_ROLE, LABEL_RUN},
    provision::{remove_container, remove_network, remove_volume},
};
use crate::world::{Found, FoundKind, Remains, Result, WorldError, WorldErrorKind};

/// An engine, with whatever runs left on it.
pub struct Engine {
    docker: Docker,
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or to the usual one.
    ///
    /// # Errors
    /// Where no engine answers.
    pub async fn connect() -> Result<Self> {
        Ok(Self { docker: connect_engine().await? })
    }
}

#[async_trait]
impl Remains for Engine {
    async fn engine(&self) -> Result<String> {
        engine_name(&self.docker).await
    }

    async fn list(&self) -> Result<Vec<Found>> {
        let any = HashMap::from([("label".to_owned(), vec![LABEL_RUN.to_owned()])]);
        find(&self.docker, &any).await
    }

    async fn remove(&self, found: &[Found]) -> Result<Vec<(Found, WorldError)>> {
        let mut ordered: Vec<&Found> = found.iter().filter(|one| !one.run_id.is_empty()).collect();
        ordered.sort_by_key(|one| one.kind);
        let mut failed = Vec::new();
        for kind in ordered.chunk_by(|a, b| a.kind == b.kind) {
            let removals = kind.iter().map(|one| remove_one(&self.docker, one));
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
}

/// What the engine calls itself.
pub(super) async fn engine_name(docker: &Docker) -> Result<String> {
    let info = docker.info().await.doing("ask the engine who it is")?;
    Ok(info.id.unwrap_or_default())
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
    let node = label(LABEL_NODE);
    let resource = match label(LABEL_ROLE).as_str() {
        "network" => "networks".to_owned(),
        "volume" => format!("volume of {node}"),
        "helper" => format!("helper of {node}"),
        "node" => format!("node {node}"),
        other => other.to_owned(),
    };
    Found { kind, run_id: label(LABEL_RUN), owner: label(LABEL_OWNER), id, name, resource }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Resource, docker::RunIdentity};

    #[test]
    fn what_is_found_goes_by_the_ledgers_words() {
        let run = RunIdentity { run_id: "r1".into(), owner: "o".into() };
        let resource = |role: &str, node: Option<&str>| {
            note(FoundKind::Container, "id".into(), "name".into(), &run.labels(role, node)).resource
        };
        let node = || "db-a".to_owned();
        assert_eq!(resource("network", None), Resource::Networks.name());
        assert_eq!(resource("volume", Some("db-a")), Resource::Volume { node: node() }.name());
        assert_eq!(resource("helper", Some("db-a")), Resource::Helper { node: node() }.name());
        assert_eq!(resource("relay", None), Resource::Relay { targets: Vec::new() }.name());
        assert_eq!(resource("node", Some("db-a")), "node db-a");
    }
}
