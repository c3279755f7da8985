//! A small system whose nodes have disks in a storage array.

use std::path::Path;

use blackstart::{
    plan::{self, Plan},
    scenario,
    world::{
        ArraySpec, DiskState, Found, FoundKind, NodeSpec, Pool, Power, Provision, Remains, Resource, Saved, World,
    },
};
use futures_util::{FutureExt, future::BoxFuture};

use super::{Bench, connect, image, node, remains};

pub const MIB: u64 = 1024 * 1024;

/// An array as small as they come, with a remote pool.
pub const SMALL: ArraySpec =
    ArraySpec { pool_bytes: 2048 * MIB, disk_bytes: 320 * MIB, remote_bytes: Some(1024 * MIB) };

pub fn with_disk(name: &str, host: u8, all: &[&str]) -> NodeSpec {
    NodeSpec { data: Some("/data".into()), ..node(name, host, all) }
}

/// A saved state in the pool with the disks.
pub fn saved(name: &str) -> Saved {
    Saved { name: name.to_owned(), pool: Pool::Local }
}

/// Runs a test on started nodes of these names, each with a disk; then removes it all, and demands that nothing is left.
pub async fn with_disks<F>(test: &str, spec: ArraySpec, names: &[&str], body: F)
where
    F: for<'a> FnOnce(&'a Bench) -> BoxFuture<'a, ()>,
{
    let mut bench = Bench { world: connect(test).await, made: Vec::new() };
    let work = async {
        bench.prepare().await;
        bench.create(Resource::Array(spec)).await;
        bench.make_nodes(names, None).await;
        body(&bench).await;
    };
    let outcome = std::panic::AssertUnwindSafe(work).catch_unwind().await;
    bench.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Some plan: what an environment beside a run lends from it is no matter here.
fn any_plan() -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/order-management/nothing-broken.yaml");
    plan::build(scenario::read(&file).unwrap_or_else(|refusals| panic!("{refusals}")), 1).expect("a plan")
}

impl Bench {
    async fn prepare(&mut self) {
        let images = [image()];
        self.world.prepare_images(&images, &|line| eprintln!("{line}")).await.unwrap_or_else(|error| panic!("{error}"));
        self.create(Resource::Networks).await;
    }

    /// Disks, and the nodes with them, started.
    async fn make_nodes(&mut self, names: &[&str], from: Option<Saved>) {
        for (name, host) in names.iter().zip(11..) {
            self.create(Resource::Disk { node: (*name).to_owned(), from: from.clone() }).await;
            self.create(Resource::Node(Box::new(with_disk(name, host, names)))).await;
            self.world.start(name).await.expect("a start");
        }
    }

    /// What a look at each disk of an environment beside this one finds that begins with a saved state.
    pub async fn look_at(&self, names: &[&str], from: &Saved) -> Vec<DiskState> {
        let beside = self.world.beside("copy", &any_plan()).expect("an environment");
        let disk = |name: &&str| Resource::Disk { node: (*name).to_owned(), from: Some(from.clone()) };
        let disks: Vec<Resource> = names.iter().map(disk).collect();
        let mut found = Vec::new();
        for (resource, name) in disks.iter().zip(names) {
            beside.create(resource).await.unwrap_or_else(|error| panic!("{error}"));
            found.push(beside.inspect(name).await.expect("a look"));
        }
        for resource in &disks {
            beside.remove(resource).await.unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(beside.leftovers().await.expect("leftovers"), Vec::<String>::new());
        found
    }

    /// What a script prints on each node of a copy that begins with a saved state.
    pub async fn copy_says(&self, names: &[&str], from: &Saved, script: &str) -> Vec<String> {
        let copy = self.world.beside("copy", &any_plan()).expect("an environment");
        copy.prepare_images(&[image()], &|_| {}).await.expect("images");
        let mut made = vec![Resource::Networks];
        for (name, host) in names.iter().zip(11..) {
            made.push(Resource::Disk { node: (*name).to_owned(), from: Some(from.clone()) });
            made.push(Resource::Node(Box::new(with_disk(name, host, names))));
        }
        for resource in &made {
            copy.create(resource).await.unwrap_or_else(|error| panic!("{error}"));
        }
        let mut said = Vec::new();
        for name in names {
            copy.start(name).await.expect("a start");
            let command = ["sh", "-c", script].map(str::to_owned);
            let output = copy.run(name, &command, std::time::Duration::from_secs(20)).await.expect("an answer");
            said.push(output.output.trim().to_owned());
        }
        let mine = copy.leftovers().await.expect("a list");
        assert_eq!(mine.iter().filter(|one| one.starts_with("device")).count(), names.len(), "{mine:?}");
        for resource in made.iter().rev() {
            copy.remove(resource).await.unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(copy.leftovers().await.expect("leftovers"), Vec::<String>::new());
        said
    }
}

/// What is left of a run on the engine, and how much of it are devices.
pub async fn left_of(run_id: &str) -> (Vec<Found>, usize) {
    let mut found = remains().await.list().await.expect("a list");
    found.retain(|one| one.run_id == run_id);
    let devices = found.iter().filter(|one| one.kind == FoundKind::Device).count();
    (found, devices)
}
