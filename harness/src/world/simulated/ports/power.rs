//! The power of nodes. A kill takes effect somewhere between the call and its return, as with a real engine.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    Model, SimulatedWorld,
    draws::{KILL, LOOK, PAUSE, START, STOP},
    shape::NodeId,
};
use crate::world::{NodeState, Power, Result, WorldError, WorldErrorKind};

#[async_trait]
impl Power for SimulatedWorld {
    async fn start(&self, node: &str) -> Result<()> {
        let doing = format!("start {node}");
        let id = self.existing(&doing, node)?;
        if self.now().model.is_paused(id) {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, "the node is paused; unpause it instead"));
        }
        self.take_effect(&START, id, |model| model.start(id)).await;
        Ok(())
    }

    async fn kill(&self, node: &str) -> Result<()> {
        let doing = format!("kill {node}");
        let id = self.existing(&doing, node)?;
        let kill = |model: &mut Model| {
            model.note_fault(doing.clone());
            model.kill(id);
        };
        self.take_effect(&KILL, id, kill).await;
        Ok(())
    }

    async fn stop(&self, node: &str, within: Duration) -> Result<()> {
        let doing = format!("stop {node}");
        let id = self.existing(&doing, node)?;
        self.spend_within(&doing, &STOP, id, within).await?;
        self.change(|model| model.stop(id));
        Ok(())
    }

    async fn await_down(&self, node: &str) -> Result<()> {
        match self.state(node).await? {
            NodeState::Down => Ok(()),
            state => {
                Err(WorldError::new(WorldErrorKind::TimedOut, format!("see {node} down"), format!("it is {state:?}")))
            }
        }
    }

    async fn pause(&self, node: &str) -> Result<()> {
        let doing = format!("pause {node}");
        let id = self.existing(&doing, node)?;
        let pause = |model: &mut Model| {
            if model.nodes[id].state == NodeState::Down {
                return false;
            }
            model.note_fault(doing.clone());
            model.pause(id);
            true
        };
        let is_done = self.take_effect(&PAUSE, id, pause).await;
        if is_done { Ok(()) } else { Err(WorldError::new(WorldErrorKind::Answered, doing, "the node does not run")) }
    }

    async fn unpause(&self, node: &str) -> Result<()> {
        let id = self.existing(&format!("unpause {node}"), node)?;
        self.take_effect(&PAUSE, id, |model| model.unpause(id)).await;
        Ok(())
    }

    async fn state(&self, node: &str) -> Result<NodeState> {
        let id = self.existing(&format!("look at {node}"), node)?;
        self.spend(&LOOK, id).await;
        Ok(self.now().model.nodes[id].state)
    }
}

impl SimulatedWorld {
    /// A node that was made.
    pub(super) fn existing(&self, doing: &str, node: &str) -> Result<NodeId> {
        self.enter(doing)?;
        let id = self.node(doing, node)?;
        if self.now().model.nodes[id].exists {
            Ok(id)
        } else {
            Err(WorldError::new(WorldErrorKind::NotFound, doing, format!("{node} was not made")))
        }
    }
}
