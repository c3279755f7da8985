//! From a plan to what has to be made: images and nodes.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    files,
    plan::{Plan, PlannedNode},
    scenario::{
        rights::{Capability, NodeLimits},
        system::Image,
        units::Size,
    },
    world::{
        ArraySpec, ImageSource, ImageSpec, Limits, NodeSpec, RelayTarget, Resource, Saved, WorldError, WorldErrorKind,
    },
};

/// The images that a plan needs.
pub fn images(plan: &Plan) -> Vec<ImageSpec> {
    plan.declared.system.images.iter().map(|(name, image)| image_spec(plan, name, image)).collect()
}

fn image_spec(plan: &Plan, name: &str, image: &Image) -> ImageSpec {
    let source = match (&image.build, &image.existing) {
        (Some(folder), _) => {
            let reach = plan.declared.reach.clone();
            ImageSource::Build { folder: beside_system(plan, folder), reach, programs: image.programs.clone() }
        }
        (None, existing) => ImageSource::Existing(existing.clone().unwrap_or_default()),
    };
    ImageSpec { name: name.to_owned(), source }
}

fn beside_system(plan: &Plan, path: &str) -> PathBuf {
    plan.declared.system_file.parent().map(|folder| folder.join(path)).unwrap_or_else(|| PathBuf::from(path))
}

/// The storage array of a plan, where its system has one.
pub fn array(plan: &Plan) -> Option<Resource> {
    let storage = plan.declared.system.storage.as_ref()?;
    Some(Resource::Array(ArraySpec {
        pool_bytes: storage.pool.bytes(),
        disk_bytes: storage.disk.bytes(),
        remote_bytes: storage.remote.as_ref().map(|remote| remote.pool.bytes()),
    }))
}

/// What holds the data of the nodes: a disk of the array or a volume each, in the order of the system, for the nodes that are wanted.
pub fn volumes(plan: &Plan, saved: &BTreeMap<String, Saved>, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Resource> {
    let nodes = plan.nodes.iter().map(|planned| &planned.node);
    let nodes = nodes.filter(|node| node.data.is_some() && is_wanted(&node.name));
    nodes
        .map(|node| {
            let node = node.name.clone();
            if plan.disks().any(|disk| disk == node) {
                Resource::Disk { from: saved.get(&node).cloned(), node }
            } else {
                Resource::Volume { node }
            }
        })
        .collect()
}

/// The nodes that a plan makes.
///
/// # Errors
/// Where a file that goes into one cannot be read.
pub fn nodes(plan: &Plan) -> Result<Vec<NodeSpec>, WorldError> {
    plan.nodes.iter().map(|planned| node_spec(plan, planned)).collect()
}

fn node_spec(plan: &Plan, planned: &PlannedNode) -> Result<NodeSpec, WorldError> {
    let node = &planned.node;
    let service = &plan.declared.system.service;
    let read = |from: &str| {
        let path = beside_system(plan, from);
        plan.declared.reach.read(&path, files::COPIED).map_err(|error| {
            let doing = format!("read {} for node {}", path.display(), node.name);
            WorldError::new(WorldErrorKind::NotFound, doing, error.to_string())
        })
    };
    let files: Result<_, WorldError> =
        node.files.iter().map(|file| read(&file.from).map(|bytes| (file.to.clone(), bytes))).collect();
    Ok(NodeSpec {
        name: node.name.clone(),
        image: node.image.clone(),
        command: node.command.clone(),
        environment: node.environment.clone(),
        host: planned.host,
        neighbours: plan.nodes.iter().map(|other| (other.node.name.clone(), other.host)).collect(),
        data: node.data.clone(),
        files: files?,
        password_file: node.password_file.clone(),
        published: (node.name == service.node).then_some(service.port),
        capabilities: capabilities(plan, &node.image),
        limits: limits(node.limits),
    })
}

fn capabilities(plan: &Plan, image: &str) -> Vec<Capability> {
    let declared = plan.declared.system.images.get(image).and_then(|image| image.capabilities.clone());
    declared.unwrap_or_else(|| Capability::ALL.to_vec())
}

fn limits(declared: NodeLimits) -> Limits {
    let usual = Limits::default();
    Limits {
        memory_bytes: declared.memory.map_or(usual.memory_bytes, Size::bytes),
        processes: declared.processes.unwrap_or(usual.processes),
    }
}

/// Every node and port that the harness itself reaches.
pub fn relay_targets(plan: &Plan) -> Vec<RelayTarget> {
    let to =
        |planned: &PlannedNode, port: u16| RelayTarget { node: planned.node.name.clone(), host: planned.host, port };
    let observed = plan.nodes.iter().flat_map(|planned| planned.node.observe.iter().map(|port| to(planned, *port)));
    let databases = plan.declared.system.databases.values();
    let asked = databases.flat_map(|database| {
        database.nodes.iter().filter_map(|node| plan.node(node)).map(|planned| to(planned, database.port))
    });
    let mut targets: Vec<RelayTarget> = observed.chain(asked).collect();
    targets.sort();
    targets.dedup();
    targets
}
