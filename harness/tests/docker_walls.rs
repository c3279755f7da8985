//! That nodes, copies and what stands beside them have no way out, and that containers have the rights that the documents list
//! and no more. The same attacks find ways from an ordinary container: a wall is only worth what it was tried with.

mod docker_bench;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use blackstart::{
    plan, scenario,
    scenario::rights::Capability,
    world::{Limits, Network, NodeSpec, Power, Provision, RelayTarget, Resource, World},
};
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::{
    Docker,
    models::{ContainerCreateBody, ContainerInspectResponse, HostConfig},
    query_parameters::{
        CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptionsBuilder,
        ListContainersOptionsBuilder, ListNetworksOptions, RemoveContainerOptionsBuilder, RestartContainerOptions,
        StartContainerOptions,
    },
};
use docker_bench::{Bench, node, partition, service, with_nodes, with_specs};
use futures_util::{FutureExt, StreamExt};

const WAYS_OUT: &str = include_str!("../src/world/docker/walls/ways-out");
/// Addresses that stand for the world and for a cloud's metadata. What is sent there is counted on this machine, and dropped.
const OUTSIDE: [&str; 2] = ["198.51.100.7", "169.254.169.254"];
/// The name that the attacks ask for, as it lies in a packet.
const ASKED: &str = "0x0a626c61636b7374617274";
/// Where runs have their networks: what goes there stays in a run.
const RUNS: &str = "10.128.0.0-10.223.255.255";

fn engine() -> Docker {
    Docker::connect_with_defaults().expect("an engine")
}

async fn exec(container: &str, script: &str) -> String {
    let options = CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        user: Some("0".to_owned()),
        cmd: Some(["bash", "-c", script].map(str::to_owned).to_vec()),
        ..Default::default()
    };
    let engine = engine();
    let id = engine.create_exec(container, options).await.expect("a command").id;
    let mut text = String::new();
    if let StartExecResults::Attached { mut output, .. } =
        engine.start_exec(&id, None::<StartExecOptions>).await.expect("a command")
    {
        while let Some(piece) = output.next().await {
            text += &piece.expect("output").to_string();
        }
    }
    text
}

async fn run(name: &str, image: &str, command: &[&str], host: HostConfig) {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        host_config: Some(host),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    engine().create_container(Some(options), body).await.expect("a container");
    engine().start_container(name, None::<StartContainerOptions>).await.expect("a start");
}

async fn remove(name: &str) {
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    engine().remove_container(name, Some(force)).await.expect("it goes");
}

async fn inspect(container: &str) -> ContainerInspectResponse {
    engine().inspect_container(container, None::<InspectContainerOptions>).await.expect("a container")
}

/// The containers of this test's runs, by name: what each is, and whether it runs.
async fn containers() -> BTreeMap<String, (String, bool)> {
    let owner = format!("blackstart.owner=test {}", std::process::id());
    let filter = std::collections::HashMap::from([("label".to_owned(), vec![owner])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filter).build();
    let mut found = BTreeMap::new();
    for one in engine().list_containers(Some(options)).await.expect("a list") {
        let name = one.names.unwrap_or_default()[0].trim_start_matches('/').to_owned();
        let role = one.labels.unwrap_or_default().remove("blackstart.role").unwrap_or_default();
        let runs = inspect(&name).await.state.and_then(|state| state.running).unwrap_or(false);
        found.insert(name, (role, runs));
    }
    found
}

async fn of_role(role: &str) -> Vec<String> {
    containers().await.into_iter().filter(|(_, (of, _))| of == role).map(|(name, _)| name).collect()
}

/// A host that listens on every address that it has, by TCP and UDP, and counts what is sent out into the world.
struct Host {
    name: String,
    port: u16,
    table: String,
}

impl Host {
    async fn listen(image: &str) -> Self {
        let number: u32 = rand::random();
        let host = Self {
            name: format!("walls-host-{number:08x}"),
            port: 40_000 + u16::try_from(number % 8_000).expect("a port"),
            table: format!("walls-{number:08x}"),
        };
        let server = format!(
            "use IO::Socket::INET; if (fork) {{ my $s = IO::Socket::INET->new(LocalPort => {port}, Listen => 50) or die; \
             while (1) {{ my $c = $s->accept; close $c if $c }} }} else {{ my $s = IO::Socket::INET->new(LocalPort => \
             {port}, Proto => 'udp') or die; while (1) {{ $s->recv(my $m, 9); $s->send('heard') }} }}",
            port = host.port
        );
        let rights = HostConfig {
            network_mode: Some("host".to_owned()),
            cap_add: Some(vec!["NET_ADMIN".to_owned()]),
            ..Default::default()
        };
        run(&host.name, image, &["perl", "-e", &server], rights).await;
        let rules = format!(
            "ip daddr {{ {}, {} }} counter drop\nudp dport 53 ip daddr != {RUNS} @th,160,88 {ASKED} counter drop",
            OUTSIDE[0], OUTSIDE[1]
        );
        let chain = |name: &str, hook: &str| {
            format!("chain {name} {{\ntype filter hook {hook} priority -310; policy accept;\n{rules}\n}}\n")
        };
        let chains = chain("arriving", "prerouting") + &chain("leaving", "output");
        let table = format!("table inet {} {{\n{chains}}}\n", host.table);
        let said = exec(&host.name, &format!("nft '{table}'")).await;
        assert_eq!(said, "", "the rules of this test stand");
        host
    }

    /// How many packets were on their way out into the world, and how many questions for names.
    async fn counted(&self) -> (u64, u64) {
        // The engine changes rules of its own meanwhile, which can cut a list short.
        let listing = format!("for try in $(seq 50); do nft list table inet {} && break; sleep 0.1; done", self.table);
        let listed = exec(&self.name, &listing).await;
        assert!(listed.contains("counter packets"), "the counters are told: {listed}");
        let packets = |line: &str| {
            let after = line.split("counter packets ").nth(1)?;
            after.split(' ').next()?.parse::<u64>().ok()
        };
        let sum = |sign: &str| listed.lines().filter(|line| line.contains(sign)).filter_map(packets).sum();
        (sum("198.51.100.7"), sum("dport 53"))
    }

    async fn leave(self) {
        exec(&self.name, &format!("nft delete table inet {}", self.table)).await;
        remove(&self.name).await;
    }

    /// A script that tries every way that this test knows. It prints those that are open, and nothing where there are none.
    async fn attack(&self, others: &[String]) -> String {
        let networks = engine().list_networks(None::<ListNetworksOptions>).await.expect("networks");
        let configs = networks.into_iter().filter_map(|network| network.ipam?.config).flatten();
        // Where the engine tells no gateway it is the first address.
        let gateways = configs.filter_map(|config| {
            let first = || Some(config.subnet.as_deref()?.split('/').next()?.trim_end_matches(".0").to_owned() + ".1");
            config.gateway.clone().filter(|gateway| !gateway.is_empty()).or_else(first)
        });
        let mut hosts: Vec<String> = gateways.filter(|gateway| !gateway.contains(':')).collect();
        let known = "{ hostname -I; ip -o -4 addr show scope global | awk '{print $4}' | cut -d/ -f1; } | tr ' ' '\\n'";
        hosts.extend(exec(&self.name, known).await.split_whitespace().map(str::to_owned));
        hosts.retain(|host| host.parse::<std::net::Ipv4Addr>().is_ok());
        hosts.sort();
        hosts.dedup();
        let port = self.port;
        let mut ways: Vec<String> = hosts
            .iter()
            .flat_map(|host| {
                [
                    format!("tcp/{host}/{port}"),
                    format!("udp/{host}/{port}"),
                    format!("tcp/{host}/1"),
                    format!("tcp/{host}/2375"),
                ]
            })
            .collect();
        ways.extend(
            OUTSIDE
                .iter()
                .flat_map(|host| [format!("tcp/{host}/80"), format!("udp/{host}/9"), format!("dns/{host}/53")]),
        );
        ways.extend(others.iter().flat_map(|other| [format!("tcp/{other}/7000"), format!("tcp/{other}/1")]));
        ways.push("dns/127.0.0.11/53".to_owned());
        format!(
            "perl - {} <<'PERL'\n{WAYS_OUT}PERL\n\
             timeout 3 getent hosts blackstart.invalid && echo 'a name of outside has an address'\n\
             for socket in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock; do\n\
             [ ! -e $socket ] || echo $socket; done; true\n",
            ways.join(" ")
        )
    }
}

/// A copy of the same nodes in networks of its own, as a restored backup has it.
async fn make_copy(bench: &Bench, specs: Vec<NodeSpec>) -> (std::sync::Arc<dyn World>, Vec<Resource>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/order-management/nothing-broken.yaml");
    let any = plan::build(scenario::read(&file).unwrap_or_else(|refusals| panic!("{refusals}")), 1).expect("a plan");
    let copy = bench.world.beside("copy", &any).expect("an environment");
    copy.prepare_images(&[docker_bench::image()], &|_| {}).await.expect("images");
    let targets =
        specs.iter().map(|spec| RelayTarget { node: spec.name.clone(), host: spec.host, port: 8080 }).collect();
    let nodes: Vec<Resource> = specs.iter().map(|spec| Resource::Node(Box::new(spec.clone()))).collect();
    let made: Vec<Resource> =
        [Resource::Networks].into_iter().chain(nodes).chain([Resource::Relay { targets }]).collect();
    for resource in &made {
        copy.create(resource).await.unwrap_or_else(|error| panic!("{error}"));
        if let Resource::Node(spec) = resource {
            copy.start(&spec.name).await.expect("a start");
        }
    }
    (copy, made)
}

fn pair() -> Vec<NodeSpec> {
    vec![service(node("front", 11, &["front", "a"])), node("a", 12, &["front", "a"])]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_node_and_no_copy_has_a_way_out() {
    with_specs("walls", pair(), &["front", "a"], |bench| {
        async move {
            let image = inspect(&of_role("resolver").await[0]).await.config.and_then(|config| config.image);
            let image = image.expect("an image");
            let own = bench.says("a", "hostname -i").await;
            let (copy, made) = make_copy(bench, pair()).await;
            let host = Host::listen(&image).await;
            let work = async {
                let bystander = format!("walls-bystander-{:08x}", rand::random::<u32>());
                run(&bystander, &image, &["sleep", "60"], HostConfig::default()).await;
                let attack = host.attack(&[]).await;

                let found = exec(&bystander, &attack).await;
                assert!(
                    found.contains(&format!("tcp/172.17.0.1/{}", host.port)),
                    "the attack finds what is open: {found}"
                );
                assert!(found.contains("udp/") && found.contains("answered"), "{found}");
                let (left, asked) = host.counted().await;
                assert!(left > 0 && asked > 0, "and it is counted: {left} packets, {asked} questions");
                remove(&bystander).await;

                let mut tried = Vec::new();
                for (name, (role, runs)) in containers().await {
                    if !runs || !matches!(role.as_str(), "node" | "relay" | "resolver") {
                        continue;
                    }
                    // One environment is another run to the other.
                    let others = if name.contains(".copy.") { vec![own.clone()] } else { Vec::new() };
                    let said = exec(&name, &host.attack(&others).await).await;
                    assert_eq!(said, "", "{name} has a way out");
                    tried.push(name);
                }
                assert_eq!(tried.len(), 8, "two nodes, relay and resolver, and a copy of each: {tried:?}");
                assert_eq!(host.counted().await, (left, asked), "nothing of it got as far as this machine");

                for node in ["front", "a"] {
                    let ways = bench.world.ways_out(node).await.expect("a proof");
                    assert!(ways.tried.iter().any(|way| way == "tcp/172.17.0.1/1"), "{ways:?}");
                    assert!(ways.open.is_empty(), "{ways:?}");
                }
            };
            let outcome = std::panic::AssertUnwindSafe(work).catch_unwind().await;
            host.leave().await;
            for resource in made.iter().rev() {
                copy.remove(resource).await.unwrap_or_else(|error| panic!("{error}"));
            }
            assert_eq!(copy.leftovers().await.expect("leftovers"), Vec::<String>::new());
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_is_shut_again_after_each_start() {
    with_specs("gate", pair(), &["front"], |bench| {
        async move {
            let world = &bench.world;
            world.kill("front").await.expect("killed");
            world.await_down("front").await.expect("down");
            world.start("front").await.expect("started");
            let ways = world.ways_out("front").await.expect("a proof");
            assert!(ways.open.is_empty(), "{ways:?}");
            let image = inspect(&of_role("resolver").await[0]).await.config.and_then(|config| config.image);
            let host = Host::listen(&image.expect("an image")).await;
            let said = exec(
                &of_role("node").await.into_iter().find(|name| name.ends_with("front")).expect("it"),
                &host.attack(&[]).await,
            )
            .await;
            host.leave().await;
            assert_eq!(said, "");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_has_no_way_out_when_its_containers_are_started_by_hand() {
    with_specs("kept", pair(), &[], |bench| {
        async move {
            bench.world.keep().await.expect("kept");
            let image = inspect(&of_role("resolver").await[0]).await.config.and_then(|config| config.image);
            let host = Host::listen(&image.expect("an image")).await;
            let members = [of_role("node").await, of_role("relay").await].concat();
            let mut said = Vec::new();
            for member in &members {
                engine().restart_container(member, None::<RestartContainerOptions>).await.expect("a start by hand");
                said.push((member.clone(), exec(member, &host.attack(&[]).await).await));
            }
            host.leave().await;
            assert_eq!(members.len(), 3, "{members:?}");
            assert!(said.iter().all(|(_, said)| said.is_empty()), "{said:?}");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_is_no_way_around_a_partition() {
    with_nodes("around", &["a", "b"], &["a"], |bench| {
        async move {
            bench.world.refuse(&partition(&[("a", "b"), ("b", "a")])).await.expect("a partition");
            assert!(!bench.world.reaches("a", "b").await.expect("an answer"));
            let relay = inspect(&of_role("relay").await[0]).await;
            let networks = relay.network_settings.and_then(|settings| settings.networks).expect("networks");
            assert_eq!(networks.len(), 2, "it stands in both");
            let addresses: Vec<String> = networks.into_values().filter_map(|network| network.ip_address).collect();
            let ports = [19_999, 20_000, 20_001];
            let ways: Vec<String> =
                addresses.iter().flat_map(|address| ports.map(|port| format!("tcp/{address}/{port}"))).collect();
            let said = bench.says("a", &format!("perl - {} <<'PERL'\n{WAYS_OUT}PERL", ways.join(" "))).await;
            assert!(
                !said.contains("connected"),
                "a partitioned node reaches the relay, which leads to the other one: {said}"
            );
            let asked = blackstart::world::Questions::get(&bench.world, "b", 8080, "/", Duration::from_secs(1)).await;
            let refused = asked.expect_err("nothing listens there");
            assert_ne!(refused.kind, blackstart::world::WorldErrorKind::NotFound, "the relay leads there: {refused}");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_the_resolvers_and_go_with_it() {
    with_nodes("names", &["a", "b"], &[], |bench| {
        async move {
            assert!(bench.says("a", "getent hosts b").await.ends_with(" b"));
            assert_eq!(bench.says("a", "grep -cw b /etc/hosts").await, "0", "no file on the node knows it");
            for unknown in ["nobody", "blackstart.invalid"] {
                assert_eq!(bench.says("a", &format!("getent hosts {unknown}; echo $?")).await, "2", "{unknown}");
            }
            let kill = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
            engine().kill_container(&of_role("resolver").await[0], Some(kill)).await.expect("it is killed");
            let lost = bench.says("a", "timeout 2 getent hosts b >/dev/null; [ $? != 0 ] && echo lost").await;
            assert_eq!(lost, "lost", "a fault of name resolution bites");
        }
        .boxed()
    })
    .await;
}

/// The rows of a table of the documents, by the kind in their first cell.
fn documented(heading: &str) -> BTreeMap<String, Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/containers.md");
    let text = fs::read_to_string(file).expect("the documents");
    let table =
        text.lines().skip_while(|line| !line.starts_with(heading)).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    table.map(|line| (cells(line)[0].trim_matches('`').to_owned(), cells(line)[1..].to_vec())).collect()
}

fn capabilities(cell: &str) -> Vec<String> {
    let words = cell.split(", ").filter(|word| !word.starts_with("or ") && *word != "none");
    words.map(str::to_owned).collect()
}

fn bytes(cell: &str) -> i64 {
    let (number, unit) =
        if let Some(number) = cell.strip_suffix("MiB") { (number, 20) } else { (cell.trim_end_matches("GiB"), 30) };
    number.parse::<i64>().expect("a number") << unit
}

/// The rights as the engine was told them, without the prefix that some versions add.
fn told(words: Option<Vec<String>>) -> Vec<String> {
    let mut words: Vec<String> =
        words.unwrap_or_default().iter().map(|word| word.trim_start_matches("CAP_").to_owned()).collect();
    words.sort();
    words
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containers_have_the_rights_of_the_documents_and_no_more() {
    let specs = vec![NodeSpec { data: Some("/data".into()), ..service(node("front", 11, &["front"])) }];
    with_specs("rights", specs, &["front"], |bench| {
        async move {
            let wiper = Resource::Wiper { node: "front".into() };
            bench.world.create(&wiper).await.expect("a wiper");
            let documented = documented("| kind |");
            let mut seen = Vec::new();
            for (name, (role, _)) in containers().await {
                let row = documented.get(&role).unwrap_or_else(|| panic!("{role} stands in the documents"));
                let config = inspect(&name).await.host_config.expect("a configuration");
                assert_eq!(told(config.cap_add), capabilities(&row[0]), "{role}");
                assert_eq!(told(config.cap_drop), ["ALL"], "{role}");
                assert_eq!(config.privileged, Some(false), "{role}");
                assert_eq!(config.security_opt, Some(vec!["no-new-privileges".to_owned()]), "{role}");
                assert_eq!(config.readonly_rootfs, Some(row[1] == "read-only"), "{role}");
                assert_eq!(config.memory, Some(bytes(&row[2])), "{role}");
                assert_eq!(config.pids_limit, Some(row[3].parse().expect("a number")), "{role}");
                seen.push(role);
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen, documented.keys().cloned().collect::<Vec<_>>(), "every kind was asked");
            // CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID and SETUID are the bits 0, 1, 3, 5, 6 and 7.
            let bounding =
                bench.says("front", "grep CapBnd /proc/1/status | cut -f2; grep NoNewPrivs /proc/1/status").await;
            assert!(bounding.starts_with("00000000000000eb") && bounding.ends_with('1'), "{bounding}");
            bench.world.remove(&wiper).await.expect("it goes");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_takes_no_more_than_its_limits_and_has_no_more_rights_than_its_image() {
    let limits = Limits { memory_bytes: 64 << 20, processes: 32 };
    let specs = vec![NodeSpec { limits, capabilities: vec![Capability::Setuid], ..node("a", 11, &["a"]) }];
    with_specs("limits", specs, &[], |bench| {
        async move {
            let much = bench.shell("a", "perl -e '$x = \"x\" x (256 << 20); print length $x'").await;
            assert_ne!(much.status, 0, "256 MiB are more than 64: {}", much.output);
            assert_eq!(bench.says("a", "grep CapBnd /proc/1/status | cut -f2").await, "0000000000000080");
            let given = bench.shell("a", "touch /file && chown nobody /file").await;
            assert_ne!(given.status, 0, "it may not give files away: {}", given.output);
            let fork = "perl -e 'for (1 .. 99) { my $p = fork; if (!defined $p) { print \"refused\"; last } \
                        if (!$p) { close STDOUT; close STDERR; sleep 3; exit } }'";
            assert_eq!(bench.says("a", fork).await, "refused", "no 99 processes");
        }
        .boxed()
    })
    .await;
}

#[test]
fn the_images_of_the_systems_have_the_rights_of_the_documents() {
    let documented = documented("| image |");
    for system in ["order-management", "process-cell"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/systems/{system}.yaml"));
        let (system, _) = scenario::read_system(&file).unwrap_or_else(|refusals| panic!("{refusals}"));
        for (name, image) in &system.images {
            let words = image.capabilities.as_ref().expect("they are declared").iter();
            let words: Vec<String> =
                words.map(|one| serde_json::to_string(one).expect("a word").trim_matches('"').to_owned()).collect();
            assert_eq!(words, capabilities(&documented[name][0]), "{name}");
        }
    }
}
