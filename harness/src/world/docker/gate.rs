//! The gate before a container on the edge: rules in the container's own network namespace, by which it may answer there and
//! say nothing of its own.
//!
//! The rules stand before the container joins the edge. So a container starts in the private network alone, a gate joins its
//! namespace, puts the rules there and ends, and only then the engine connects the edge and publishes ports. A namespace
//! lasts as long as its container runs: each start goes the same way.

use bollard::{
    models::{
        ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, NetworkConnectRequest,
        NetworkDisconnectRequest,
    },
    query_parameters::{
        InspectContainerOptions, ListContainersOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures_util::StreamExt;

use super::{DockerWorld, RunIdentity, errors::Doing, limits, power::read_state, subnet::Subnet};
use crate::world::{NodeState, Result, WorldError, WorldErrorKind};

impl DockerWorld {
    /// Makes the gate of a container that there is already.
    pub(super) async fn make_gate(&self, container: &str, node: Option<&str>) -> Result<()> {
        let doing = format!("make the gate of {container}");
        let image = self.tools_image(&|_| {}).await?.tag.clone();
        let body = ContainerCreateBody {
            image: Some(image),
            cmd: Some(vec!["nft".to_owned(), rules(self.subnet(&doing)?)]),
            labels: Some(self.run.labels("gate", node)),
            host_config: Some(HostConfig {
                network_mode: Some(format!("container:{container}")),
                cap_add: Some(vec!["NET_ADMIN".to_owned()]),
                readonly_rootfs: Some(true),
                ..self.host_config(limits::OWN)
            }),
            ..Default::default()
        };
        self.make_container(&RunIdentity::gate(container), body).await
    }

    /// Starts a container behind its gate, and then on the edge. One that ended at once never joins: whoever waits for it
    /// to be ready finds out.
    pub(super) async fn start_on_edge(&self, container: &str, last: Option<u8>) -> Result<()> {
        let doing = format!("start container {container}");
        self.leave_edge(container, &doing).await?;
        self.docker.start_container(container, None::<StartContainerOptions>).await.doing(&doing)?;
        if let Err(error) = self.shut_gate(container).await {
            return if self.is_down(container, &doing).await? { Ok(()) } else { Err(error) };
        }
        match self.join_edge(container, last, &doing).await {
            Err(_) if self.is_down(container, &doing).await? => Ok(()),
            other => other,
        }
    }

    async fn is_down(&self, container: &str, doing: &str) -> Result<bool> {
        let inspected = self.docker.inspect_container(container, None::<InspectContainerOptions>).await.doing(doing)?;
        Ok(read_state(&inspected.state.unwrap_or_default()) == NodeState::Down)
    }

    /// Puts the rules in place. The gate ends with 0 only if they are.
    async fn shut_gate(&self, container: &str) -> Result<()> {
        let (gate, doing) = (RunIdentity::gate(container), format!("shut the gate of {container}"));
        self.docker.start_container(&gate, None::<StartContainerOptions>).await.doing(&doing)?;
        match self.docker.wait_container(&gate, None::<WaitContainerOptions>).next().await {
            Some(Ok(ended)) if ended.status_code == 0 => Ok(()),
            _ => {
                let said = self.container_logs(&gate).await.unwrap_or_default();
                Err(WorldError::new(WorldErrorKind::Other, doing, format!("it failed, and printed: {}", said.trim())))
            }
        }
    }

    async fn join_edge(&self, container: &str, last: Option<u8>, doing: &str) -> Result<()> {
        let edge = self.edge(doing)?;
        let fixed = last
            .map(|last| EndpointIpamConfig { ipv4_address: Some(edge.host(last).to_string()), ..Default::default() });
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(EndpointSettings { ipam_config: fixed, ..Default::default() }),
        };
        self.docker.connect_network(&self.run.edge_network(), request).await.doing(doing)
    }

    /// Takes everybody off the edge networks of all environments of the run. Whoever has left one is not connected to it again when
    /// somebody starts the container by hand, without a gate.
    pub(super) async fn clear_edges(&self) -> Result<()> {
        let doing = "take the nodes off the edge network";
        let run = RunIdentity::new(self.run.run_id.as_str(), "");
        let options = ListContainersOptionsBuilder::new().all(true).filters(&run.filter()).build();
        for member in self.docker.list_containers(Some(options)).await.doing(doing)? {
            let networks = member.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
            let Some(container) = member.id else { continue };
            for edge in networks.into_keys().filter(|name| run.has_named(name) && name.ends_with("edge")) {
                self.disconnect(&container, edge, doing).await?;
            }
        }
        Ok(())
    }

    /// The engine would otherwise connect it at its start, before there are rules.
    async fn leave_edge(&self, container: &str, doing: &str) -> Result<()> {
        let edge = self.run.edge_network();
        let inspected = self.docker.inspect_container(container, None::<InspectContainerOptions>).await.doing(doing)?;
        let networks = inspected.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        if !networks.contains_key(&edge) {
            return Ok(());
        }
        self.disconnect(container, edge, doing).await
    }

    async fn disconnect(&self, container: &str, network: String, doing: &str) -> Result<()> {
        let _alone = self.leaving.lock().await;
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        self.docker.disconnect_network(&network, request).await.doing(doing)
    }
}

/// New connections go to the nodes alone. Elsewhere only what belongs to a connection that the other side began.
fn rules(nodes: Subnet) -> String {
    format!(
        "table inet blackstart-edge {{\n  \
         chain leaving {{\n    type filter hook output priority 10; policy drop;\n    \
         oifname \"lo\" accept\n    ip daddr {nodes} accept\n    ct state established ct direction reply accept\n  }}\n  \
         chain passing {{ type filter hook forward priority 10; policy drop; }}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_is_an_answer_or_goes_to_a_node() {
        let text = rules("10.130.1.0/24".parse().expect("a subnet"));
        assert_eq!(text.matches("policy drop").count(), 2, "whatever no rule names stays in: {text}");
        assert_eq!(text.matches("accept").count(), 3, "{text}");
        assert!(text.contains("ip daddr 10.130.1.0/24 accept"), "{text}");
    }
}
