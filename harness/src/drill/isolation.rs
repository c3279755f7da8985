//! The proof that an environment beside the run's own has no way out, for the record: what was tried from its nodes, and what
//! came back.

use blackstart_reports::record::{self, Isolation};
use futures_util::future::try_join_all;

use crate::{
    plan::Plan,
    topology::Topology,
    world::{Result, World},
};

/// Tries every way out from a node of each kind, while the environment runs. The model has no networks that could leak.
pub(super) async fn prove(
    environment: &str,
    world: &dyn World,
    plan: &Plan,
    topology: &mut Topology,
) -> Result<Option<Isolation>> {
    if world.kind() == record::World::Simulated {
        return Ok(None);
    }
    let nodes = one_of_each_kind(plan);
    topology.make_helpers(&nodes).await?;
    let tries = nodes.iter().map(|node| async move { Ok((node, world.ways_out(node).await?)) });
    let found = try_join_all(tries).await?;
    let from = |node: &str, ways: &[String]| ways.iter().map(|way| format!("{node}: {way}")).collect::<Vec<_>>();
    Ok(Some(Isolation {
        environment: environment.to_owned(),
        tried: found.iter().flat_map(|(node, ways)| from(node, &ways.tried)).collect(),
        open: found.iter().flat_map(|(node, ways)| from(node, &ways.open)).collect(),
    }))
}

/// The node that stands on the edge, and one that holds data: whatever is reached from another one is reached from these.
fn one_of_each_kind(plan: &Plan) -> Vec<String> {
    let service = &plan.declared.system.service.node;
    let data = plan.nodes.iter().map(|planned| &planned.node).find(|node| node.data.is_some());
    let mut nodes = vec![service.clone()];
    nodes.extend(data.map(|node| node.name.clone()).filter(|name| name != service));
    nodes
}
