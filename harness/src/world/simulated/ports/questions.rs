//! Questions that change nothing. They come by the harness's own way, which no partition touches.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    Model, SimulatedWorld,
    draws::QUESTION,
    shape::{Meaning, NodeId, in_words},
    timed_out,
};
use crate::{
    scenario::system::Property,
    world::{CommandOutput, ModelAnswer, Questions, Result, Rows, SqlTarget, WorldError, WorldErrorKind, WriteAttempt},
};

#[async_trait]
impl Questions for SimulatedWorld {
    async fn query(&self, target: &SqlTarget, query: &str, within: Duration) -> Result<Rows> {
        let doing = format!("ask {} in {}", target.node, target.database);
        let id = self.answering(&doing, &target.node, within).await?;
        let words = in_words(query);
        let state = self.now();
        match state.model.shape.meanings.get(&words) {
            Some(meaning) => Ok(state.model.rows(id, *meaning)),
            None if is_constant(&words) => Ok(vec![vec![Some("1".to_owned())]]),
            None => {
                let node = state.model.shape.name(id);
                let happened = format!("the simulated {node} answers no SQL; let the check say what it `models`");
                Err(WorldError::new(WorldErrorKind::NotFound, doing, happened))
            }
        }
    }

    async fn read(&self, node: &str, command: &[String], within: Duration) -> Result<CommandOutput> {
        let words = command.join(" ");
        let doing = format!("ask {node} by {words}");
        let id = self.answering(&doing, node, within).await?;
        let state = self.now();
        let Some(meaning) = state.model.shape.meanings.get(&words) else {
            let happened = format!("the simulated {node} runs no programs; let the check say what it `models`");
            return Err(WorldError::new(WorldErrorKind::NotFound, doing, happened));
        };
        let rows = state.model.rows(id, *meaning).into_iter();
        let lines: Vec<String> = rows.map(|row| row.into_iter().flatten().collect::<Vec<_>>().join("\t")).collect();
        Ok(CommandOutput { status: 0, output: lines.join("\n") })
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
fn is_constant(words: &str) -> bool {
    words.trim_end_matches(';').eq_ignore_ascii_case("select 1")
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
    /// What a node answers.
    fn rows(&self, node: NodeId, meaning: Meaning) -> Rows {
        let one = |text: &str| vec![Some(text.to_owned())];
        match meaning {
            Meaning::Ready => vec![one("1")],
            Meaning::Damage if self.servers[node].is_damaged => vec![one("damaged")],
            Meaning::Damage => Vec::new(),
            Meaning::Writer => vec![one(if self.is_writable(node) { "t" } else { "f" })],
            Meaning::Survivors => self.tokens(node).iter().map(|token| one(token)).collect(),
        }
    }

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
