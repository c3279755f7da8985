//! The network between nodes. A partition that spans several helpers takes effect at each in its own moment.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;

use super::super::{
    Model, SimulatedWorld,
    draws::{LOOK, RULES},
    shape::NodeId,
};
use crate::{
    scenario::units::Bandwidth,
    world::{Impairment, Network, Packets, Result, WaysOut, WorldError, WorldErrorKind},
};

#[async_trait]
impl Network for SimulatedWorld {
    async fn refuse(&self, refuses: &BTreeMap<String, Vec<String>>) -> Result<()> {
        self.at_each("refuse", refuses, |model, node, senders| {
            model.note_fault(format!("refuse at {}", model.shape.name(node)));
            model.refuse(node, senders);
        })
        .await
    }

    async fn accept(&self, refuses: &BTreeMap<String, Vec<String>>) -> Result<()> {
        self.at_each("accept", refuses, Model::accept).await
    }

    async fn limit(&self, from: &str, to: &str, bandwidth: Bandwidth) -> Result<()> {
        self.set_limit(&format!("limit {from} to {to}"), from, to, Some(bandwidth.bits_per_second())).await
    }

    async fn unlimit(&self, from: &str, to: &str) -> Result<()> {
        self.set_limit(&format!("unlimit {from} to {to}"), from, to, None).await
    }

    async fn reaches(&self, from: &str, to: &str) -> Result<bool> {
        let doing = format!("reach {to} from {from}");
        let (from, to) = (self.helped(&doing, from)?, self.node(&doing, to)?);
        self.spend(&LOOK, from).await;
        let model = &self.now().model;
        Ok(model.is_open(from, to) && model.is_up(to))
    }

    async fn held_back(&self, from: &str, to: &str) -> Result<u64> {
        let doing = format!("ask what the link from {from} to {to} holds back");
        let (from, to) = (self.helped(&doing, from)?, self.node(&doing, to)?);
        self.spend(&LOOK, from).await;
        Ok(self.now().model.held_back_bytes(from, to))
    }

    async fn impair(&self, from: &str, to: &str, _: Option<Impairment>) -> Result<()> {
        Err(no_packets(format!("impair the link from {from} to {to}")))
    }

    async fn impaired(&self, from: &str, to: &str) -> Result<Packets> {
        Err(no_packets(format!("count packets from {from} to {to}")))
    }

    async fn ways_out(&self, from: &str) -> Result<WaysOut> {
        let happened = "the model has no networks that could leak";
        Err(WorldError::new(WorldErrorKind::NotFound, format!("try the ways out of {from}"), happened))
    }
}

/// The model delivers streams, and knows no packets that could be lost. It refuses what it does not model.
fn no_packets(doing: String) -> WorldError {
    let happened = "the model knows no packets; run this drill on containers";
    WorldError::new(WorldErrorKind::Other, doing, happened)
}

impl SimulatedWorld {
    /// A node with a helper.
    fn helped(&self, doing: &str, node: &str) -> Result<NodeId> {
        let id = self.existing(doing, node)?;
        if self.has_helper(node) {
            Ok(id)
        } else {
            Err(WorldError::new(WorldErrorKind::NotFound, doing, format!("{node} has no helper in its network")))
        }
    }

    fn has_helper(&self, node: &str) -> bool {
        self.locked().stock.has(&format!("helper of {node}"))
    }

    /// Changes the rules at each helper of a partition, in the order in which each is done with it.
    async fn at_each(
        &self,
        verb: &str,
        refuses: &BTreeMap<String, Vec<String>>,
        change: impl Fn(&mut Model, NodeId, &[NodeId]) + Send,
    ) -> Result<()> {
        let mut moments = Vec::new();
        for (node, senders) in refuses {
            let doing = format!("{verb} at {node}");
            // What a node refuses is dropped by its own helper, or else by the sender's.
            let id = self.existing(&doing, node)?;
            if !self.has_helper(node) {
                senders.iter().try_for_each(|sender| self.helped(&doing, sender).map(drop))?;
            }
            let senders = senders.iter().map(|sender| self.node(&doing, sender)).collect::<Result<Vec<_>>>()?;
            let takes_us = self.locked().model.draw(&RULES, id);
            moments.push((takes_us, id, senders));
        }
        moments.sort();
        let mut passed_us = 0;
        for (at_us, node, senders) in moments {
            tokio::time::sleep(Duration::from_micros(at_us - passed_us)).await;
            passed_us = at_us;
            self.change(|model| change(model, node, &senders));
        }
        Ok(())
    }

    async fn set_limit(&self, doing: &str, from: &str, to: &str, bits_per_second: Option<u64>) -> Result<()> {
        let (from, to) = (self.helped(doing, from)?, self.node(doing, to)?);
        self.take_effect(&RULES, from, |model| model.limit(from, to, bits_per_second)).await;
        Ok(())
    }
}
