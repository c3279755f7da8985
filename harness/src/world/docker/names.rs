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
/// The environment that it belongs to, where that is a copy restored in isolation.
pub const LABEL_ENVIRONMENT: &str = "blackstart.environment";
/// What it is: `node`, `helper`, `wiper`, `gate`, `relay`, `resolver`, `volume`, `disk`, `array`, `devices`, `network`.
pub const LABEL_ROLE: &str = "blackstart.role";

/// Who makes things in a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIdentity {
    /// The run. Part of every name, so letters, digits, `-` and `_` only.
    pub run_id: String,
    /// Who runs it: an opaque text by which a later `sweep` tells whether the owner is gone.
    pub owner: String,
    /// Which environment of the run: none for its own, a name for a copy that is restored in isolation.
    pub environment: Option<String>,
}

impl RunIdentity {
    /// The run's own environment.
    pub fn new(run_id: impl Into<String>, owner: impl Into<String>) -> Self {
        Self { run_id: run_id.into(), owner: owner.into(), environment: None }
    }

    /// Another environment of the same run.
    pub(super) fn beside(&self, environment: &str) -> Self {
        Self { environment: Some(environment.to_owned()), ..self.clone() }
    }

    /// What every name starts with. No node can be called like an environment: its name ends with a dot.
    fn prefix(&self) -> String {
        match &self.environment {
            Some(environment) => format!("bs-{}.{environment}.", self.run_id),
            None => format!("bs-{}-", self.run_id),
        }
    }

    /// The labels of something of this role; `node` where it belongs to one.
    pub(super) fn labels(&self, role: &str, node: Option<&str>) -> HashMap<String, String> {
        let mut labels = vec![(LABEL, "1"), (LABEL_RUN, &self.run_id), (LABEL_OWNER, &self.owner), (LABEL_ROLE, role)];
        labels.extend(node.map(|node| (LABEL_NODE, node)));
        labels.extend(self.environment.as_deref().map(|environment| (LABEL_ENVIRONMENT, environment)));
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Whether something is named as only this run's things are, in any of its environments. A label alone says little:
    /// an image that was committed from a node hands it on to whatever is made from it.
    pub(super) fn has_named(&self, name: &str) -> bool {
        let rest = name.strip_prefix("bs-").and_then(|rest| rest.strip_prefix(self.run_id.as_str()));
        !self.run_id.is_empty() && rest.is_some_and(|rest| rest.starts_with(['-', '.']))
    }

    /// Whether labels are those of this environment of this run.
    pub(super) fn is_labelled(&self, labels: Option<&HashMap<String, String>>) -> bool {
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).map(String::as_str);
        label(LABEL_RUN) == Some(&self.run_id) && label(LABEL_ENVIRONMENT) == self.environment.as_deref()
    }

    /// The filter that finds what carries this run's label, and that of the environment where it is one of several.
    pub(super) fn filter(&self) -> HashMap<String, Vec<String>> {
        let environment = self.environment.iter().map(|environment| format!("{LABEL_ENVIRONMENT}={environment}"));
        let labels = std::iter::once(format!("{LABEL_RUN}={}", self.run_id)).chain(environment);
        HashMap::from([("label".to_owned(), labels.collect())])
    }

    pub(super) fn container(&self, node: &str) -> String {
        format!("{}{node}", self.prefix())
    }

    /// The helper of a node. Host names have no dot in their first part, so no node can be called like it.
    pub(super) fn helper(&self, node: &str) -> String {
        format!("{}{node}.helper", self.prefix())
    }

    /// What empties the volume of a node.
    pub(super) fn wiper(&self, node: &str) -> String {
        format!("{}{node}.wiper", self.prefix())
    }

    pub(super) fn relay(&self) -> String {
        format!("{}.relay", self.prefix())
    }

    /// What answers for names.
    pub(super) fn resolver(&self) -> String {
        format!("{}.resolver", self.prefix())
    }

    /// What guards a container on the edge.
    pub(super) fn gate(container: &str) -> String {
        format!("{container}.gate")
    }

    /// The storage array, which all environments of a run share.
    pub(super) fn array(&self) -> String {
        format!("bs-{}-.array", self.run_id)
    }

    /// The volume that holds the pools of the array.
    pub(super) fn pool(&self) -> String {
        format!("bs-{}-.pool", self.run_id)
    }

    /// A container that asks for devices, or lets go of them. There may be several at a time.
    pub(super) fn asking(&self) -> String {
        format!("bs-{}-.devices-{:08x}", self.run_id, rand::random::<u32>())
    }

    pub(super) fn volume(&self, node: &str) -> String {
        format!("{}{node}-data", self.prefix())
    }

    /// The private network.
    pub(super) fn nodes_network(&self) -> String {
        format!("{}nodes", self.prefix())
    }

    /// The network that reaches out of it.
    pub(super) fn edge_network(&self) -> String {
        format!("{}edge", self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_carries_run_and_owner() {
        let run = RunIdentity::new("r1", "pid 7");
        let labels = run.labels("helper", Some("db-a"));
        assert_eq!(labels[LABEL], "1");
        assert_eq!(labels[LABEL_RUN], "r1");
        assert_eq!(labels[LABEL_OWNER], "pid 7");
        assert_eq!(labels[LABEL_NODE], "db-a");
        assert!(!run.labels("network", None).contains_key(LABEL_NODE));
        assert!(!labels.contains_key(LABEL_ENVIRONMENT));
    }

    #[test]
    fn environments_of_a_run_never_meet() {
        let run = RunIdentity::new("r1", "pid 7");
        let copy = run.beside("weekly");
        assert_eq!(copy.labels("node", Some("db-a"))[LABEL_ENVIRONMENT], "weekly");
        let names = |run: &RunIdentity| [run.container("db-a"), run.volume("db-a"), run.relay(), run.nodes_network()];
        assert!(names(&run).iter().all(|name| !names(&copy).contains(name)));
        assert_ne!(run.beside("a").container("b"), run.container("a-b"));
    }

    #[test]
    fn what_is_named_like_something_else_is_not_of_the_run() {
        let run = RunIdentity::new("r1", "pid 7");
        let copy = run.beside("weekly");
        for name in
            [run.container("db-a"), run.relay(), run.pool(), run.asking(), copy.volume("db-a"), copy.edge_network()]
        {
            assert!(run.has_named(&name), "{name}");
        }
        for name in ["", "bs-", "bs-r1", "bs-r10-db-a", "happy_darwin", "production", "x-bs-r1-db-a", "/bs-r1-db-a"] {
            assert!(!run.has_named(name), "{name}");
        }
        assert!(!RunIdentity::new("", "pid 7").has_named("bs--db-a"), "a label without a run");
    }
}
