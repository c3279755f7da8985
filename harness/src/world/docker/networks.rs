//! The two networks of a run: the private one of its nodes, and the edge that publishes ports out of it.

use std::{collections::HashMap, fs};

use bollard::{
    models::{Ipam, IpamConfig, NetworkCreateRequest},
    query_parameters::ListNetworksOptions,
};

use super::{
    DockerWorld,
    errors::{Doing, from_engine},
    subnet::{self, Subnet},
};
use crate::world::{Result, WorldError, WorldErrorKind};

impl DockerWorld {
    /// Makes both networks.
    pub(super) async fn make_networks(&self) -> Result<()> {
        let nodes = NetworkCreateRequest { internal: Some(true), ..self.network_request(self.run.nodes_network()) };
        let subnet = self.make_network("nodes", nodes).await?;
        self.known().subnet = Some(subnet);
        // Ports are published by the engine's own proxy, which needs no masquerade; without it nothing gets out.
        let shut = [("com.docker.network.bridge.enable_ip_masquerade".to_owned(), "false".to_owned())];
        let edge = NetworkCreateRequest {
            options: Some(HashMap::from(shut)),
            ..self.network_request(self.run.edge_network())
        };
        self.make_network("edge", edge).await?;
        Ok(())
    }

    fn network_request(&self, name: String) -> NetworkCreateRequest {
        NetworkCreateRequest {
            name,
            driver: Some("bridge".to_owned()),
            labels: Some(self.run.labels("network", None)),
            ..Default::default()
        }
    }

    async fn make_network(&self, purpose: &str, request: NetworkCreateRequest) -> Result<Subnet> {
        let doing = format!("make network {}", request.name);
        let taken = self.taken_subnets(&request.name, &doing).await?;
        let mut last = WorldError::new(WorldErrorKind::Taken, &doing, "every subnet that it may take is in use");
        for subnet in subnet::candidates(&self.run.run_id, purpose, &taken) {
            let config = IpamConfig { subnet: Some(subnet.to_string()), ..Default::default() };
            let ipam = Ipam { config: Some(vec![config]), ..Default::default() };
            match self.docker.create_network(NetworkCreateRequest { ipam: Some(ipam), ..request.clone() }).await {
                Ok(_) => return Ok(subnet),
                Err(error) => last = from_engine(&doing, error),
            }
            if last.kind != WorldErrorKind::Taken {
                break;
            }
        }
        Err(last)
    }

    /// The engine itself takes two networks of one name, so the name is looked up too.
    async fn taken_subnets(&self, name: &str, doing: &str) -> Result<Vec<Subnet>> {
        let networks = self.docker.list_networks(None::<ListNetworksOptions>).await.doing(doing)?;
        if networks.iter().any(|network| network.name.as_deref() == Some(name)) {
            return Err(WorldError::new(WorldErrorKind::Taken, doing, "there is one of that name"));
        }
        let configs = networks.into_iter().filter_map(|network| network.ipam?.config).flatten();
        let mut taken: Vec<Subnet> = configs.filter_map(|config| config.subnet?.parse().ok()).collect();
        taken.extend(subnet::host_routes(&fs::read_to_string("/proc/net/route").unwrap_or_default()));
        Ok(taken)
    }
}
