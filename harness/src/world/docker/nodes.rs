//! Nodes: one container each, made with its address, its volume, its files and the run's password, and not started.

use std::collections::HashMap;

use bollard::{
    body_full,
    models::{
        ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType,
        NetworkConnectRequest, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
        VolumeCreateRequest,
    },
    query_parameters::{CreateContainerOptionsBuilder, InspectContainerOptions, UploadToContainerOptionsBuilder},
};

use super::{
    DockerWorld,
    errors::Doing,
    tarball::{self, Entry},
};
use crate::world::{NodeSpec, Result, WorldError, WorldErrorKind};

/// The last part of the relay's address. The gateway has 1.
pub(super) const RELAY_HOST: u8 = 254;

/// A volume where a container sees it.
pub(super) fn volume_mount(source: String, target: &str) -> Mount {
    Mount { typ: Some(MountType::VOLUME), source: Some(source), target: Some(target.to_owned()), ..Default::default() }
}

impl DockerWorld {
    /// Makes the volume of a node.
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

    /// Makes a node with everything that goes into it.
    pub(super) async fn make_node(&self, spec: &NodeSpec) -> Result<()> {
        self.note(spec);
        let body = self.node_body(spec)?;
        let name = self.run.container(&spec.name);
        self.make_container(&name, body, spec.published.is_some()).await?;
        self.upload(&name, &self.node_files(spec)).await
    }

    /// Remembers what later questions need: who has which address, and who serves the clients.
    fn note(&self, spec: &NodeSpec) {
        let mut known = self.known();
        known.hosts.extend(spec.neighbours.iter().cloned());
        known.hosts.insert(spec.name.clone(), spec.host);
        if let Some(port) = spec.published {
            known.service = Some((spec.name.clone(), port));
        }
    }

    fn node_body(&self, spec: &NodeSpec) -> Result<ContainerCreateBody> {
        let doing = format!("make node {}", spec.name);
        if matches!(spec.host, 0 | 1 | RELAY_HOST | 255) {
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
                extra_hosts: Some(self.hosts_entries(spec, &doing)?),
                mounts: Some(self.mounts(spec)),
                ..self.host_config(&ports)
            }),
            networking_config: Some(self.place(spec.host, &doing)?),
            ..Default::default()
        })
    }

    fn hosts_entries(&self, spec: &NodeSpec, doing: &str) -> Result<Vec<String>> {
        let others = spec.neighbours.iter().filter(|(name, _)| *name != spec.name);
        others.map(|(name, host)| Ok(format!("{name}:{}", self.subnet(doing)?.host(*host)))).collect()
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

    /// What the engine lets every container of ours do: nothing that it does not need.
    pub(super) fn host_config(&self, ports: &[u16]) -> HostConfig {
        let free = || Some(vec![PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) }]);
        HostConfig {
            network_mode: Some(self.run.nodes_network()),
            port_bindings: Some(ports.iter().map(|port| (format!("{port}/tcp"), free())).collect()),
            restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), ..Default::default() }),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some(HashMap::from([("max-size".to_owned(), "16m".to_owned())])),
            }),
            init: Some(false),
            ..Default::default()
        }
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

    /// Makes a container in the nodes' network, and in the edge network too where it publishes ports.
    pub(super) async fn make_container(&self, name: &str, body: ContainerCreateBody, edge: bool) -> Result<()> {
        let doing = format!("make container {name}");
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        self.docker.create_container(Some(options), body).await.doing(&doing)?;
        if edge {
            let request = NetworkConnectRequest { container: name.to_owned(), endpoint_config: None };
            self.docker.connect_network(&self.run.edge_network(), request).await.doing(&doing)?;
        }
        Ok(())
    }

    /// Copies files into a container.
    pub(super) async fn upload(&self, container: &str, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let doing = format!("copy files into container {container}");
        let archive = tarball::pack(entries)
            .map_err(|error| WorldError::new(WorldErrorKind::Other, &doing, error.to_string()))?;
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
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
