//! What runs left behind: finding it by its label, and removing it. Images are not part of any run, and stay.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use bollard::{
    Docker,
    query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder},
};

use super::{
    connect_engine, devices,
    errors::Doing,
    names::{LABEL_ENVIRONMENT, LABEL_NODE, LABEL_OWNER, LABEL_ROLE, LABEL_RUN, RunIdentity},
    provision::{remove_container, remove_network, remove_volume},
};
use crate::world::{Found, FoundKind, Remains, Result, WorldError, WorldErrorKind};

/// An engine, with whatever runs left on it.
pub struct Engine {
    docker: Docker,
    /// Labels what is made to look at devices, and let go of them.
    asker: RunIdentity,
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or to the usual one. Where a container is needed to look at
    /// something, it is `owner` whose it is.
    ///
    /// # Errors
    /// Where no engine answers.
    pub async fn connect(owner: &str) -> Result<Self> {
        let asker = RunIdentity::new(format!("look-{:08x}", rand::random::<u32>()), owner);
        Ok(Self { docker: connect_engine().await?, asker })
    }
}

#[async_trait]
impl Remains for Engine {
    async fn engine(&self) -> Result<String> {
        engine_name(&self.docker).await
    }

    async fn list(&self) -> Result<Vec<Found>> {
        let any = HashMap::from([("label".to_owned(), vec![LABEL_RUN.to_owned()])]);
        let mut found = find(&self.docker, &any).await?;
        // To ask for devices takes a container. Where there are any, there is the volume with their pools as well.
        if found.iter().any(is_pool) || devices::are_seen_here() {
            let devices = devices::list(&self.docker, &self.asker).await?;
            let noted: Vec<Found> = devices.iter().map(|device| note_device(device, &found)).collect();
            found.extend(noted);
            found.sort_by_key(|one| one.kind);
        }
        Ok(found)
    }

    async fn remove(&self, found: &[Found]) -> Result<Vec<(Found, WorldError)>> {
        let mut ordered: Vec<&Found> = found.iter().filter(|one| !one.run_id.is_empty()).collect();
        ordered.sort_by_key(|one| one.kind);
        let mut failed = Vec::new();
        for kind in ordered.chunk_by(|a, b| a.kind == b.kind) {
            failed.extend(match kind[0].kind {
                FoundKind::Device => self.detach(kind).await,
                _ => self.remove_each(kind).await,
            });
        }
        match failed.iter().position(|(_, error)| error.kind == WorldErrorKind::EngineGone) {
            Some(gone) => Err(failed.swap_remove(gone).1),
            None => Ok(failed),
        }
    }
}

impl Engine {
    async fn remove_each(&self, found: &[&Found]) -> Vec<(Found, WorldError)> {
        // Containers leave networks one after the other: see `remove_member`.
        let has_containers = found.iter().any(|one| one.kind == FoundKind::Container);
        let at_once = if has_containers { 1 } else { found.len().max(1) };
        let mut failed = Vec::new();
        for turn in found.chunks(at_once) {
            let results = futures_util::future::join_all(turn.iter().map(|one| remove_one(&self.docker, one))).await;
            failed.extend(turn.iter().zip(results).filter_map(|(one, result)| Some(((*one).clone(), result.err()?))));
        }
        failed
    }

    /// The devices of a run go together: those of its disks keep its pools in use. They go by the run's name and not by
    /// their numbers, which others may have by now.
    async fn detach(&self, found: &[&Found]) -> Vec<(Found, WorldError)> {
        let runs: BTreeSet<&str> = found.iter().map(|one| one.run_id.as_str()).collect();
        let mut failed = Vec::new();
        for run in runs {
            let doing = format!("let go of the devices of run {run}");
            if let Err(error) = devices::detach(&self.docker, &self.asker, run, &doing).await {
                let of_run = found.iter().find(|one| one.run_id == run);
                failed.extend(of_run.map(|one| ((*one).clone(), error)));
            }
        }
        failed
    }
}

/// What the engine calls itself.
pub(super) async fn engine_name(docker: &Docker) -> Result<String> {
    let info = docker.info().await.doing("ask the engine who it is")?;
    // Two engines on one machine may share the file from which they take their identity, but never their folder.
    Ok([info.id, info.docker_root_dir].map(Option::unwrap_or_default).join(" "))
}

async fn remove_one(docker: &Docker, found: &Found) -> Result<()> {
    let doing = format!("remove {found}");
    match found.kind {
        FoundKind::Container => remove_container(docker, &found.id, &doing).await,
        FoundKind::Volume => remove_volume(docker, &found.id, &doing).await,
        FoundKind::Network => remove_network(docker, &found.id, &doing).await,
        FoundKind::Device => {
            Err(WorldError::new(WorldErrorKind::Other, doing, "a device goes with all of its run, never alone"))
        }
    }
}

fn is_pool(found: &Found) -> bool {
    found.kind == FoundKind::Volume && found.resource == "array"
}

/// A device, whose owner is the one that the other things of its run name.
fn note_device(device: &devices::Device, others: &[Found]) -> Found {
    let owner = others.iter().find(|one| one.run_id == device.run_id).map(|one| one.owner.clone());
    let name = format!("{} ({})", device.path, device.file);
    Found {
        kind: FoundKind::Device,
        run_id: device.run_id.clone(),
        owner: owner.unwrap_or_default(),
        id: name.clone(),
        resource: format!("device of {}", device.file),
        name,
    }
}

/// Those of several devices that are of a run, or of one environment of it where that is one of several.
pub(super) fn own_devices(devices: &[devices::Device], run: &RunIdentity) -> Vec<Found> {
    let is_own = |device: &&devices::Device| {
        device.run_id == run.run_id && (run.environment.is_none() || device.environment == run.environment)
    };
    devices.iter().filter(is_own).map(|device| note_device(device, &[])).collect()
}

/// What matches a filter and is named as the run that its label tells names things, in the order in which it can be removed.
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
    found.retain(is_named_by_its_run);
    Ok(found)
}

/// Whatever else carries our label is somebody's own: a container of an image that was committed from a node, say.
fn is_named_by_its_run(found: &Found) -> bool {
    RunIdentity::new(found.run_id.as_str(), "").has_named(&found.name)
}

fn note(kind: FoundKind, id: String, name: String, labels: &HashMap<String, String>) -> Found {
    let label = |key: &str| labels.get(key).cloned().unwrap_or_default();
    let node = label(LABEL_NODE);
    let resource = match label(LABEL_ROLE).as_str() {
        "network" => "networks".to_owned(),
        "volume" => format!("volume of {node}"),
        "disk" => format!("disk of {node}"),
        "helper" => format!("helper of {node}"),
        "wiper" => format!("wiper of {node}"),
        "node" => format!("node {node}"),
        other => other.to_owned(),
    };
    let resource = match label(LABEL_ENVIRONMENT) {
        environment if environment.is_empty() => resource,
        environment => format!("{environment}: {resource}"),
    };
    Found { kind, run_id: label(LABEL_RUN), owner: label(LABEL_OWNER), id, name, resource }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{ArraySpec, Resource};

    #[test]
    fn what_is_found_goes_by_the_ledgers_words() {
        let run = RunIdentity::new("r1", "o");
        let resource = |role: &str, node: Option<&str>| {
            note(FoundKind::Container, "id".into(), "name".into(), &run.labels(role, node)).resource
        };
        let node = || "db-a".to_owned();
        assert_eq!(resource("network", None), Resource::Networks.name());
        assert_eq!(resource("volume", Some("db-a")), Resource::Volume { node: node() }.name());
        assert_eq!(resource("helper", Some("db-a")), Resource::Helper { node: node() }.name());
        assert_eq!(resource("wiper", Some("db-a")), Resource::Wiper { node: node() }.name());
        assert_eq!(resource("disk", Some("db-a")), Resource::Disk { node: node(), from: None }.name());
        let spec = ArraySpec { pool_bytes: 0, disk_bytes: 0, remote_bytes: None };
        assert_eq!(resource("array", None), Resource::Array(spec).name());
        assert_eq!(resource("relay", None), Resource::Relay { targets: Vec::new() }.name());
        assert_eq!(resource("node", Some("db-a")), "node db-a");
    }
}
