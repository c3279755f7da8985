//! What a test drives: a world with its system running, and open-loop clients whose answers are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use super::plans::{SURVIVORS, order_management};
use crate::{
    clock::Clock,
    plan::Plan,
    scenario::system::{Replication, Request},
    world::{
        CommandOutput, Commands, Limits, NodeSpec, Outgoing, Power, Provision, Questions, Reply, Resource, SqlTarget,
        Traffic,
        simulated::{SimulatedWorld, Truth},
    },
};

/// What a client got.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Got {
    pub(super) token: String,
    pub(super) sent_us: u64,
    pub(super) returned_us: u64,
    pub(super) reply: Reply,
}

impl Got {
    pub(super) fn is_ok(&self) -> bool {
        self.reply == Reply::Answer { status: 201 }
    }
}

/// A running system.
pub(super) struct Stage {
    pub(super) plan: Plan,
    pub(super) world: Arc<SimulatedWorld>,
    pub(super) clock: Clock,
    got: Arc<Mutex<Vec<Got>>>,
}

/// What a run makes, in order.
pub(super) fn resources(plan: &Plan) -> Vec<Resource> {
    let mut all = vec![Resource::Networks];
    for planned in &plan.nodes {
        let node = &planned.node;
        if node.data.is_some() {
            all.push(Resource::Volume { node: node.name.clone() });
        }
        all.push(Resource::Node(Box::new(NodeSpec {
            name: node.name.clone(),
            image: node.image.clone(),
            command: Vec::new(),
            environment: BTreeMap::new(),
            host: planned.host,
            neighbours: Vec::new(),
            data: node.data.clone(),
            files: Vec::new(),
            password_file: None,
            published: None,
            capabilities: Vec::new(),
            limits: Limits::default(),
        })));
    }
    all.push(Resource::Relay { targets: Vec::new() });
    all
}

impl Stage {
    /// The system, started and ready, with a helper at every node.
    pub(super) async fn ready(replication: Replication, seed: u64) -> Self {
        Self::ready_with(replication, seed, |world| world).await
    }

    pub(super) async fn ready_with(
        replication: Replication,
        seed: u64,
        change: impl FnOnce(SimulatedWorld) -> SimulatedWorld,
    ) -> Self {
        let plan = order_management(replication);
        let clock = Clock::start();
        let world = Arc::new(change(SimulatedWorld::new(&plan, seed, clock)));
        for resource in resources(&plan) {
            world.create(&resource).await.unwrap();
        }
        for planned in &plan.nodes {
            world.start(&planned.node.name).await.unwrap();
            world.create(&Resource::Helper { node: planned.node.name.clone() }).await.unwrap();
        }
        sleep(Duration::from_secs(3)).await;
        Self { plan, world, clock, got: Arc::default() }
    }

    /// Requests every 50 ms from now on, for so many milliseconds.
    pub(super) fn load(&self, for_ms: u64) -> JoinHandle<()> {
        let (world, clock, got) = (self.world.clone(), self.clock, self.got.clone());
        let (start, offset) = (Instant::now(), self.clock.now_us());
        tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            for index in 0..for_ms / 50 {
                sleep_until(start + Duration::from_millis(index * 50)).await;
                let (world, got) = (world.clone(), got.clone());
                tasks.spawn(async move {
                    let one = ask(&world, clock, format!("load-{offset}-{index}")).await;
                    got.lock().unwrap().push(one);
                });
            }
            while tasks.join_next().await.is_some() {}
        })
    }

    /// One request.
    pub(super) async fn ask(&self, token: &str) -> Got {
        ask(&self.world, self.clock, token.to_owned()).await
    }

    /// What all clients of the load got.
    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// What clients of the load got between two moments.
    pub(super) fn got_between(&self, from_us: u64, to_us: u64) -> Vec<Got> {
        self.got().into_iter().filter(|got| (from_us..to_us).contains(&got.sent_us)).collect()
    }

    pub(super) async fn operate(&self, name: &str, node: &str, argument: &str) -> CommandOutput {
        let command = ["pg-node".to_owned(), name.to_owned(), argument.to_owned()];
        let does = serde_json::from_value(name.into()).ok();
        self.world.operate(does, node, &command, Duration::from_secs(10)).await.unwrap()
    }

    pub(super) async fn wait_ms(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

async fn ask(world: &SimulatedWorld, clock: Clock, token: String) -> Got {
    let declared =
        Request { method: None, path: "/requests".into(), body: None, acknowledged: vec![], refused: vec![] };
    let deadline = Duration::from_secs(1);
    let request = Outgoing { token: &token, kind: "place", declared: &declared, number: 1, deadline };
    let sent_us = clock.now_us();
    let reply = world.send(&request).await;
    Got { token, sent_us, returned_us: clock.now_us(), reply }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// How a server of the cluster is asked.
pub(super) fn target(stage: &Stage, node: &str) -> SqlTarget {
    let access = stage.plan.database("orders").unwrap().clone();
    SqlTarget { node: node.into(), database: "orders".into(), access }
}

/// What must hold of the truth and what clients saw, whatever happened.
pub(super) async fn assert_truth_fits(stage: &Stage, truth: &Truth) {
    let survivor = target(stage, truth.survivor.as_ref().unwrap());
    let rows = stage.world.query(&survivor, SURVIVORS, SECOND).await.unwrap();
    let held: BTreeSet<String> = rows.into_iter().flatten().flatten().collect();
    let all: BTreeMap<String, Got> = stage.got().into_iter().map(|got| (got.token.clone(), got)).collect();
    let promised: BTreeSet<String> = all.values().filter(|got| got.is_ok()).map(|got| got.token.clone()).collect();
    let lost: BTreeSet<String> = promised.difference(&held).cloned().collect();
    assert_eq!(truth.lost.iter().cloned().collect::<BTreeSet<_>>(), lost);
    for commit in &truth.commits {
        let Some(got) = all.get(&commit.token) else { continue };
        assert!((got.sent_us..=got.returned_us).contains(&commit.instant_us), "{commit:?} outside {got:?}");
        assert!(!matches!(got.reply, Reply::Answer { status: 503 }), "{commit:?} was refused");
    }
    assert_availability_fits(truth, all.values());
}

/// While nothing is served, no request that was sent and promptly answered meanwhile was served (one that hung until
/// its node unpaused may have been); since service is back, all are.
fn assert_availability_fits<'a>(truth: &Truth, all: impl Iterator<Item = &'a Got>) {
    for got in all {
        let is_prompt = got.returned_us - got.sent_us < 20_000;
        for span in truth.unavailable.iter().filter(|span| span.share == 1.0) {
            let is_inside = got.sent_us >= span.from_us && span.to_us.is_none_or(|to_us| got.returned_us < to_us);
            assert!(!(is_inside && is_prompt && got.is_ok()), "{got:?} was served in {span:?}");
        }
        if truth.service_back_us.is_some_and(|back_us| got.sent_us >= back_us) {
            assert!(got.is_ok(), "{got:?} was not served after service was back at {:?}", truth.service_back_us);
        }
    }
}
