//! What the model takes from a plan: its nodes by number, who follows whom, and where requests go.

use std::collections::BTreeMap;

use crate::{
    plan::Plan,
    scenario::{
        backup::ModelledBackup,
        question::Question,
        system::{Replication, Role},
    },
};

/// A node, by its place in the plan.
pub(super) type NodeId = usize;

/// What a request answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statuses {
    /// The work is promised.
    pub(super) acknowledged: u16,
    /// The work is definitely not done.
    pub(super) refused: u16,
}

/// What a question is about: the model knows no SQL, no HTTP and no programs, but it knows what a plan asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Whether the node is ready: that it answers is all that matters.
    Ready,
    /// Whether a bad change can be seen.
    Damage,
    /// Whether the server takes writes.
    Writer,
    /// Which tokens the node holds.
    Survivors,
}

/// The unchanging part of the model.
pub(super) struct Shape {
    /// Names by number.
    pub(super) names: Vec<String>,
    /// Roles by number.
    pub(super) roles: Vec<Role>,
    /// The node that clients reach.
    pub(super) front: NodeId,
    /// Where requests are carried out, in the order of the plan.
    pub(super) applications: Vec<NodeId>,
    /// The servers that hold the work, in the order of the plan.
    pub(super) cluster: Vec<NodeId>,
    /// What watches the work.
    pub(super) monitor: Option<NodeId>,
    /// Databases beside the cluster.
    pub(super) databases: Vec<NodeId>,
    /// Standby to the server that it follows.
    pub(super) upstream: BTreeMap<NodeId, NodeId>,
    /// Server to the standbys that it waits for.
    pub(super) waits_for: BTreeMap<NodeId, Vec<NodeId>>,
    /// What keeps the backups of the cluster, and how often the log gets there at the least.
    pub(super) repository: Option<(NodeId, u64)>,
    /// What each question of the plan is about, by its words.
    pub(super) meanings: BTreeMap<String, Meaning>,
    /// What requests answer, by their name.
    pub(super) statuses: BTreeMap<String, Statuses>,
    /// What each backup holds, by what the scenario calls it.
    pub(super) backups: BTreeMap<String, ModelledBackup>,
}

/// Answers where the declaration gives none.
const ANSWERED: u16 = 200;
const UNAVAILABLE: u16 = 503;

impl Default for Statuses {
    fn default() -> Self {
        Self { acknowledged: ANSWERED, refused: UNAVAILABLE }
    }
}

impl Shape {
    /// The shape of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let names: Vec<String> = plan.nodes.iter().map(|planned| planned.node.name.clone()).collect();
        let roles: Vec<Role> = plan.nodes.iter().map(|planned| planned.node.role).collect();
        let id = |name: &str| names.iter().position(|known| known == name);
        let with_role = |role: Role| -> Vec<NodeId> { (0..roles.len()).filter(|node| roles[*node] == role).collect() };
        let front = id(&plan.declared.system.service.node).unwrap_or_default();
        let cluster = cluster(plan, &names, &roles);
        let databases = with_role(Role::Database).into_iter().filter(|node| !cluster.contains(node)).collect();
        let (upstream, waits_for) = followers(plan, &names);
        Self {
            applications: applications(front, &roles),
            monitor: with_role(Role::Monitor).first().copied(),
            repository: with_role(Role::BackupRepository)
                .first()
                .map(|repository| (*repository, archive_interval_us(plan))),
            meanings: meanings(plan),
            statuses: statuses(plan),
            backups: backups(plan),
            front,
            cluster,
            databases,
            upstream,
            waits_for,
            names,
            roles,
        }
    }

    pub(super) fn id(&self, name: &str) -> Option<NodeId> {
        self.names.iter().position(|known| known == name)
    }

    pub(super) fn name(&self, node: NodeId) -> &str {
        self.names.get(node).map_or("?", String::as_str)
    }

    /// Whether the node that clients reach is a balancer.
    pub(super) fn is_balanced(&self) -> bool {
        self.roles.get(self.front) == Some(&Role::Balancer)
    }
}

/// Behind a balancer: every application, or the balancer itself where there is none. Otherwise the node that is reached.
fn applications(front: NodeId, roles: &[Role]) -> Vec<NodeId> {
    let all: Vec<NodeId> = (0..roles.len()).filter(|node| roles[*node] == Role::Application).collect();
    if roles.get(front) == Some(&Role::Balancer) && !all.is_empty() { all } else { vec![front] }
}

/// The nodes of the database that holds the tokens; where it names none, every replicated server.
fn cluster(plan: &Plan, names: &[String], roles: &[Role]) -> Vec<NodeId> {
    let declared = plan.work_database();
    let named = |node: &NodeId| declared.is_some_and(|(_, database)| database.nodes.contains(&names[*node]));
    let cluster: Vec<NodeId> = (0..names.len()).filter(named).collect();
    if cluster.is_empty() { (0..roles.len()).filter(|node| roles[*node].is_clustered()).collect() } else { cluster }
}

type Followers = (BTreeMap<NodeId, NodeId>, BTreeMap<NodeId, Vec<NodeId>>);

fn followers(plan: &Plan, names: &[String]) -> Followers {
    let (mut upstream, mut waits_for) = Followers::default();
    for (id, planned) in plan.nodes.iter().enumerate() {
        let of = planned.node.of.as_ref().and_then(|of| names.iter().position(|name| name == of));
        let (Some(of), Role::Standby) = (of, planned.node.role) else { continue };
        upstream.insert(id, of);
        if planned.node.replication == Some(Replication::Synchronous) {
            waits_for.entry(of).or_insert_with(Vec::new).push(id);
        }
    }
    (upstream, waits_for)
}

fn statuses(plan: &Plan) -> BTreeMap<String, Statuses> {
    let first = |list: &[u16], otherwise| list.first().copied().unwrap_or(otherwise);
    let requests = plan.load.requests.iter();
    requests
        .map(|(name, request)| {
            let acknowledged = first(&request.acknowledged, ANSWERED);
            (name.clone(), Statuses { acknowledged, refused: first(&request.refused, UNAVAILABLE) })
        })
        .collect()
}

fn archive_interval_us(plan: &Plan) -> u64 {
    let every = plan.declared.scenario.schedule.and_then(|schedule| schedule.archive_every);
    every.map_or(10_000_000, |every| every.duration().as_micros() as u64).max(1)
}

/// What each question of the plan is about, by its words.
fn meanings(plan: &Plan) -> BTreeMap<String, Meaning> {
    let of = |question: &Question, meaning| (question.declared().in_words(), meaning);
    let ready = plan.nodes.iter().filter_map(|planned| planned.node.ready.as_ref());
    let ready = ready.map(|ready| of(&ready.kind, Meaning::Ready));
    let shown = plan.faults.iter().filter_map(|fault| fault.kind.declared().shown());
    let shown = shown.map(|shown| (in_words(shown.query), Meaning::Damage));
    let alert = plan.recovery.alert.iter().map(|alert| of(&alert.kind, Meaning::Damage));
    let writers = plan.declared.system.databases.values().filter_map(|database| database.is_writer.as_ref());
    let writers = writers.map(|condition| of(&condition.kind, Meaning::Writer));
    let survivors = std::iter::once(of(&plan.load.survivors, Meaning::Survivors));
    ready.chain(shown).chain(alert).chain(writers).chain(survivors).collect()
}

/// A query as a question's words are: without its line breaks.
pub(super) fn in_words(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn backups(plan: &Plan) -> BTreeMap<String, ModelledBackup> {
    let methods = &plan.declared.system.backups;
    let taken = plan.backups.iter();
    taken
        .filter_map(|backup| Some((backup.id.clone(), methods.get(&backup.method)?.models.unwrap_or_default())))
        .collect()
}
