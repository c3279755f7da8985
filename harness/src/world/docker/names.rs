//! How everything that a run makes is named and labelled. A drill touches only what carries its own label.

use std::collections::HashMap;

/// On everything that a run makes, with the value `1`; on images, with the value `image`.
pub const LABEL: &str = "blackstart";
/// The run that made it.
pub const LABEL_RUN: &str = "blackstart.run";
/// Who runs it, as the caller says.
pub const LABEL_OWNER: &str = "blackstart.owner";
/// The node that it belongs to.
pub const LABEL_NODE: &str = "blackstart.node";
/// What it is: `node`, `helper`, `relay`, `volume`, `network`.
pub const LABEL_ROLE: &str = "blackstart.role";

/// Who makes things in a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIdentity {
    /// The run. Part of every name, so letters, digits, `-` and `_` only.
    pub run_id: String,
    /// Who runs it: an opaque text by which a later `sweep` tells whether the owner is gone.
    pub owner: String,
}

impl RunIdentity {
    /// The labels of something of this role; `node` where it belongs to one.
    pub(super) fn labels(&self, role: &str, node: Option<&str>) -> HashMap<String, String> {
        let mut labels = vec![(LABEL, "1"), (LABEL_RUN, &self.run_id), (LABEL_OWNER, &self.owner), (LABEL_ROLE, role)];
        labels.extend(node.map(|node| (LABEL_NODE, node)));
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// The filter that finds what carries this run's label.
    pub(super) fn filter(&self) -> HashMap<String, Vec<String>> {
        HashMap::from([("label".to_owned(), vec![format!("{LABEL_RUN}={}", self.run_id)])])
    }

    /// The container of a node.
    pub(super) fn container(&self, node: &str) -> String {
        format!("bs-{}-{node}", self.run_id)
    }

    /// The helper of a node. Host names have no dot in their first part, so no node can be called like it.
    pub(super) fn helper(&self, node: &str) -> String {
        format!("bs-{}-{node}.helper", self.run_id)
    }

    /// The relay.
    pub(super) fn relay(&self) -> String {
        format!("bs-{}.relay", self.run_id)
    }

    /// The volume of a node.
    pub(super) fn volume(&self, node: &str) -> String {
        format!("bs-{}-{node}-data", self.run_id)
    }

    /// The private network.
    pub(super) fn nodes_network(&self) -> String {
        format!("bs-{}-nodes", self.run_id)
    }

    /// The network that reaches out of it.
    pub(super) fn edge_network(&self) -> String {
        format!("bs-{}-edge", self.run_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_carries_run_and_owner() {
        let run = RunIdentity { run_id: "r1".into(), owner: "pid 7".into() };
        let labels = run.labels("helper", Some("db-a"));
        assert_eq!(labels[LABEL], "1");
        assert_eq!(labels[LABEL_RUN], "r1");
        assert_eq!(labels[LABEL_OWNER], "pid 7");
        assert_eq!(labels[LABEL_NODE], "db-a");
        assert!(!run.labels("network", None).contains_key(LABEL_NODE));
    }
}
