//! A link that loses, doubles or delays packets, in one direction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Effects, Tool, not_a_link};
use crate::scenario::{
    Scenario, System,
    units::{Share, Span},
    validate::Note,
};

/// A link that loses, doubles or delays packets, in one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadLink {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// The share of packets that are lost, each by chance.
    pub loss: Option<Share>,
    /// The share of packets that arrive twice, each by chance.
    pub duplication: Option<Share>,
    /// How much later every packet arrives. The kernel of the engine must have `netem`.
    pub latency: Option<Span>,
    /// By how much the latency varies, to either side.
    pub jitter: Option<Span>,
}

impl BadLink {
    fn is_harmless(&self) -> bool {
        let is_none = |share: Option<Share>| share.is_none_or(|share| share.fraction() == 0.0);
        is_none(self.loss) && is_none(self.duplication) && self.latency.is_none_or(|span| span.ms() == 0.0)
    }

    /// What it does to packets, in words.
    fn words(&self) -> String {
        let jitter = self.jitter.map(|jitter| format!(" ± {jitter}")).unwrap_or_default();
        let parts = [
            self.loss.map(|share| format!("loses {share} of its packets")),
            self.duplication.map(|share| format!("doubles {share}")),
            self.latency.map(|latency| format!("delays each by {latency}{jitter}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Declares for BadLink {
    fn effects(&self) -> Effects {
        Effects { reversible: true, takes_service: true, ..Effects::NONE }
    }

    /// Packets are doubled and delayed where they leave, and lost where they arrive: a sender does not notice a loss.
    fn victims(&self, _: &Scenario, _: &System) -> Vec<String> {
        vec![self.from.clone(), self.to.clone()]
    }

    fn summary(&self, _: &[String]) -> String {
        format!("the link from {} to {} {}", self.from, self.to, self.words())
    }

    fn tool(&self) -> Option<Tool> {
        Some(Tool::Helper)
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let mend = "add `loss`, `duplication` or `latency`";
        let harmless = self.is_harmless().then(|| Note::new(key, "this link does nothing to a packet", mend));
        let dead = self.loss.filter(|loss| loss.fraction() >= 1.0).map(|_| {
            Note::new(
                format!("{key}.loss"),
                "a link that loses everything is a partition",
                "write a `partition`, or less than 100%",
            )
        });
        let wild = self.jitter.filter(|jitter| self.latency.is_none_or(|latency| latency < *jitter)).map(|jitter| {
            let problem = format!("a latency cannot vary by {jitter}, which is more than it is");
            Note::new(format!("{key}.jitter"), problem, "write a `latency` of at least as much")
        });
        [harmless, dead, wild].into_iter().flatten().collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        not_a_link(key, &self.from, &self.to, system)
    }
}
