//! What only real disks can show: what a snapshot holds, what a power loss takes, what a full pool says, and that nothing
//! stays behind.

mod docker_bench;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use blackstart::world::{
    ArraySpec, Marks, Pool, Power, Provision, Resource, Saved, Storage, WorldErrorKind, WriteAttempt,
};
use docker_bench::{
    Bench, connect,
    disks::{MIB, SMALL, saved, with_disks},
};
use futures_util::FutureExt;

/// Says how long something took: no test depends on it, but people want to know.
macro_rules! timed {
    ($what:expr) => {{
        let begun = Instant::now();
        let result = $what.await;
        eprintln!("{:>6} ms  {}", begun.elapsed().as_millis(), stringify!($what));
        result
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_holds_what_was_there_at_its_moment() {
    with_disks("snapshot", SMALL, &["a", "b"], |bench| {
        async move {
            let world = &bench.world;
            for node in ["a", "b"] {
                bench.says(node, "echo one >/data/word; sync /data/word /data").await;
            }
            assert!(timed!(world.snapshot("first")).expect("a snapshot") > 0);
            bench.says("a", "echo two >/data/word; echo more >/data/later; sync -f /data").await;
            assert_eq!(bench.copy_says(&["a", "b"], &saved("first"), "cat /data/*").await, ["one", "one"]);
            assert_eq!(bench.says("a", "cat /data/word").await, "two", "the copy is another disk");

            let twice = world.snapshot("first").await.expect_err("there is one");
            assert!(twice.happened.contains("first already"), "{twice}");
            let odd = world.snapshot("no/name").await.expect_err("no name");
            assert!(odd.happened.contains("not a name"), "{odd}");
            let unknown = Resource::Disk { node: "c".into(), from: Some(saved("second")) };
            let unknown = world.create(&unknown).await.expect_err("nobody saved it");
            assert!(unknown.happened.contains("nothing was saved as second"), "{unknown}");
        }
        .boxed()
    })
    .await;
}

async fn stop(bench: &Bench, nodes: &[&str]) {
    for node in nodes {
        bench.world.kill(node).await.expect("killed");
        bench.world.await_down(node).await.expect("down");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_at_rest_are_copied_and_put_back() {
    with_disks("cold", SMALL, &["a", "b"], |bench| {
        async move {
            let world = &bench.world;
            bench.says("a", "echo one >/data/word; sync -f /data").await;
            let early = world.copy_disks("cold").await.expect_err("both run");
            assert!(early.happened.contains("still runs"), "{early}");
            let early = world.revert("a", &saved("cold")).await.expect_err("there is no such state");
            assert!(early.happened.contains("nothing was saved"), "{early}");
            stop(bench, &["a", "b"]).await;
            assert!(timed!(world.copy_disks("cold")).expect("a copy") > 0);
            world.start("a").await.expect("a start");
            bench.says("a", "echo two >/data/word; sync -f /data").await;
            let running = world.revert("a", &saved("cold")).await.expect_err("it runs");
            assert!(running.happened.contains("still runs"), "{running}");
            stop(bench, &["a"]).await;
            timed!(world.revert("a", &saved("cold"))).expect("put back");
            assert!(timed!(world.inspect("a")).expect("a look").is_sound);
            world.start("a").await.expect("a start");
            assert_eq!(bench.says("a", "cat /data/word").await, "one");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_loss_takes_what_was_not_flushed_and_nothing_else() {
    with_disks("power", SMALL, &["a", "b", "c"], |bench| {
        async move {
            let world = &bench.world;
            let write = "echo kept >/data/kept; sync /data/kept /data; echo lost >/data/lost; cat /data/lost";
            for node in ["a", "b", "c"] {
                assert_eq!(bench.says(node, write).await, "lost", "until then a node reads what it wrote");
            }
            let half = world.lose_unflushed(&["a".into(), "nobody".into()]).await.expect_err("there is no such disk");
            let told = half.happened.trim_end();
            assert!(told.ends_with("there is no disk of nobody"), "and nothing else, such as of a mount: {told}");
            timed!(world.lose_unflushed(&["a".into(), "b".into()])).expect("no power");
            assert_ne!(bench.shell("a", "cat /data/kept").await.status, 0, "nothing is read any more");
            assert_ne!(bench.shell("b", "echo x >/data/more").await.status, 0, "nor written");
            assert_eq!(bench.says("c", "cat /data/lost").await, "lost", "others have power");
            let running = world.marks("a").await.expect_err("it runs");
            assert!(running.happened.contains("still runs"), "{running}");
            stop(bench, &["a", "b"]).await;
            for node in ["a", "b"] {
                let marks = timed!(world.marks(node)).expect("marks");
                assert_eq!(marks, Marks { flushed: true, unflushed: false });
                let again = world.marks(node).await.expect("none any more");
                assert_eq!(again, Marks { flushed: false, unflushed: false });
                world.start(node).await.expect("a start");
                assert_eq!(bench.says(node, "cat /data/kept").await, "kept");
                assert_eq!(bench.says(node, "cat /data/lost 2>/dev/null").await, "", "it had never reached the disk");
                assert_eq!(bench.says(node, "ls -A /data | tr '\n' ' '").await.replace("lost", "").trim(), "kept");
            }
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_takes_nothing_until_there_is_room_and_a_failed_one_never() {
    with_disks("broken", SMALL, &["a", "b"], |bench| {
        async move {
            let world = &bench.world;
            let write = "dd if=/dev/zero of=/data/file bs=4096 count=4 conv=fsync 2>&1";
            assert_eq!(timed!(world.try_disk("a")).expect("an answer"), WriteAttempt::Accepted);
            let churn = "end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do head -c 8M /dev/zero >/data/churn; \
                         rm /data/churn; done 2>/dev/null";
            let (churned, filled) = tokio::join!(bench.shell("a", churn), async { timed!(world.fill("a")) });
            assert!(filled.expect("filled, although room was given back meanwhile") > 200 * MIB, "{churned:?}");
            assert!(timed!(world.fill("a")).expect("filled for good") > 200 * MIB);
            let full = WriteAttempt::Refused("No space left on device".into());
            assert_eq!(world.try_disk("a").await.expect("an answer"), full);
            assert!(bench.says("a", write).await.contains("No space left"), "the node sees it too");
            timed!(world.make_room("a")).expect("room");
            assert_eq!(world.try_disk("a").await.expect("an answer"), WriteAttempt::Accepted);
            assert_eq!(bench.shell("a", write).await.status, 0);

            world.snapshot("before").await.expect("a snapshot");
            timed!(world.fail_disk("b")).expect("it is gone");
            let failed = WriteAttempt::Refused("Input/output error".into());
            assert_eq!(world.try_disk("b").await.expect("an answer"), failed);
            assert!(bench.says("b", write).await.contains("Input/output error"));
            stop(bench, &["b"]).await;
            let gone = world.inspect("b").await.expect_err("there is nothing to look at");
            assert!(gone.happened.contains("has failed"), "{gone}");
            if world.start("b").await.is_ok() {
                assert_ne!(bench.shell("b", write).await.status, 0, "it does not come back by itself");
                stop(bench, &["b"]).await;
            }
            timed!(world.revert("b", &saved("before"))).expect("another disk in its place");
            world.start("b").await.expect("a start");
            assert_eq!(bench.shell("b", write).await.status, 0);
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remote_pool_gets_what_changed_and_gives_it_back() {
    with_disks("remote", SMALL, &["a"], |bench| {
        async move {
            let world = &bench.world;
            let remote = |name: &str| Saved { name: name.to_owned(), pool: Pool::Remote };
            bench.says("a", "echo one >/data/word; head -c 20000000 /dev/urandom >/data/bulk; sync -f /data").await;
            world.snapshot("first").await.expect("a snapshot");
            let whole = timed!(world.replicate("first", None)).expect("sent");
            bench.says("a", "echo two >/data/word; sync -f /data").await;
            world.snapshot("second").await.expect("a snapshot");
            let orphan = world.replicate("second", Some("third")).await.expect_err("there is no such base");
            assert!(orphan.happened.contains("nothing was saved as third"), "{orphan}");
            let changed = timed!(world.replicate("second", Some("first"))).expect("sent");
            assert!(whole > 20_000_000 && changed < 2_000_000, "{whole} and {changed}");
            let twice = world.replicate("second", Some("first")).await.expect_err("it is there");
            assert!(twice.happened.contains("already"), "{twice}");
            assert_eq!(bench.copy_says(&["a"], &remote("first"), "cat /data/word").await, ["one"]);
            assert_eq!(bench.copy_says(&["a"], &remote("second"), "cat /data/word").await, ["two"]);
            stop(bench, &["a"]).await;
            timed!(world.revert("a", &remote("first"))).expect("put back");
            world.start("a").await.expect("a start");
            assert_eq!(bench.says("a", "cat /data/word").await, "one");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_without_room_says_so_and_keeps_nothing_half_made() {
    let spec = ArraySpec { pool_bytes: 400 * MIB, disk_bytes: 320 * MIB, remote_bytes: Some(256 * MIB) };
    with_disks("room", spec, &["a"], |bench| {
        async move {
            let world = &bench.world;
            bench.says("a", "head -c 220000000 /dev/urandom >/data/bulk; sync -f /data").await;
            world.snapshot("first").await.expect("a snapshot takes no room");
            let remote = timed!(world.replicate("first", None)).expect_err("the remote pool is too small");
            assert_eq!(remote.kind, WorldErrorKind::PoolFull, "{remote}");
            stop(bench, &["a"]).await;
            let full = timed!(world.copy_disks("second")).expect_err("so is this one");
            assert_eq!(full.kind, WorldErrorKind::PoolFull, "{full}");
            for pool in [Pool::Local, Pool::Remote] {
                let half = Saved { name: if pool == Pool::Local { "second" } else { "first" }.into(), pool };
                let none = world.revert("a", &half).await.expect_err("it was not saved");
                assert!(none.happened.contains("nothing was saved"), "{none}");
            }
            let small = ArraySpec { disk_bytes: MIB, ..spec };
            let small = connect("small").await.create(&Resource::Array(small)).await.expect_err("too small for XFS");
            assert!(small.happened.contains("too small"), "{small}");
        }
        .boxed()
    })
    .await;
}

/// Whether numbers of one round of the witness follow each other without a gap.
fn are_of_one_moment(numbers: &[u64]) -> bool {
    let (least, most) = (numbers.iter().min().copied().unwrap_or(0), numbers.iter().max().copied().unwrap_or(0));
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    least > 0 && sorted.len() == numbers.len() && most - least == numbers.len() as u64 - 1
}

/// Takes so many snapshots of busy disks, and demands of each that it is of one moment.
async fn the_witness_tells_one_moment_from_several_in(snapshots: usize) {
    const NODES: [&str; 3] = ["a", "b", "c"];
    with_disks("witness", ArraySpec { pool_bytes: 4096 * MIB, ..SMALL }, &NODES, |bench| {
        async move {
            let world = &bench.world;
            let busy = "nohup sh -c 'for i in $(seq 2000); do dd if=/dev/urandom of=/data/f$((i % 9)) bs=64k count=4 \
                        conv=fsync; done' >/dev/null 2>&1 &";
            for node in NODES {
                bench.says(node, busy).await;
            }
            timed!(world.start_witness()).expect("a witness");
            for number in 0..snapshots {
                timed!(world.snapshot(&format!("s{number}"))).expect("a snapshot");
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
            timed!(world.stop_witness()).expect("its end");
            stop(bench, &NODES).await;
            let mut rounds = Vec::new();
            for number in 0..snapshots {
                let states = bench.look_at(&NODES, &saved(&format!("s{number}"))).await;
                assert!(states.iter().all(|state| state.is_sound), "{states:?}");
                let numbers: Vec<u64> = states.iter().filter_map(|state| state.witness).collect();
                assert!(numbers.len() == 3 && are_of_one_moment(&numbers), "{number}: {numbers:?}");
                rounds.push(numbers);
            }
            eprintln!("{rounds:?}");
            let apart = [rounds[0][0], rounds[snapshots / 2][1], rounds[snapshots - 1][2]];
            assert!(!are_of_one_moment(&apart), "{apart:?}: each from a moment of its own");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_witness_tells_one_moment_from_several() {
    the_witness_tells_one_moment_from_several_in(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exhaustive_the_witness_tells_one_moment_from_several() {
    the_witness_tells_one_moment_from_several_in(20).await;
}

/// Calls off work in the array at these moments, and demands that nothing is left each time.
async fn what_is_called_off_leaves_nothing(moments_ms: &[u64]) {
    for after_ms in moments_ms.iter().copied() {
        let world = connect("off").await;
        let disks = ["a", "b"].map(|node| Resource::Disk { node: node.into(), from: None });
        world.create(&Resource::Array(SMALL)).await.expect("an array");
        for disk in &disks {
            world.create(disk).await.expect("a disk");
        }
        let work = async {
            world.start_witness().await.expect("a witness");
            world.snapshot("first").await.expect("a snapshot");
            world.replicate("first", None).await.expect("sent");
            world.lose_unflushed(&["a".into()]).await.expect("no power");
            world.fill("b").await.expect("filled");
        };
        let is_done = tokio::time::timeout(Duration::from_millis(after_ms), work).await.is_ok();
        let mine = world.leftovers().await.expect("a list");
        assert_eq!(mine.iter().filter(|one| one.starts_with("device")).count(), 4, "{mine:?}");
        for resource in disks.iter().chain([&Resource::Array(SMALL)]) {
            timed!(world.remove(resource)).unwrap_or_else(|error| panic!("called off after {after_ms} ms: {error}"));
        }
        let left = world.leftovers().await.expect("a list");
        eprintln!("called off after {after_ms} ms (it was done: {is_done}): {left:?}");
        assert!(left.is_empty(), "called off after {after_ms} ms: {left:?}");
    }
}

/// What a command prints in the container of the array.
fn in_array(bench: &Bench, script: &str) -> String {
    let container = bench.world.array_container();
    let output =
        Command::new("docker").args(["exec", &container, "sh", "-c", script]).output().expect("a docker client");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Where a hostile link may lead from the disk of `a`: seen from the array, each is something that is not this disk.
const HOSTILE: [&str; 6] = ["/", "/dev", "/store", "/pools/local", "/pools/local/group", "/run"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_node_puts_on_its_disk_is_followed() {
    with_disks("links", SMALL, &["a", "b"], |bench| {
        async move {
            let world = &bench.world;
            let everything =
                "find / -xdev -newer /store -not -path '/tmp/*' -not -path '/run/*' -type f; ls -A /store /dev";
            let before = in_array(bench, everything);
            for target in HOSTILE {
                bench
                    .says("a", &format!("rm -rf /data/.blackstart; ln -s {target} /data/.blackstart; sync -f /data"))
                    .await;
                for (tried, refused) in [
                    ("try", world.try_disk("a").await.map(drop)),
                    ("fill", world.fill("a").await.map(drop)),
                    ("make room", world.make_room("a").await),
                    ("mark", world.lose_unflushed(&["b".into(), "a".into()]).await),
                    ("witness", world.start_witness().await),
                ] {
                    let error = refused.expect_err(&format!("{tried} through a link to {target}"));
                    assert!(error.happened.contains("not followed"), "{tried} to {target}: {error}");
                }
            }
            assert_eq!(in_array(bench, everything), before, "nothing was written beside the disks");
            assert_eq!(
                world.try_disk("b").await.expect("an answer"),
                WriteAttempt::Accepted,
                "the other disk has power"
            );

            world.snapshot("hostile").await.expect("a snapshot goes by no path on a disk");
            let state = &bench.look_at(&["a"], &saved("hostile")).await[0];
            assert!(state.is_sound && state.witness.is_none(), "{state:?}");
            stop(bench, &["a"]).await;
            world.revert("a", &saved("hostile")).await.expect("put back");
            assert!(world.marks("a").await.is_err_and(|error| error.happened.contains("not followed")));
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_in_our_folder_on_a_disk_is_made_anew_or_not_read() {
    with_disks("folder", SMALL, &["a"], |bench| {
        async move {
            let world = &bench.world;
            let hostile = "rm -rf /data/.blackstart; mkdir /data/.blackstart; cd /data/.blackstart; echo kept >/data/precious; \
                           ln /data/precious ballast; ln /data/precious trial; mkfifo witness crumbs; \
                           ln -s /dev/loop-control flushed; ln -s /etc/passwd unflushed; sync -f /data";
            bench.says("a", hostile).await;
            assert_eq!(timed!(world.try_disk("a")).expect("an answer"), WriteAttempt::Accepted);
            timed!(world.fill("a")).expect("filled");
            timed!(world.make_room("a")).expect("room");
            assert_eq!(bench.says("a", "cat /data/precious").await, "kept", "a second name of a file is not written to");
            bench.says("a", hostile).await;
            world.snapshot("hostile").await.expect("a snapshot");
            assert_eq!(bench.look_at(&["a"], &saved("hostile")).await[0].witness, None, "a pipe is no number");
            stop(bench, &["a"]).await;
            let marks = timed!(world.marks("a")).expect("an answer");
            assert_eq!(marks, Marks { flushed: false, unflushed: false }, "a link is no mark");
        }
        .boxed()
    })
    .await;
}

/// A node that swaps our folder for a link, and back, as fast as it can.
const SWAP: &str = "nohup sh -c 'for i in $(seq 200000); do rm -rf /data/.blackstart; ln -s /store /data/.blackstart; \
                    rm -f /data/.blackstart; mkdir /data/.blackstart; done' >/dev/null 2>&1 &";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_swapped_for_a_link_meanwhile_is_not_followed_either() {
    with_disks("swap", SMALL, &["a"], |bench| {
        async move {
            bench.says("a", SWAP).await;
            let before = in_array(bench, "ls -A /store");
            for _ in 0..20 {
                let _ = bench.world.try_disk("a").await;
            }
            let _ = bench.world.lose_unflushed(&["a".into()]).await;
            assert_eq!(in_array(bench, "ls -A /store"), before);
            assert!(in_array(bench, "touch /store/x && rm /store/x && echo alive").contains("alive"));
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_array_sees_no_devices_or_control_groups_of_its_machine() {
    with_disks("sights", SMALL, &["a"], |bench| {
        async move {
            let devices = in_array(bench, "find /dev -type b -o -type c | sort | tr '\n' ' '");
            let usual = ["full", "null", "random", "tty", "urandom", "zero", "ptmx", "console"];
            let is_known = |path: &&str| {
                let name = path.trim_start_matches("/dev/");
                name.starts_with("loop") || name.starts_with("pts/") || usual.contains(&name)
            };
            assert!(devices.split_whitespace().all(|path| is_known(&path)), "{devices}");
            assert_eq!(in_array(bench, "ls -A /sys/fs/cgroup"), "");
            bench.world.fail_disk("a").await.expect("it is gone");
            let mounted = in_array(bench, "grep ' /run/failed/group.a ' /proc/self/mountinfo");
            for guard in ["nosymfollow", "nodev", "nosuid", "noexec"] {
                assert!(mounted.contains(guard), "{guard}: {mounted}");
            }
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_called_off_half_way_leaves_nothing() {
    what_is_called_off_leaves_nothing(&[40, 400]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exhaustive_what_was_called_off_half_way_leaves_nothing() {
    what_is_called_off_leaves_nothing(&[5, 40, 150, 400, 900]).await;
}
