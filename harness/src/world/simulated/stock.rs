//! What a run has made and not yet removed, and which of it holds on to what.

use std::collections::BTreeMap;

use crate::world::Resource;

/// What exists, in the order of making.
#[derive(Debug, Default)]
pub(super) struct Stock {
    made: BTreeMap<u64, Resource>,
    count: u64,
}

impl Stock {
    /// Adds something; false if it was there.
    pub(super) fn add(&mut self, resource: &Resource) -> bool {
        let is_new = !self.has(&resource.name());
        if is_new {
            self.count += 1;
            self.made.insert(self.count, resource.clone());
        }
        is_new
    }

    /// Removes something, whether or not it was there.
    pub(super) fn remove(&mut self, name: &str) {
        self.made.retain(|_, resource| resource.name() != name);
    }

    /// Whether something of this name exists.
    pub(super) fn has(&self, name: &str) -> bool {
        self.made.values().any(|resource| resource.name() == name)
    }

    /// The names of everything that exists.
    pub(super) fn names(&self) -> Vec<String> {
        self.made.values().map(Resource::name).collect()
    }

    /// What is missing for something to be made.
    pub(super) fn missing_for(&self, resource: &Resource) -> Option<String> {
        let needed = match resource {
            Resource::Networks | Resource::Array(_) | Resource::Volume { .. } | Resource::Disk { .. } => vec![],
            Resource::Node(spec) => {
                let volume = spec.data.as_ref().map(|_| self.storage_of(&spec.name));
                [Some("networks".to_owned()), volume].into_iter().flatten().collect()
            }
            Resource::Relay { .. } => vec!["networks".to_owned()],
            Resource::Helper { node } => vec![format!("node {node}")],
            Resource::Wiper { node } => vec![self.storage_of(node)],
        };
        needed.into_iter().find(|name| !self.has(name))
    }

    /// What holds the data of a node: its disk, where it has one, and otherwise its volume.
    fn storage_of(&self, node: &str) -> String {
        let disk = format!("disk of {node}");
        if self.has(&disk) { disk } else { format!("volume of {node}") }
    }

    /// What still holds on to something, so that an engine would refuse to remove it.
    pub(super) fn holder_of(&self, resource: &Resource) -> Option<String> {
        let holds = |other: &&Resource| match (resource, other) {
            (Resource::Networks, Resource::Node(_) | Resource::Relay { .. }) => true,
            (Resource::Array(_), Resource::Disk { .. }) => true,
            (Resource::Volume { node } | Resource::Disk { node, .. }, Resource::Node(spec)) => spec.name == *node,
            (Resource::Volume { node } | Resource::Disk { node, .. }, Resource::Wiper { node: of }) => of == node,
            _ => false,
        };
        self.made.values().find(holds).map(Resource::name)
    }
}
