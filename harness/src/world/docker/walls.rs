//! Whether a node has a way out: every way is tried from its own network namespace, and none may answer.

use std::collections::{BTreeSet, HashMap};

use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder, ListNetworksOptions};

use super::{DockerWorld, errors::Doing, names::LABEL_RUN, subnet::Subnet};
use crate::world::{Result, WaysOut, WorldError, WorldErrorKind};

const SCRIPT: &str = include_str!("walls/ways-out");
/// A port on which nothing listens: a host that is reached says so at once.
const CLOSED_PORT: u16 = 1;
/// Stands for every address out there: it is kept for documents, and nobody has it.
const OUTSIDE: &str = "198.51.100.7";
/// Where clouds answer for the machine itself.
const METADATA: &str = "169.254.169.254";
/// So many containers of others are tried: each takes two open files, and one that is reached shows as much as all of them.
const MOST_OTHERS: usize = 200;
/// Where the engine's own name server listens in every namespace.
const EMBEDDED: &str = "127.0.0.11";

impl DockerWorld {
    /// Tries every way out of a node that has a helper.
    pub(super) async fn try_ways_out(&self, from: &str) -> Result<WaysOut> {
        let doing = format!("try the ways out of {from}");
        let mut tried = self.ways(&doing).await?;
        let none = || WorldError::new(WorldErrorKind::NotFound, &doing, format!("{from} has no helper"));
        let helper = self.helper(from).ok_or_else(none)?;
        let mut slot = helper.lock().await;
        self.renew(from, &mut slot).await?;
        let script = format!("perl - {} <<'PERL'\n{SCRIPT}PERL\n", tried.join(" "));
        let said = self.in_namespace(from, &mut slot, &doing, &script).await?.success(&doing)?;
        let mut open: Vec<String> = said.lines().map(|line| line.trim().to_owned()).collect();
        open.extend(self.sockets(from, &doing).await?);
        tried.extend(["an address of IPv6", "a socket of the machine's"].map(str::to_owned));
        Ok(WaysOut { tried, open })
    }

    /// The host on every network of the engine, whoever runs in other environments, the metadata of a cloud, the world, and name
    /// servers.
    async fn ways(&self, doing: &str) -> Result<Vec<String>> {
        let networks = self.docker.list_networks(None::<ListNetworksOptions>).await.doing(doing)?;
        let configs = networks.into_iter().filter_map(|network| network.ipam?.config).flatten();
        let gateway = |config: bollard::models::IpamConfig| {
            let first = || Some(config.subnet.as_deref()?.parse::<Subnet>().ok()?.host(1).to_string());
            config.gateway.clone().filter(|gateway| !gateway.is_empty()).or_else(first)
        };
        let hosts: BTreeSet<String> = configs.filter_map(gateway).filter(|gateway| !gateway.contains(':')).collect();
        let others = self.others(doing).await?;
        let hosts = hosts.union(&others).map(String::as_str).chain([METADATA, OUTSIDE]);
        let ways = hosts.flat_map(|host| [format!("tcp/{host}/{CLOSED_PORT}"), format!("udp/{host}/{CLOSED_PORT}")]);
        let resolver = self.resolver_address(doing)?.to_string();
        let names = [resolver.as_str(), EMBEDDED, OUTSIDE].map(|server| format!("dns/{server}/53"));
        Ok(ways.chain(names).collect())
    }

    /// Addresses of running containers of other runs on this engine, and of other environments of this run.
    async fn others(&self, doing: &str) -> Result<BTreeSet<String>> {
        let of_runs = HashMap::from([("label", vec![LABEL_RUN])]);
        let options = ListContainersOptionsBuilder::new().filters(&of_runs).build();
        let running = self.docker.list_containers(Some(options)).await.doing(doing)?;
        let others = running.into_iter().filter(|one| !self.run.is_labelled(one.labels.as_ref()));
        let networks = others.filter_map(|one| one.network_settings?.networks).flat_map(HashMap::into_values);
        let addresses = networks.filter_map(|network| network.ip_address).filter(|address| !address.is_empty());
        Ok(addresses.take(MOST_OTHERS).collect())
    }

    /// Sockets of the machine in the node's file system: the engine's above all.
    async fn sockets(&self, node: &str, doing: &str) -> Result<Vec<String>> {
        let container = self.run.container(node);
        let inspected =
            self.docker.inspect_container(&container, None::<InspectContainerOptions>).await.doing(doing)?;
        let sources = inspected.mounts.unwrap_or_default().into_iter().filter_map(|mount| mount.source);
        Ok(sources.filter(|source| source.ends_with(".sock")).map(|source| format!("the socket {source}")).collect())
    }
}
