//! How the Docker world asks databases, on a real PostgreSQL: what it reads, what it refuses to change, and that a
//! connection which was kept never hides a server that is gone.

mod docker_bench;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use blackstart::{
    scenario::system::Database,
    world::{
        ImageSource, ImageSpec, NodeSpec, Power, Questions, SqlTarget, WorldErrorKind, WriteAttempt,
        docker::DockerWorld,
    },
};
use docker_bench::{node, with_images};
use futures_util::FutureExt;

const WITHIN: Duration = Duration::from_secs(5);

fn postgres() -> ImageSpec {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/docker_bench/postgres");
    let reach = blackstart::files::Reach::below(&folder).expect("a folder of this repository");
    ImageSpec { name: "trial-postgres".into(), source: ImageSource::Build { reach, folder, programs: Vec::new() } }
}

fn database_node() -> NodeSpec {
    NodeSpec { image: "trial-postgres".into(), command: Vec::new(), ..node("db", 11, &["db"]) }
}

fn target() -> SqlTarget {
    let access = Database {
        nodes: vec!["db".into()],
        port: 5432,
        user: "reader".into(),
        is_writer: None,
        is_replica: None,
        moment: None,
    };
    SqlTarget { node: "db".into(), database: "app".into(), access }
}

async fn await_server(world: &DockerWorld) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = world.query(&target(), "SELECT 1", Duration::from_millis(500)).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_read_everything_and_change_nothing() {
    with_images("sql", &[postgres()], vec![database_node()], &[("db", 5432)], |bench| {
        async move {
            let world = &bench.world;
            await_server(world).await;
            let rows = world.query(&target(), "SELECT 1.50::numeric, NULL, true, now() > 'epoch'", WITHIN).await;
            let text = |word: &str| Some(word.to_owned());
            assert_eq!(rows.expect("rows"), [[text("1.50"), None, text("t"), text("t")]]);
            let tokens = world.query(&target(), "SELECT token FROM orders", WITHIN).await.expect("tokens");
            assert_eq!(tokens.len(), 200_000);

            let asked_to_write = world.query(&target(), "CREATE TABLE x (y int)", WITHIN).await.expect_err("read-only");
            assert!(asked_to_write.to_string().contains("25006"), "{asked_to_write}");
            assert_eq!(asked_to_write.kind, WorldErrorKind::Answered);
            let endless = "SELECT repeat('x', 1000000) FROM generate_series(1, 100000000)";
            let long = Duration::from_secs(60);
            let error = world.query(&target(), endless, long).await.map(drop).expect_err("it is cut off");
            assert!(error.kind == WorldErrorKind::Answered && error.happened.contains("more than 256 MiB"), "{error}");
            let slow = world.query(&target(), "SELECT pg_sleep(9)", Duration::from_millis(300)).await;
            assert_eq!(slow.expect_err("a deadline").kind, WorldErrorKind::TimedOut);

            let insert = "INSERT INTO orders VALUES ('attempt', 1)";
            let attempt = |user: &'static str, statement: &'static str| {
                let target = target();
                async move { world.attempt_write(&target, user, statement, WITHIN).await }
            };
            assert_eq!(attempt("writer", insert).await.expect("an answer"), WriteAttempt::Accepted);
            let there = world.query(&target(), "SELECT count(*) FROM orders WHERE token = 'attempt'", WITHIN).await;
            assert_eq!(there.expect("a count"), [[text("0")]], "an attempt is rolled back");
            for user in ["reader", "shut"] {
                let refused = attempt(user, insert).await.expect("an answer");
                assert!(matches!(refused, WriteAttempt::Refused(_)), "{user}: {refused:?}");
            }
            attempt("other", insert).await.expect_err("a wrong password proves nothing");
            attempt("writer", "INSERT INTO nothing VALUES (1)").await.expect_err("nor does a wrong statement");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_hides_no_dead_server() {
    with_images("sql-kept", &[postgres()], vec![database_node()], &[("db", 5432)], |bench| {
        async move {
            let world = &bench.world;
            await_server(world).await;
            let ask = |query: &'static str| async move { world.query(&target(), query, Duration::from_secs(1)).await };
            let first = ask("SELECT pg_backend_pid()").await.expect("a pid");
            assert_eq!(ask("SELECT pg_backend_pid()").await.expect("a pid"), first, "it is kept");
            world.kill("db").await.expect("killed");
            world.await_down("db").await.expect("down");
            ask("SELECT 1").await.expect_err("nobody is there");
            world.start("db").await.expect("started");
            await_server(world).await;
            world.pause("db").await.expect("paused");
            assert_eq!(ask("SELECT 1").await.expect_err("it is paused").kind, WorldErrorKind::TimedOut);
            world.unpause("db").await.expect("unpaused");
            ask("SELECT 1").await.expect("it answers again, on a new connection");
            let reset = "setpriv --reuid=postgres /usr/lib/postgresql/17/bin/psql -h /tmp -Atc \"select \
                         pg_terminate_backend(pid) from pg_stat_activity where application_name = 'blackstart'\"";
            assert!(bench.shell("db", reset).await.output.contains('t'));
            ask("SELECT 1").await.expect("a kept one that was ended is replaced once");
        }
        .boxed()
    })
    .await;
}
