//! Questions that change nothing. They come by the harness's own way, which no partition touches.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{Model, SimulatedWorld, draws::QUESTION, shape::NodeId, timed_out};
use crate::{
    scenario::system::Property,
    world::{ModelAnswer, Questions, Result, Rows, SqlTarget, WorldError, WorldErrorKind, WriteAttempt},
};

#[async_trait]
impl Questions for SimulatedWorld {
    async fn query(&self, target: &SqlTarget, query: &str, within: Duration) -> Result<Rows> {
        let doing = format!("ask {} in {}", target.node, target.database);
        let id = self.answering(&doing, &target.node, within).await?;
        // Of a readiness query, only that it succeeds is known to matter.
        if self.locked().model.shape.ready_queries.contains(query) || is_constant(query) {
            return Ok(vec![vec![Some("1".to_owned())]]);
        }
        let state = self.now();
        if state.model.shape.damage_queries.contains(query) {
            let is_damaged = state.model.servers[id].is_damaged;
            return Ok(if is_damaged { vec![vec![Some("damaged".to_owned())]] } else { Vec::new() });
        }
        let node = state.model.shape.name(id).to_owned();
        drop(state);
        let happened = format!("the simulated {node} answers no SQL; let the check say what it `models`");
        Err(WorldError::new(WorldErrorKind::NotFound, doing, happened))
    }

    async fn tokens(&self, target: &SqlTarget, _query: &str, within: Duration) -> Result<Vec<String>> {
        let id = self.answering(&format!("ask {} for its tokens", target.node), &target.node, within).await?;
        Ok(self.now().model.tokens(id))
    }

    async fn is_writer(&self, target: &SqlTarget, within: Duration) -> Result<bool> {
        let id = self.answering(&format!("ask {} whether it takes writes", target.node), &target.node, within).await?;
        Ok(self.now().model.is_writable(id))
    }

    async fn get(&self, node: &str, port: u16, path: &str, within: Duration) -> Result<(u16, String)> {
        self.answering(&format!("get {node}:{port}{path}"), node, within).await?;
        Ok((200, String::new()))
    }

    async fn attempt_write(
        &self,
        target: &SqlTarget,
        user: &str,
        _statement: &str,
        within: Duration,
    ) -> Result<WriteAttempt> {
        let doing = format!("try to write on {} as {user}", target.node);
        let id = self.answering(&doing, &target.node, within).await?;
        let model = &self.now().model;
        Ok(match (model.servers[id].is_fenced, model.is_writable(id)) {
            (true, _) => WriteAttempt::Refused("rejected: the server is fenced".to_owned()),
            (false, false) => WriteAttempt::Refused("the server is read-only".to_owned()),
            (false, true) => WriteAttempt::Accepted,
        })
    }

    fn model(&self, property: Property) -> Option<ModelAnswer> {
        Some(self.now().model.answer(property))
    }
}

/// A query that asks no table.
fn is_constant(query: &str) -> bool {
    let query = query.trim().trim_end_matches(';').to_ascii_lowercase();
    query == "select 1"
}

impl SimulatedWorld {
    /// A node that answers a question; one that is paused lets it wait, one that is down turns it away.
    async fn answering(&self, doing: &str, node: &str, within: Duration) -> Result<NodeId> {
        let id = self.existing(doing, node)?;
        let is_paused = self.now().model.is_paused(id);
        if is_paused {
            tokio::time::sleep(within).await;
            return Err(timed_out(doing, within));
        }
        self.spend_within(doing, &QUESTION, id, within).await?;
        if self.now().model.serves(id) {
            Ok(id)
        } else {
            Err(WorldError::new(WorldErrorKind::Other, doing, "connection refused"))
        }
    }
}

impl Model {
    /// The tokens that a node holds: a server of the cluster its log, a database beside it what the monitor knows.
    fn tokens(&self, node: NodeId) -> Vec<String> {
        let token = |commit| self.token(commit).to_owned();
        if self.shape.databases.contains(&node) {
            self.sight.known().map(token).collect()
        } else {
            self.servers[node].log.iter().copied().map(token).collect()
        }
    }
}
