//! A small system on a real engine, for the tests of the Docker world: it removes itself, also when a test fails.
#![allow(dead_code, reason = "each test program uses its own part")]

pub mod disks;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use blackstart::{
    scenario::rights::Capability,
    world::{
        CommandOutput, Commands, ImageSource, ImageSpec, Limits, NodeSpec, Power, Provision, RelayTarget, Resource,
        docker::{DockerWorld, RunIdentity, sweep},
    },
};
use futures_util::{FutureExt, future::BoxFuture, future::join_all};

/// A server that counts what it is sent and says how much it was. There is no `nc` in the image, but there is perl.
pub const SINK: &str = r#"use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalPort => 7000, Listen => 50, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    if (!fork) { my $n = 0; while (my $r = sysread($c, my $b, 65536)) { $n += $r } syswrite $c, "$n\n"; exit }
    close $c;
}"#;

/// Sends so many bytes to the sink of another node.
pub const SOURCE: &str = r#"use IO::Socket::INET;
my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 7000) or die "no connection: $@";
my ($d, $o) = ("x" x $ARGV[1], 0);
while ($o < length $d) { my $w = syswrite($c, substr($d, $o)) or die; $o += $w }
$c->shutdown(1);
print scalar <$c>;"#;

/// A service that answers over HTTP.
pub const HTTP: &str = "global\n  maxconn 1000\ndefaults\n  mode http\n  timeout client 9s\n  timeout server 9s\n  \
                        timeout connect 1s\nfrontend f\n  bind :8080\n  http-request return status 201 content-type \
                        text/plain string made\n";

/// A run on the engine and what it has made so far.
pub struct Bench {
    pub world: DockerWorld,
    made: Vec<Resource>,
}

/// Connects as a run of its own.
pub async fn connect(test: &str) -> DockerWorld {
    let run_id = format!("t{:08x}-{test}", rand::random::<u32>());
    let run = RunIdentity::new(run_id, format!("test {}", std::process::id()));
    DockerWorld::connect(run).await.unwrap_or_else(|error| panic!("this test needs a Docker engine: {error}"))
}

/// The engine, as a sweep sees it.
pub async fn remains() -> sweep::Engine {
    let owner = format!("test {}", std::process::id());
    sweep::Engine::connect(&owner).await.unwrap_or_else(|error| panic!("this test needs a Docker engine: {error}"))
}

/// The image that everything here runs: the same as the world's own tools.
pub fn image() -> ImageSpec {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/world/docker/tools");
    let reach = blackstart::files::Reach::below(&folder).expect("a folder of this repository");
    ImageSpec { name: "tools".into(), source: ImageSource::Build { reach, folder, programs: Vec::new() } }
}

/// A node that waits for what a test does with it.
pub fn node(name: &str, host: u8, all: &[&str]) -> NodeSpec {
    let files = [("/sink.pl", SINK), ("/source.pl", SOURCE), ("/http.cfg", HTTP)];
    NodeSpec {
        name: name.into(),
        image: "tools".into(),
        command: vec!["perl".into(), "/sink.pl".into()],
        environment: BTreeMap::from([("COLOUR".into(), "blue".into())]),
        host,
        neighbours: all.iter().zip(11..).map(|(name, host)| ((*name).to_owned(), host)).collect(),
        data: None,
        files: files.map(|(to, text)| (to.to_owned(), text.as_bytes().to_vec())).to_vec(),
        password_file: Some("/etc/blackstart/password".into()),
        published: None,
        capabilities: Capability::ALL.to_vec(),
        limits: Limits::default(),
    }
}

/// The same node as the service that clients reach.
pub fn service(spec: NodeSpec) -> NodeSpec {
    let command = ["haproxy", "-db", "-f", "/http.cfg"].map(str::to_owned).to_vec();
    NodeSpec { command, published: Some(8080), ..spec }
}

/// Runs a test on nodes of these names, started, each with a helper where `helpers` names it; then removes it all.
pub async fn with_nodes<F>(test: &str, names: &[&str], helpers: &[&str], body: F)
where
    F: for<'a> FnOnce(&'a Bench) -> BoxFuture<'a, ()>,
{
    let specs = names.iter().zip(11..).map(|(name, host)| node(name, host, names)).collect();
    with_specs(test, specs, helpers, body).await;
}

/// The same with nodes as they are given.
pub async fn with_specs<F>(test: &str, specs: Vec<NodeSpec>, helpers: &[&str], body: F)
where
    F: for<'a> FnOnce(&'a Bench) -> BoxFuture<'a, ()>,
{
    let targets: Vec<(String, u16)> = specs.iter().map(|spec| (spec.name.clone(), 8080)).collect();
    with_all(test, &[image()], specs, targets, helpers, body).await;
}

/// The same with other images, and ports that the relay leads to.
pub async fn with_images<F>(test: &str, images: &[ImageSpec], specs: Vec<NodeSpec>, targets: &[(&str, u16)], body: F)
where
    F: for<'a> FnOnce(&'a Bench) -> BoxFuture<'a, ()>,
{
    let targets = targets.iter().map(|(node, port)| ((*node).to_owned(), *port)).collect();
    with_all(test, images, specs, targets, &[], body).await;
}

async fn with_all<F>(
    test: &str,
    images: &[ImageSpec],
    specs: Vec<NodeSpec>,
    targets: Vec<(String, u16)>,
    helpers: &[&str],
    body: F,
) where
    F: for<'a> FnOnce(&'a Bench) -> BoxFuture<'a, ()>,
{
    let mut bench = Bench { world: connect(test).await, made: Vec::new() };
    let work = async {
        bench.world.prepare_images(images, &|line| eprintln!("{line}")).await.unwrap_or_else(|error| panic!("{error}"));
        bench.make(specs, targets, helpers).await;
        body(&bench).await;
    };
    let outcome = std::panic::AssertUnwindSafe(work).catch_unwind().await;
    bench.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

impl Bench {
    async fn create(&mut self, resource: Resource) {
        self.made.push(resource.clone());
        self.world.create(&resource).await.unwrap_or_else(|error| panic!("{error}"));
    }

    async fn make(&mut self, specs: Vec<NodeSpec>, targets: Vec<(String, u16)>, helpers: &[&str]) {
        self.create(Resource::Networks).await;
        let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
        let hosts: Vec<(String, u8)> = specs.iter().map(|spec| (spec.name.clone(), spec.host)).collect();
        for spec in specs {
            if spec.data.is_some() {
                self.create(Resource::Volume { node: spec.name.clone() }).await;
            }
            self.create(Resource::Node(Box::new(spec))).await;
        }
        let host = |node: &str| hosts.iter().find(|(name, _)| name == node).map_or(0, |(_, host)| *host);
        let targets = targets.into_iter().map(|(node, port)| RelayTarget { host: host(&node), node, port }).collect();
        self.create(Resource::Relay { targets }).await;
        for start in join_all(names.iter().map(|name| self.world.start(name))).await {
            start.expect("a start");
        }
        for helper in helpers {
            self.create(Resource::Helper { node: (*helper).to_owned() }).await;
        }
    }

    /// Removes everything in reverse order, and demands that nothing is left.
    async fn remove(&mut self) {
        while let Some(resource) = self.made.pop() {
            self.world.remove(&resource).await.unwrap_or_else(|error| panic!("{error}"));
            self.world.remove(&resource).await.expect("removing twice is no error");
        }
        assert_eq!(self.world.leftovers().await.expect("leftovers"), Vec::<String>::new());
    }

    /// Runs a shell script on a node.
    pub async fn shell(&self, node: &str, script: &str) -> CommandOutput {
        let command = ["sh", "-c", script].map(str::to_owned);
        self.world.run(node, &command, Duration::from_secs(20)).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// What a shell script prints on a node.
    pub async fn says(&self, node: &str, script: &str) -> String {
        self.shell(node, script).await.output.trim().to_owned()
    }

    /// How long it takes to send so many bytes from one node to another.
    pub async fn transfer(&self, from: &str, to: &str, bytes: u32) -> Duration {
        let begun = std::time::Instant::now();
        assert_eq!(self.says(from, &format!("perl /source.pl {to} {bytes}")).await, bytes.to_string());
        begun.elapsed()
    }
}

/// A partition: node to the nodes that it refuses.
pub fn partition(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let mut partition = BTreeMap::<String, Vec<String>>::new();
    for (node, other) in pairs {
        partition.entry((*node).to_owned()).or_default().push((*other).to_owned());
    }
    partition
}
