//! Commands on nodes. The operations that the model knows change it, any other is refused; a command of the system's own that
//! a drill needs before its load is taken to succeed, and noted.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{SimulatedWorld, draws::COMMAND, operations::takes, shape::NodeId};
use crate::{
    scenario::system::ClusterChange,
    world::{CommandOutput, Commands, NodeState, Result, WorldError, WorldErrorKind},
};

#[async_trait]
impl Commands for SimulatedWorld {
    async fn run(&self, node: &str, command: &[String], within: Duration) -> Result<CommandOutput> {
        let doing = format!("run {} on {node}", command.join(" "));
        let id = self.running(&doing, node)?;
        self.take_for_granted(&doing, &command.join(" "), id, within).await
    }

    async fn operate(
        &self,
        does: Option<ClusterChange>,
        node: &str,
        command: &[String],
        within: Duration,
    ) -> Result<CommandOutput> {
        let doing = format!("{} on {node}", command.join(" "));
        let id = self.running(&doing, node)?;
        let Some(operation) = does else {
            let happened = "the model does not know this operation: run the drill on containers";
            return Err(WorldError::new(WorldErrorKind::Answered, doing, happened));
        };
        self.change(|model| model.begin(operation, id));
        self.spend_within(&doing, takes(operation), id, within).await?;
        self.running_still(&doing, id)?;
        let names = self.names_in(command);
        Ok(match self.change(|model| model.end(operation, id, &names)) {
            Ok(output) => CommandOutput { status: 0, output },
            Err(output) => CommandOutput { status: 1, output },
        })
    }
}

impl SimulatedWorld {
    /// A node on which commands can be run: an engine refuses to run any on one that is paused or down.
    pub(super) fn running(&self, doing: &str, node: &str) -> Result<NodeId> {
        let id = self.existing(doing, node)?;
        self.running_still(doing, id).map(|()| id)
    }

    pub(super) fn running_still(&self, doing: &str, node: NodeId) -> Result<()> {
        match self.now().model.nodes[node].state {
            NodeState::Running => Ok(()),
            NodeState::Paused => Err(WorldError::new(WorldErrorKind::Answered, doing, "the node is paused")),
            NodeState::Down => Err(WorldError::new(WorldErrorKind::Answered, doing, "the node does not run")),
        }
    }

    async fn take_for_granted(&self, doing: &str, what: &str, node: NodeId, within: Duration) -> Result<CommandOutput> {
        self.locked().not_modelled.insert(what.to_owned());
        self.spend_within(doing, &COMMAND, node, within).await?;
        Ok(CommandOutput { status: 0, output: String::new() })
    }

    /// The nodes that a command names, in its order.
    fn names_in(&self, command: &[String]) -> Vec<NodeId> {
        let shape = &self.locked().model.shape;
        let words = command.iter().flat_map(|text| text.split([' ', ','])).filter(|word| !word.is_empty());
        words.filter_map(|word| shape.id(word)).collect()
    }
}
