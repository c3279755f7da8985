//! Nodes: one container each, made with its address, its volume, its files and the run's password, and not started.

use std::collections::HashMap;

use bollard::{
    body_full,
    models::{
        ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType,
        NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum, VolumeCreateRequest,
    },
    query_parameters::{CreateContainerOptionsBuilder, InspectContainerOptions, UploadToContainerOptionsBuilder},
};

use super::{
    DockerWorld,
    errors::Doing,
    limits,
    resolver::RESOLVER_HOST,
    tarball::{self, Entry},
};
use crate::world::{Limits, NodeSpec, Result, WorldError, WorldErrorKind};

/// The last part of the relay's address. The gateway has 1.
pub(super) const RELAY_HOST: u8 = 254;
/// The user and group without any right.
pub(super) const NOBODY: &str = "65534:65534";

/// A volume where a container sees it.
pub(super) fn volume_mount(source: String, target: &str) -> Mount {
    Mount { typ: Some(MountType::VOLUME), source: Some(source), target: Some(target.to_owned()), ..Default::default() }
}

/// What containers print is kept, within bounds.
pub(super) fn log_config() -> HostConfigLogConfig {
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::from([("max-size".to_owned(), "16m".to_owned())])),
    }
}

impl DockerWorld {
    pub(super) async fn make_volume(&self, node: &str) -> Result<()> {
        if self.known().lent.contains_key(node) {
            return Ok(());
        }
        let request = VolumeCreateRequest {
            name: Some(self.run.volume(node)),
            driver: Some("local".to_owned()),
            labels: Some(self.run.labels("volume", Some(node))),
            ..Default::default()
        };
        self.docker.create_volume(request).await.doing(format!("make the volume of {node}"))?;
        Ok(())
    }

    /// Makes a node with everything that goes into it, while the resolver that it will ask starts.
    pub(super) async fn make_node(&self, spec: &NodeSpec) -> Result<()> {
        self.note(spec);
        let (made, answers) = tokio::join!(self.make_node_container(spec), self.resolver_answers());
        made.and(answers)
    }

    async fn make_node_container(&self, spec: &NodeSpec) -> Result<()> {
        let body = self.node_body(spec)?;
        let name = self.run.container(&spec.name);
        self.make_container(&name, body).await?;
        if spec.published.is_some() {
            self.make_gate(&name, Some(&spec.name)).await?;
        }
        self.upload_into(&name, "/", &self.node_files(spec)).await
    }

    /// Remembers what later questions need: who has which address, and who serves the clients.
    fn note(&self, spec: &NodeSpec) {
        let mut known = self.known();
        known.hosts.extend(spec.neighbours.iter().cloned());
        known.hosts.insert(spec.name.clone(), spec.host);
        if let Some(port) = spec.published {
            known.published.insert(spec.name.clone());
            known.service = Some((spec.name.clone(), port));
        }
    }

    fn node_body(&self, spec: &NodeSpec) -> Result<ContainerCreateBody> {
        let doing = format!("make node {}", spec.name);
        if matches!(spec.host, 0 | 1 | RESOLVER_HOST | RELAY_HOST | 255) {
            let happened = format!("{} as the last part of an address is not a node's", spec.host);
            return Err(WorldError::new(WorldErrorKind::Taken, doing, happened));
        }
        let image = self.known().images.get(&spec.image).cloned().ok_or_else(|| {
            WorldError::new(WorldErrorKind::NotFound, &doing, format!("image {} was not prepared", spec.image))
        })?;
        let ports: Vec<u16> = spec.published.into_iter().collect();
        Ok(ContainerCreateBody {
            image: Some(image.tag),
            hostname: Some(spec.name.clone()),
            cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
            env: Some(spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            labels: Some(self.run.labels("node", Some(&spec.name))),
            exposed_ports: Some(ports.iter().map(|port| format!("{port}/tcp")).collect()),
            host_config: Some(HostConfig {
                mounts: Some(self.mounts(spec).into_iter().chain([self.resolv_conf(&doing)?]).collect()),
                cap_add: Some(spec.capabilities.iter().map(|one| limits::word(*one).to_owned()).collect()),
                ..self.networked(&ports, spec.limits, &doing)?
            }),
            networking_config: Some(self.place(spec.host, &doing)?),
            ..Default::default()
        })
    }

    fn mounts(&self, spec: &NodeSpec) -> Vec<Mount> {
        let lent = self.known().lent.get(&spec.name).cloned();
        let is_lent = lent.is_some();
        let source = lent.unwrap_or_else(|| self.run.volume(&spec.name));
        let mount = |target: &String| Mount { read_only: Some(is_lent), ..volume_mount(source.clone(), target) };
        spec.data.iter().map(mount).collect()
    }

    fn node_files(&self, spec: &NodeSpec) -> Vec<Entry> {
        let files = spec.files.iter().map(|(to, bytes)| Entry::copied(to, bytes));
        files.chain(spec.password_file.iter().map(|path| Entry::secret(path, &self.password))).collect()
    }

    /// What the engine lets every container of ours do: nothing that it does not need. What it needs is added by whoever
    /// makes it.
    pub(super) fn host_config(&self, limits: Limits) -> HostConfig {
        let memory = i64::try_from(limits.memory_bytes).unwrap_or(i64::MAX);
        HostConfig {
            restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), ..Default::default() }),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            memory: Some(memory),
            memory_swap: Some(memory),
            pids_limit: Some(i64::from(limits.processes)),
            log_config: Some(log_config()),
            init: Some(false),
            ..Default::default()
        }
    }

    /// The same for a container in the nodes' network. Whatever asks the engine's own name server is led to the resolver.
    pub(super) fn networked(&self, ports: &[u16], limits: Limits, doing: &str) -> Result<HostConfig> {
        let free = || Some(vec![PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) }]);
        Ok(HostConfig {
            network_mode: Some(self.run.nodes_network()),
            dns: Some(vec![self.resolver_address(doing)?.to_string()]),
            dns_search: Some(vec![".".to_owned()]),
            port_bindings: Some(ports.iter().map(|port| (format!("{port}/tcp"), free())).collect()),
            ..self.host_config(limits)
        })
    }

    /// A fixed place in the nodes' network.
    pub(super) fn place(&self, host: u8, doing: &str) -> Result<NetworkingConfig> {
        let address = self.subnet(doing)?.host(host).to_string();
        let endpoint = EndpointSettings {
            ipam_config: Some(EndpointIpamConfig { ipv4_address: Some(address), ..Default::default() }),
            ..Default::default()
        };
        let endpoints = HashMap::from([(self.run.nodes_network(), endpoint)]);
        Ok(NetworkingConfig { endpoints_config: Some(endpoints) })
    }

    /// Makes a container, and does not start it.
    pub(super) async fn make_container(&self, name: &str, body: ContainerCreateBody) -> Result<()> {
        let doing = format!("make container {name}");
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        self.docker.create_container(Some(options), body).await.doing(&doing).map(drop)
    }

    /// Copies files into a folder of a container.
    pub(super) async fn upload_into(&self, container: &str, folder: &str, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let doing = format!("copy files into container {container}");
        let archive = tarball::pack(entries)
            .map_err(|error| WorldError::new(WorldErrorKind::Other, &doing, error.to_string()))?;
        let options = UploadToContainerOptionsBuilder::new().path(folder).build();
        self.docker.upload_to_container(container, Some(options), body_full(archive.into())).await.doing(doing)
    }

    /// The ports of this machine by which a container is reached, by its own.
    pub(super) async fn published_ports(&self, container: &str) -> Result<HashMap<u16, u16>> {
        let doing = format!("look at the ports of container {container}");
        let inspected = self.docker.inspect_container(container, None::<InspectContainerOptions>).await.doing(doing)?;
        let ports = inspected.network_settings.and_then(|settings| settings.ports).unwrap_or_default();
        let read = |(own, bindings): (String, Option<Vec<PortBinding>>)| {
            let own = own.split('/').next()?.parse().ok()?;
            let host = bindings?.into_iter().find_map(|binding| binding.host_port?.parse().ok())?;
            Some((own, host))
        };
        Ok(ports.into_iter().filter_map(read).collect())
    }
}
