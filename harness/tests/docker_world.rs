//! What only a real engine can show: that faults bite and end, and that nothing else is touched.

mod docker_bench;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use blackstart::{
    scenario::system::Request,
    world::{
        Backups, Commands, Impairment, Network, NodeState, Outgoing, Power, Provision, Questions, Remains, Reply,
        Resource, Traffic, WorldErrorKind, docker::DockerWorld,
    },
};
use bollard::{Docker, models::NetworkConnectRequest, query_parameters::InspectContainerOptions};
use docker_bench::{Bench, connect, node, partition, service, with_nodes, with_specs};
use futures_util::FutureExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_bites_nests_and_heals() {
    with_nodes("partition", &["a", "b", "c"], &["a"], |bench| {
        async move {
            let world = &bench.world;
            assert!(world.reaches("a", "b").await.expect("an answer"));
            let whole = partition(&[("a", "b"), ("b", "a")]);
            world.refuse(&whole).await.expect("a partition");
            assert!(!world.reaches("a", "b").await.expect("an answer"), "the partition must bite");
            assert!(world.reaches("a", "c").await.expect("an answer"), "and only there");
            let other = partition(&[("a", "b"), ("a", "c")]);
            world.refuse(&other).await.expect("a second partition over it");
            world.accept(&whole).await.expect("the first one ends");
            assert!(!world.reaches("a", "b").await.expect("an answer"), "the second one still holds");
            world.accept(&other).await.expect("the second one ends");
            assert!(world.reaches("a", "b").await.expect("an answer"));
            assert!(world.reaches("a", "c").await.expect("an answer"));
            let nobody = world.refuse(&partition(&[("b", "c")])).await.expect_err("neither has a helper");
            assert_eq!(nobody.kind, WorldErrorKind::NotFound);
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_breaks_an_established_connection_too() {
    with_nodes("established", &["a", "b"], &["b"], |bench| {
        async move {
            let slow = "rm -f /up /go; perl -MIO::Socket::INET -e '$c = IO::Socket::INET->new(PeerAddr => \"b\", PeerPort => \
                        7000); $| = 1; print \"up\\n\"; syswrite $c, \"x\"; open F, \">/up\"; select undef, undef, undef, 0.02 \
                        until -e \"/go\"; syswrite $c, \"x\"; $c->shutdown(1); alarm 3; print scalar <$c>'";
            let is_up = "until [ -e /up ]; do sleep 0.02; done";
            let going_on = async { bench.says("a", &format!("{is_up}; touch /go")).await };
            let (sent, _) = tokio::join!(bench.says("a", slow), going_on);
            assert_eq!(sent, "up\n2", "whole without a partition");
            bench.says("a", "rm -f /up /go").await;
            let sending = bench.shell("a", slow);
            let cutting = async {
                bench.says("a", is_up).await;
                bench.world.refuse(&partition(&[("b", "a")])).await.expect("a partition");
                bench.says("a", "touch /go").await;
            };
            let (sent, ()) = tokio::join!(sending, cutting);
            assert_eq!(sent.output.trim(), "up\nAlarm clock", "what was connected must wait in vain");
        }
        .boxed()
    })
    .await;
}

/// Packets without an answer, from one node to another, for as long as that listens: whether one of them gets there.
async fn sends_one_way(bench: &docker_bench::Bench, from: &str, to: &str) -> bool {
    let listen = "timeout 3 perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 7001, Proto => \
                  \"udp\"); $s->recv($m, 9); print $m'";
    let send = format!(
        "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => \"{to}\", PeerPort => 7001, Proto => \
         \"udp\")->send(\"hello\")' 2>/dev/null; true"
    );
    let mut sent = 0;
    let sending = async {
        loop {
            bench.shell(from, &send).await;
            sent += 1;
        }
    };
    let heard = tokio::select! {
        heard = bench.says(to, listen) => heard,
        () = sending => unreachable!("it sends for ever"),
    };
    assert!(heard == "hello" || sent > 1, "nothing was sent meanwhile");
    heard == "hello"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_one_way() {
    with_nodes("one-way", &["a", "b"], &["b"], |bench| {
        async move {
            let refusing = partition(&[("b", "a")]);
            bench.world.refuse(&refusing).await.expect("a refusal, dropped as it arrives");
            assert!(!sends_one_way(bench, "a", "b").await);
            assert!(sends_one_way(bench, "b", "a").await);
            bench.world.accept(&refusing).await.expect("its end");
            let leaving = partition(&[("a", "b")]);
            bench.world.refuse(&leaving).await.expect("a refusal, dropped as it leaves the other");
            assert!(sends_one_way(bench, "a", "b").await);
            assert!(!sends_one_way(bench, "b", "a").await);
        }
        .boxed()
    })
    .await;
}

/// Of a hundred small packets, how many arrive, and how many the sender was told could not be sent. The two ends greet each
/// other first, and the sender asks for the number until it is told.
async fn heard_of_a_hundred(bench: &docker_bench::Bench, from: &str, to: &str) -> (u64, u64) {
    let listen = "perl -MIO::Socket::INET -e 'alarm 15; $n = 0; $s = IO::Socket::INET->new(LocalPort => 7001, Proto => \"udp\"); \
                  while (defined $s->recv($m, 9)) { $n++ if $m eq \"x\"; $s->send(\"hello\") if $m eq \"h\"; $s->send($n) if $m \
                  eq \"e\"; exit if $m eq \"q\" }'";
    let send = format!(
        "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => \"{to}\", PeerPort => 7001, Proto => \"udp\"); sub ask \
         {{ for (1..100) {{ $s->send($_[0]); vec($r = \"\", fileno $s, 1) = 1; if (select($r, undef, undef, 0.1)) {{ return $m \
         if defined $s->recv($m, 9) and $m =~ $_[1]; select(undef, undef, undef, 0.05) }} }} die }} ask(\"h\", qr/hello/); for \
         (1..100) {{ $s->send(\"x\") or $n++ }} print ask(\"e\", qr/[0-9]/), \" \", $n + 0; $s->send(\"q\") for 1..50'"
    );
    let (_, told) = tokio::join!(bench.shell(to, listen), bench.says(from, &send));
    let numbers: Vec<u64> = told.split(' ').filter_map(|number| number.parse().ok()).collect();
    <[u64; 2]>::try_from(numbers).map(Into::into).unwrap_or_else(|_| panic!("two numbers, not {told}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_link_loses_and_doubles_packets_one_way_and_ends() {
    with_nodes("bad-link", &["a", "b"], &["a", "b"], |bench| {
        async move {
            let world = &bench.world;
            let none = Impairment::default();
            assert_eq!(heard_of_a_hundred(bench, "a", "b").await, (100, 0), "whole before");
            world.impair("a", "b", Some(Impairment { loss: 0.5, ..none })).await.expect("loss");
            let (heard, refused) = heard_of_a_hundred(bench, "a", "b").await;
            let lost = world.impaired("a", "b").await.expect("a count").lost;
            assert!((20..80).contains(&heard) && lost >= 100 - heard, "{heard} of 100 heard, {lost} lost");
            assert_eq!(refused, 0, "a sender does not notice a loss");
            assert_eq!(heard_of_a_hundred(bench, "b", "a").await.0, 100, "only that way");
            world.impair("a", "b", Some(Impairment { duplication: 0.5, ..none })).await.expect("duplication");
            let (heard, _) = heard_of_a_hundred(bench, "a", "b").await;
            let doubled = world.impaired("a", "b").await.expect("a count").doubled;
            assert!((120..180).contains(&heard) && doubled >= heard - 100, "{heard} heard of 100, {doubled} doubled");
            world.impair("a", "b", None).await.expect("its end");
            assert_eq!(heard_of_a_hundred(bench, "a", "b").await.0, 100, "whole afterwards");
            let late = Impairment { latency: Duration::from_millis(100), ..none };
            match world.impair("a", "b", Some(late)).await {
                Ok(()) => assert!(bench.transfer("a", "b", 1).await >= Duration::from_millis(100)),
                Err(error) => assert!(error.happened.contains("has no netem"), "{error}"),
            }
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_really_limits_and_ends() {
    with_nodes("limit", &["a", "b", "c"], &["a"], |bench| {
        async move {
            let world = &bench.world;
            let free = bench.transfer("a", "b", 100_000).await;
            world.limit("a", "b", "400kbit/s".parse().expect("a bandwidth")).await.expect("a limit");
            let held = async {
                tokio::time::sleep(Duration::from_millis(700)).await;
                world.held_back("a", "b").await.expect("a number")
            };
            let (slow, held) = tokio::join!(bench.transfer("a", "b", 100_000), held);
            assert!(slow > Duration::from_millis(1500), "100 kB at 400 kbit/s take 2 s, not {slow:?}");
            assert!(free < slow, "{free:?} without a limit, {slow:?} with one");
            assert!(held > 10_000, "{held} bytes held back");
            assert!(bench.transfer("a", "c", 100_000).await < slow, "only that link");
            assert!(bench.transfer("b", "a", 100_000).await < slow, "only that way");
            world.limit("a", "c", "8Mbit/s".parse().expect("a bandwidth")).await.expect("a second limit");
            world.unlimit("a", "b").await.expect("the end of the first");
            assert!(bench.transfer("a", "b", 100_000).await < slow, "nor there any more");
            world.unlimit("a", "c").await.expect("the end of the second");
            assert_eq!(world.held_back("a", "b").await.expect_err("no limit").kind, WorldErrorKind::NotFound);
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_node_keeps_still_and_its_helper_goes_on() {
    with_nodes("pause", &["a", "b"], &["a"], |bench| {
        async move {
            let world = &bench.world;
            world.pause("a").await.expect("paused");
            world.pause("a").await.expect("paused twice is no error");
            assert_eq!(world.state("a").await.expect("a state"), NodeState::Paused);
            let deaf = world.run("a", &["true".into()], Duration::from_secs(2)).await.expect_err("it is paused");
            assert!(deaf.to_string().contains("paused"), "{deaf}");
            world.refuse(&partition(&[("a", "b")])).await.expect("its helper is no part of it");
            assert!(!world.reaches("a", "b").await.expect("an answer"));
            world.unpause("a").await.expect("unpaused");
            world.unpause("a").await.expect("unpaused twice is no error");
            assert_eq!(world.state("a").await.expect("a state"), NodeState::Running);
            assert_eq!(bench.says("a", "echo back").await, "back");
            world.pause("a").await.expect("paused");
            world.kill("a").await.expect("a paused node can be killed");
            world.await_down("a").await.expect("down");
            assert_eq!(world.state("a").await.expect("a state"), NodeState::Down);
            world.unpause("a").await.expect_err("what is down cannot be unpaused");
            world.start("a").await.expect("started");
            assert_eq!(bench.says("a", "echo back").await, "back");
            // Removed as it is.
            world.pause("a").await.expect("paused");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_comes_back_with_its_address_and_its_partitions() {
    with_nodes("kill", &["a", "b", "c"], &["a"], |bench| {
        async move {
            let world = &bench.world;
            let address = bench.says("a", "hostname -i").await;
            world.refuse(&partition(&[("a", "b")])).await.expect("a partition");
            world.kill("a").await.expect("killed");
            world.await_down("a").await.expect("down");
            assert_eq!(world.state("a").await.expect("a state"), NodeState::Down);
            world.kill("a").await.expect("killed twice is no error");
            world.await_down("a").await.expect("down");
            assert!(!world.reaches("a", "c").await.expect("a node that is down reaches nobody"));
            let down = world.run("a", &["true".into()], Duration::from_secs(2)).await.expect_err("it is down");
            assert!(down.to_string().contains("not running"), "{down}");
            world.refuse(&partition(&[("a", "c")])).await.expect("a partition of a node that is down waits for it");
            world.start("a").await.expect("started");
            assert_eq!(bench.says("a", "hostname -i").await, address);
            assert!(!world.reaches("a", "b").await.expect("an answer"), "the partition outlives the start");
            assert!(!world.reaches("a", "c").await.expect("an answer"));
            world.accept(&partition(&[("a", "b"), ("a", "c")])).await.expect("its end");
            assert!(world.reaches("a", "b").await.expect("an answer"), "by a helper in the new namespace");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_have_a_status_a_deadline_and_a_bounded_output() {
    with_nodes("exec", &["a"], &[], |bench| {
        async move {
            let world = &bench.world;
            let failed = bench.shell("a", "echo out; echo err >&2; exit 3").await;
            assert_eq!(failed.status, 3);
            assert!(failed.output.contains("out") && failed.output.contains("err"), "both streams");
            let much = bench.shell("a", "head -c 1000000 /dev/zero | tr '\\0' x").await;
            assert_eq!((much.status, much.output.len()), (0, 64 * 1024));
            let begun = Instant::now();
            let command = ["sleep", "30"].map(str::to_owned);
            let late = world.run("a", &command, Duration::from_millis(300)).await.expect_err("a deadline");
            assert_eq!(late.kind, WorldErrorKind::TimedOut);
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits for it");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_half_way_goes_on_when_told_and_dies_with_its_node() {
    let shell = |script: &str| ["sh", "-c", script].map(str::to_owned);
    let half = shell(r#"echo "WARN: some"; echo '{"half_way":"one of two"}'; read -r _; echo the rest; exit 4"#);
    let (over, within) = (shell("echo done"), Duration::from_secs(60));
    with_nodes("half", &["a"], &[], |bench| {
        async move {
            let world = &bench.world;
            let begun = world.begin_back_up("daily", "a", &half, within).await.expect("half of it");
            assert_eq!(begun.seen, "one of two");
            let ended = begun.rest.await.expect("its end");
            assert_eq!((ended.status, ended.output.contains("the rest")), (4, true), "{}", ended.output);
            let missed = world.begin_restore("a", &over, within).await.err().expect("it never stood still");
            assert_eq!(missed.kind, WorldErrorKind::WithoutEffect, "{missed}");
            let begun = world.begin_back_up("daily", "a", &half, within).await.expect("half of it");
            world.kill("a").await.expect("killed");
            // The kill counts from its delivery: the program may still hear what it is sent, until it is gone.
            world.await_down("a").await.expect("gone");
            let ended = begun.rest.await;
            assert!(ended.as_ref().is_ok_and(|output| output.status != 0 && output.status != 4), "{ended:?}");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_is_in_its_file_and_nowhere_else() {
    with_nodes("password", &["a"], &["a"], |bench| {
        async move {
            let reads = "setpriv --reuid=65534 --regid=65534 --clear-groups cat /etc/blackstart/password | tr a-f A-F";
            let password = bench.says("a", reads).await.to_lowercase();
            assert_eq!(password.len(), 32, "any program there reads it");
            assert_eq!(bench.says("a", "cat /etc/blackstart/password").await, "(password)", "no output shows it");
            let denied =
                bench.shell("a", "setpriv --reuid=65534 --clear-groups sh -c 'echo x >/etc/blackstart/password'").await;
            assert_ne!(denied.status, 0, "and none changes it");
            let engine = Docker::connect_with_defaults().expect("an engine");
            for found in docker_bench::remains().await.list().await.expect("a list") {
                let Ok(known) = engine.inspect_container(&found.id, None::<InspectContainerOptions>).await else {
                    continue;
                };
                assert!(!serde_json::to_string(&known).expect("json").contains(&password), "{found}");
            }
        }
        .boxed()
    })
    .await;
}

fn request(deadline_ms: u64) -> Outgoing<'static> {
    static ORDER: LazyLock<Request> = LazyLock::new(|| Request {
        method: None,
        path: "/orders".into(),
        body: Some("{\"token\":\"${token}\"}".into()),
        acknowledged: vec![200],
        refused: vec![503],
    });
    let deadline = Duration::from_millis(deadline_ms);
    Outgoing { token: "t1", kind: "order", declared: &ORDER, number: 1, deadline }
}

/// What a service says once it is up; the last reply of many where it says nothing.
async fn answer_of(world: &DockerWorld) -> Reply {
    let mut reply = world.send(&request(1000)).await;
    for _ in 0..200 {
        if matches!(reply, Reply::Answer { .. }) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        reply = world.send(&request(1000)).await;
    }
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_a_request_is_told_apart() {
    let specs = vec![service(node("front", 11, &["front"]))];
    with_specs("traffic", specs, &[], |bench| {
        async move {
            let world = &bench.world;
            let answered = Reply::Answer { status: 201 };
            assert_eq!(answer_of(world).await, answered);
            let asked = world.get("front", 8080, "/", Duration::from_secs(2)).await.expect("the relay leads there");
            assert_eq!(asked, (201, "made".to_owned()));
            world.pause("front").await.expect("paused");
            let silent = world.send(&request(200)).await;
            assert!(matches!(silent, Reply::NoAnswer { .. }), "{silent:?}");
            let late = world.get("front", 8080, "/", Duration::from_millis(200)).await.expect_err("a deadline");
            assert_eq!(late.kind, WorldErrorKind::TimedOut);
            world.unpause("front").await.expect("unpaused");
            world.kill("front").await.expect("killed");
            world.await_down("front").await.expect("down");
            let unheard = world.send(&request(500)).await;
            assert!(matches!(unheard, Reply::NotSent { .. }), "{unheard:?}");
            world.get("front", 8080, "/", Duration::from_secs(1)).await.expect_err("nobody is there");
            world.start("front").await.expect("started");
            assert_eq!(answer_of(world).await, answered, "whichever port it has now");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_side_by_side_do_not_meet() {
    with_nodes("first", &["a"], &[], |first| {
        async move {
            let address = first.says("a", "hostname -i").await;
            let inner = with_nodes("second", &["a", "b"], &["a"], move |second| {
                async move {
                    let there = second.says("a", "hostname -i").await;
                    assert_ne!(there, address);
                    let meet = format!("timeout 1 bash -c 'exec 3<>/dev/tcp/{address}/7000' 2>/dev/null; echo $?");
                    assert_ne!(second.says("a", &meet).await, "0", "one run reached a node of another");
                    second.world.kill("a").await.expect("killed");
                    second.world.await_down("a").await.expect("down");
                }
                .boxed()
            });
            inner.await;
            assert_eq!(first.world.state("a").await.expect("a state"), NodeState::Running);
            assert_eq!(
                first.world.leftovers().await.expect("its own").len(),
                7,
                "node, relay, gate, resolver with its volume, two networks"
            );
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_is_said_to_be() {
    with_nodes("taken", &["a"], &[], |bench| {
        async move {
            let spec = Resource::Node(Box::new(node("a", 11, &["a"])));
            let taken = bench.world.create(&spec).await.expect_err("there is one");
            assert_eq!(taken.kind, WorldErrorKind::Taken, "{taken}");
            let gone = bench.world.state("nobody").await.expect_err("nobody of that name");
            assert_eq!(gone.kind, WorldErrorKind::NotFound, "{gone}");
            let networks = bench.world.create(&Resource::Networks).await.expect_err("they are there");
            assert_eq!(networks.kind, WorldErrorKind::Taken, "{networks}");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_names_engine_and_images() {
    let world = connect("environment").await;
    world.prepare_images(&[docker_bench::image()], &|_| {}).await.expect("images");
    let found = world.environment().await;
    for name in ["engine", "kernel", "storage_driver", "cpus", "memory_bytes", "image tools"] {
        assert!(found.contains_key(name), "{name} in {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_tries_whoever_runs_in_another_run() {
    with_specs("other", vec![node("a", 11, &["a"])], &[], |other| {
        async move {
            let address = other.says("a", "hostname -i").await;
            let network = left_of(other, "network ", "-nodes").await;
            let pair = vec![service(node("front", 11, &["front", "a"])), node("a", 12, &["front", "a"])];
            with_specs("proof", pair, &["front", "a"], |bench| {
                async move {
                    let [tcp, udp] = ["tcp", "udp"].map(|protocol| format!("{protocol}/{address}/1"));
                    for node in ["front", "a"] {
                        let ways = bench.world.ways_out(node).await.expect("a proof");
                        assert!(ways.tried.contains(&tcp) && ways.tried.contains(&udp), "{ways:?}");
                        assert!(ways.open.is_empty(), "{ways:?}");
                    }
                    let own = bench.says("a", "hostname -i").await;
                    let tried = bench.world.ways_out("a").await.expect("a proof").tried;
                    assert!(!tried.iter().any(|way| way.contains(&own)), "its own network is none: {tried:?}");
                    let container = left_of(bench, "container ", "-a").await;
                    let request = NetworkConnectRequest { container, ..Default::default() };
                    let engine = Docker::connect_with_defaults().expect("an engine");
                    engine.connect_network(&network, request).await.expect("joined");
                    let ways = bench.world.ways_out("a").await.expect("a proof");
                    assert!(ways.open.contains(&format!("{tcp} refused")), "a way that is open is found: {ways:?}");
                }
                .boxed()
            })
            .await;
        }
        .boxed()
    })
    .await;
}

/// The name of something of a run, by its kind and its end.
async fn left_of(bench: &Bench, kind: &str, end: &str) -> String {
    let left = bench.world.leftovers().await.expect("a list");
    let found = left.iter().find(|one| one.starts_with(kind) && one.ends_with(end)).expect("it is there");
    found.trim_start_matches(kind).to_owned()
}
