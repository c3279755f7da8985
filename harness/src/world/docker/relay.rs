//! The relay: one HAProxy that passes TCP from ports of this machine to ports of nodes. The harness talks to nodes only
//! through it. It uses addresses and no names, checks nothing and retries nothing, so that it adds no verdict of its own. It listens on
//! the edge alone: to a node it is no way to another one.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    net::Ipv4Addr,
    time::Duration,
};

use bollard::models::{ContainerCreateBody, HostConfig};
use tokio::time::{Instant, sleep};

use super::{
    DockerWorld, limits,
    nodes::{NOBODY, RELAY_HOST},
};
use crate::world::{RelayTarget, Result, WorldError, WorldErrorKind};

/// The file system of its container cannot be written, so its configuration comes as an argument.
const RUN: &str = "printf %s \"$1\" >/tmp/relay.cfg && exec haproxy -db -f /tmp/relay.cfg";
const FIRST_PORT: u16 = 20_000;
/// Where the relay answers for itself.
const HEALTH_PORT: u16 = 19_999;
const UP_WITHIN: Duration = Duration::from_secs(10);
const UP_POLL: Duration = Duration::from_millis(5);

/// A node's port as the relay passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    own_port: u16,
    address: Ipv4Addr,
    port: u16,
}

impl DockerWorld {
    /// Makes and starts the relay, and waits until it passes traffic on.
    pub(super) async fn make_relay(&self, targets: &[RelayTarget]) -> Result<()> {
        let doing = "make the relay";
        let routes = self.routes(targets, doing)?;
        let name = self.run.relay();
        let body = self.relay_body(&routes, doing).await?;
        self.make_container(&name, body).await?;
        self.make_gate(&name, None).await?;
        self.start_on_edge(&name, Some(RELAY_HOST)).await?;
        let published = self.published_ports(&name).await?;
        let ports = targets.iter().zip(&routes);
        let learned: Option<BTreeMap<(String, u16), u16>> = ports
            .map(|(target, route)| Some(((target.node.clone(), target.port), *published.get(&route.own_port)?)))
            .collect();
        let (Some(learned), Some(health)) = (learned, published.get(&HEALTH_PORT)) else {
            return Err(self.relay_fails("the engine published none of its ports").await);
        };
        self.known().relay_ports = learned;
        self.await_relay(*health).await
    }

    async fn relay_fails(&self, happened: &str) -> WorldError {
        let said = self.container_logs(&self.run.relay()).await.unwrap_or_default();
        WorldError::new(WorldErrorKind::TimedOut, "start the relay", format!("{happened}; it printed:\n{said}"))
    }

    fn routes(&self, targets: &[RelayTarget], doing: &str) -> Result<Vec<Route>> {
        let subnet = self.subnet(doing)?;
        let route = |(own_port, target): (u16, &RelayTarget)| Route {
            own_port,
            address: subnet.host(target.host),
            port: target.port,
        };
        Ok((FIRST_PORT..).zip(targets).map(route).collect())
    }

    async fn relay_body(&self, routes: &[Route], doing: &str) -> Result<ContainerCreateBody> {
        let image = self.tools_image(&|_| {}).await?.tag.clone();
        let own = self.edge(doing)?.host(RELAY_HOST);
        let ports: Vec<u16> = routes.iter().map(|route| route.own_port).chain([HEALTH_PORT]).collect();
        Ok(ContainerCreateBody {
            image: Some(image),
            hostname: Some("relay".to_owned()),
            user: Some(NOBODY.to_owned()),
            cmd: Some(["sh", "-c", RUN, "relay", &config(own, routes)].map(str::to_owned).to_vec()),
            labels: Some(self.run.labels("relay", None)),
            exposed_ports: Some(ports.iter().map(|port| format!("{port}/tcp")).collect()),
            host_config: Some(HostConfig {
                readonly_rootfs: Some(true),
                tmpfs: Some(HashMap::from([("/tmp".to_owned(), "size=1m".to_owned())])),
                // It starts before it joins the edge, and has its address there only then.
                sysctls: Some(HashMap::from([("net.ipv4.ip_nonlocal_bind".to_owned(), "1".to_owned())])),
                ..self.networked(&ports, limits::OWN, doing)?
            }),
            networking_config: Some(self.place(RELAY_HOST, doing)?),
            ..Default::default()
        })
    }

    async fn await_relay(&self, port: u16) -> Result<()> {
        let deadline = Instant::now() + UP_WITHIN;
        let url = format!("http://127.0.0.1:{port}/");
        loop {
            let answer = self.fresh_http.get(&url).timeout(Duration::from_millis(500)).send().await;
            match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                _ if Instant::now() < deadline => sleep(UP_POLL).await,
                _ => return Err(self.relay_fails(&format!("it does not answer after {UP_WITHIN:?}")).await),
            }
        }
    }

    /// The port of this machine that leads to a port of a node.
    pub(super) fn relayed(&self, node: &str, port: u16, doing: &str) -> Result<u16> {
        self.known().relay_ports.get(&(node.to_owned(), port)).copied().ok_or_else(|| {
            let happened = format!("the relay does not lead to {node}:{port}: is it observed?");
            WorldError::new(WorldErrorKind::NotFound, doing, happened)
        })
    }
}

fn config(own: Ipv4Addr, routes: &[Route]) -> String {
    let mut config = format!(
        "global\n    maxconn 4000\n\
         defaults\n    mode tcp\n    retries 0\n    timeout connect 300ms\n    timeout client 1h\n    timeout server 1h\n\
         frontend health\n    mode http\n    timeout client 1s\n    bind {own}:{HEALTH_PORT}\n    \
         http-request return status 200\n"
    );
    for Route { own_port, address, port } in routes {
        let _ = writeln!(config, "listen to-{own_port}\n    bind {own}:{own_port}\n    server node {address}:{port}");
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_of_a_node_has_its_own() {
        let (own, address) = (Ipv4Addr::new(10, 131, 1, 254), Ipv4Addr::new(10, 130, 1, 11));
        let routes = [Route { own_port: 20_000, address, port: 5432 }, Route { own_port: 20_001, address, port: 8080 }];
        let text = config(own, &routes);
        assert_eq!(text.matches("bind ").count(), text.matches("bind 10.131.1.254:").count(), "{text}");
        assert!(
            text.contains("listen to-20000\n    bind 10.131.1.254:20000\n    server node 10.130.1.11:5432\n"),
            "{text}"
        );
        assert!(text.contains("server node 10.130.1.11:8080"), "{text}");
        assert!(!text.contains("check"), "the relay must not check");
    }
}
