//! The power of nodes: what the engine does to the whole of a container at once.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use bollard::{
    models::ContainerState,
    query_parameters::{
        EventsOptionsBuilder, InspectContainerOptions, KillContainerOptionsBuilder, StartContainerOptions,
        StopContainerOptionsBuilder,
    },
};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep};

use super::{
    DockerWorld,
    errors::{Doing, from_engine, status},
};
use crate::world::{NodeState, Power, Result, WorldError, WorldErrorKind};

/// How long the engine may take to notice that a container is down.
const DOWN_WITHIN: Duration = Duration::from_secs(10);
const DOWN_POLL: Duration = Duration::from_millis(3);

/// What a container does, from the engine's own words.
pub(super) fn read_state(state: &ContainerState) -> NodeState {
    match (state.running.unwrap_or(false), state.paused.unwrap_or(false)) {
        (true, true) => NodeState::Paused,
        (true, false) => NodeState::Running,
        (false, _) => NodeState::Down,
    }
}

impl DockerWorld {
    /// What a node does and since when; each start has its own moment.
    pub(super) async fn state_since(&self, node: &str) -> Result<(NodeState, String)> {
        let container = self.run.container(node);
        let inspected = self.docker.inspect_container(&container, None::<InspectContainerOptions>).await;
        let state = inspected.doing(format!("look at node {node}"))?.state.unwrap_or_default();
        Ok((read_state(&state), state.started_at.unwrap_or_default()))
    }

    /// Ends when the engine says that a kill of a container has been delivered; it says so long before it has cleared
    /// up. It never ends if the engine's clock is so far from ours that it cannot know what we mean by now.
    async fn kill_delivered(&self, container: String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let wanted = HashMap::from([("container", vec![container]), ("event", vec!["kill".to_owned()])]);
        let options = EventsOptionsBuilder::new().since(&now.to_string()).filters(&wanted).build();
        let mut events = std::pin::pin!(self.docker.events(Some(options)));
        if !matches!(events.next().await, Some(Ok(_))) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Power for DockerWorld {
    async fn start(&self, node: &str) -> Result<()> {
        self.sql.forget(node);
        let container = self.run.container(node);
        let is_published = self.known().published.contains(node);
        if is_published {
            self.start_on_edge(&container, None).await?;
        } else {
            let started = self.docker.start_container(&container, None::<StartContainerOptions>).await;
            started.doing(format!("start node {node}"))?;
        }
        self.renew_rules(node).await?;
        self.learn_service_port(node).await
    }

    async fn kill(&self, node: &str) -> Result<()> {
        let (docker, container) = (self.docker.clone(), self.run.container(node));
        let killed = tokio::spawn(async move {
            let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
            docker.kill_container(&container, Some(options)).await
        });
        tokio::select! {
            biased;
            answer = killed => match answer {
                // It is down already: nothing of it is left to kill.
                Ok(Err(error)) if status(&error) == Some(409) => {}
                Ok(result) => result.doing(format!("kill node {node}"))?,
                Err(panic) => {
                    return Err(WorldError::new(WorldErrorKind::Other, format!("kill node {node}"), panic.to_string()));
                }
            },
            () = self.kill_delivered(self.run.container(node)) => {}
        }
        self.sql.forget(node);
        Ok(())
    }

    async fn stop(&self, node: &str, within: Duration) -> Result<()> {
        let doing = format!("stop node {node}");
        let seconds = i32::try_from(within.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        self.docker.stop_container(&self.run.container(node), Some(options)).await.doing(&doing)?;
        self.sql.forget(node);
        self.await_down(node).await
    }

    async fn await_down(&self, node: &str) -> Result<()> {
        let deadline = Instant::now() + DOWN_WITHIN;
        while self.state(node).await? != NodeState::Down {
            if Instant::now() > deadline {
                let happened = format!("the engine says after {DOWN_WITHIN:?} that it still runs");
                return Err(WorldError::new(WorldErrorKind::TimedOut, format!("kill node {node}"), happened));
            }
            sleep(DOWN_POLL).await;
        }
        Ok(())
    }

    async fn pause(&self, node: &str) -> Result<()> {
        match self.docker.pause_container(&self.run.container(node)).await {
            Err(error) if self.state(node).await? != NodeState::Paused => {
                Err(from_engine(format!("pause node {node}"), error))
            }
            _ => Ok(()),
        }
    }

    async fn unpause(&self, node: &str) -> Result<()> {
        match self.docker.unpause_container(&self.run.container(node)).await {
            Err(error) if self.state(node).await? != NodeState::Running => {
                Err(from_engine(format!("unpause node {node}"), error))
            }
            _ => Ok(()),
        }
    }

    async fn state(&self, node: &str) -> Result<NodeState> {
        Ok(self.state_since(node).await?.0)
    }
}
