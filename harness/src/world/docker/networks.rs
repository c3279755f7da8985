//! The two networks of a run: the private one of its nodes, and the edge that publishes ports out of it.
//!
//! On the private one the host has no address, so a node finds nothing of the host there. On the edge it must have one, as
//! ports are published from it; containers there have a default route to nobody, and a gate before them (see `gate`).

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

/// The last part of the address that containers on the edge take for their way out. Nobody has it.
const NOBODY_HOST: u8 = 253;

impl DockerWorld {
    /// Makes both networks, and what answers for names in the private one.
    pub(super) async fn make_networks(&self) -> Result<()> {
        let shut = [("com.docker.network.bridge.inhibit_ipv4", "true")];
        let request = NetworkCreateRequest { internal: Some(true), ..self.request(self.run.nodes_network(), &shut) };
        let subnet = self.make_network("nodes", request, |_| HashMap::new()).await?;
        self.known().subnet = Some(subnet);
        let (edge, resolver) = tokio::join!(self.make_edge(), self.make_resolver());
        edge.and(resolver)
    }

    /// Ports are published by the engine's own proxy, which needs no masquerade.
    async fn make_edge(&self) -> Result<()> {
        let shut = [("com.docker.network.bridge.enable_ip_masquerade", "false")];
        let request = self.request(self.run.edge_network(), &shut);
        let nowhere =
            |subnet: Subnet| HashMap::from([("DefaultGatewayIPv4".to_owned(), subnet.host(NOBODY_HOST).to_string())]);
        let edge = self.make_network("edge", request, nowhere).await?;
        self.known().edge = Some(edge);
        Ok(())
    }

    fn request(&self, name: String, options: &[(&str, &str)]) -> NetworkCreateRequest {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        NetworkCreateRequest {
            name,
            driver: Some("bridge".to_owned()),
            options: Some(options.collect()),
            labels: Some(self.run.labels("network", None)),
            ..Default::default()
        }
    }

    async fn make_network(
        &self,
        purpose: &str,
        request: NetworkCreateRequest,
        set_aside: impl Fn(Subnet) -> HashMap<String, String>,
    ) -> Result<Subnet> {
        let doing = format!("make network {}", request.name);
        let taken = self.taken_subnets(&request.name, &doing).await?;
        let mut last = WorldError::new(WorldErrorKind::Taken, &doing, "every subnet that it may take is in use");
        for subnet in subnet::candidates(&self.run.run_id, purpose, &taken) {
            let config = IpamConfig {
                subnet: Some(subnet.to_string()),
                auxiliary_addresses: Some(set_aside(subnet)),
                ..Default::default()
            };
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
