//! What a test drives: a world with its system running, and open-loop clients whose answers are kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use super::plans::order_management;
use crate::{
    clock::Clock,
    plan::Plan,
    scenario::system::Replication,
    world::{
        CommandOutput, Commands, NodeSpec, Outgoing, Power, Provision, Reply, Resource, Traffic,
        simulated::SimulatedWorld,
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
        self.world.operate(name, node, &command, Duration::from_secs(10)).await.unwrap()
    }

    pub(super) async fn wait_ms(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

async fn ask(world: &SimulatedWorld, clock: Clock, token: String) -> Got {
    let request = Outgoing {
        token: token.clone(),
        kind: "place".into(),
        method: "POST".into(),
        path: "/requests".into(),
        body: None,
        deadline: Duration::from_secs(1),
    };
    let sent_us = clock.now_us();
    let reply = world.send(&request).await;
    Got { token, sent_us, returned_us: clock.now_us(), reply }
}
