//! What it costs to hash the rows of a database, beside what `pg_dump` takes for the same data in the same run.
//!
//! `cargo bench --bench hashing -- [ROWS]`, on a Docker engine. It makes a server of the PostgreSQL image with a table of a
//! million rows, does both several times in turn, and prints the medians. Neither writes anything to a disk. Nothing here
//! fails because of a time: a shared machine proves no limit. That one changed row changes the hash is demanded.

#[path = "../tests/docker_bench/mod.rs"]
mod docker_bench;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use blackstart::{
    scenario::system::Database,
    verify::content_hash::{Content, Table, contents, tables},
    world::{Commands, ImageSource, ImageSpec, NodeSpec, Questions, SqlTarget, docker::DockerWorld},
};
use docker_bench::{Bench, node, with_images};
use futures_util::FutureExt;

const ROUNDS: usize = 5;

const WITHIN: Duration = Duration::from_secs(300);

fn image() -> ImageSpec {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/images/postgres");
    let reach = blackstart::files::Reach::below(&folder).expect("a folder of this repository");
    ImageSpec { name: "postgres".into(), source: ImageSource::Build { reach, folder, programs: Vec::new() } }
}

fn database() -> NodeSpec {
    NodeSpec {
        image: "postgres".into(),
        command: Vec::new(),
        environment: BTreeMap::from([("PG_NODE_NAME".into(), "db".into())]),
        data: Some("/var/lib/postgresql/data".into()),
        files: Vec::new(),
        password_file: Some("/run/secrets/password".into()),
        ..node("db", 11, &["db"])
    }
}

fn target() -> SqlTarget {
    let access = Database {
        nodes: vec!["db".into()],
        port: 5432,
        user: "observer".into(),
        is_writer: None,
        is_replica: None,
        moment: None,
    };
    SqlTarget { node: "db".into(), database: "orders".into(), access }
}

fn main() {
    let rows: u64 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(with_images("hashing", &[image()], vec![database()], &[("db", 5432)], move |bench| {
        compare(bench, rows).boxed()
    }));
}

async fn compare(bench: &Bench, rows: u64) {
    fill(bench, rows).await;
    let all = tables(&bench.world, &target(), WITHIN).await.unwrap_or_else(|error| panic!("{error}"));
    let before = hash(&bench.world, &all).await;
    let (mut hashing, mut dumping) = (Vec::new(), Vec::new());
    for _round in 0..ROUNDS {
        hashing.push(timed(hash(&bench.world, &all)).await);
        dumping.push(timed(shell(bench, "pg_dump -h /run/postgresql -d orders >/dev/null")).await);
    }
    psql(bench, "update orders set amount_cents = amount_cents + 1 where token = 'load-0000777'").await;
    assert_ne!(hash(&bench.world, &all).await, before, "one row of {rows} is another one, and the hash is the same");
    let (hashing, dumping) = (median(hashing), median(dumping));
    println!("{rows} rows, medians of {ROUNDS} rounds in turn, in the same run");
    println!(
        "  {:<34} {hashing:>6.2} s  {:>5.2} million rows a second",
        "hashed by the server",
        rows as f64 / hashing / 1e6
    );
    println!("  {:<34} {dumping:>6.2} s", "pg_dump to /dev/null");
    println!("  {:<34} {:>6.1} times as fast", "hashing is", dumping / hashing);
}

/// Orders, as the system under drill has them.
async fn fill(bench: &Bench, rows: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while bench.world.query(&target(), "select 1", Duration::from_secs(1)).await.is_err() {
        assert!(Instant::now() < deadline, "the server did not come up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let table = "create table orders (token text primary key, customer text not null, amount_cents bigint not null, \
                 status text not null, updated_at timestamptz not null)";
    psql(bench, table).await;
    let fill = "insert into orders select 'load-' || lpad(n::text, 7, '0'), 'customer-' || n % 1000, n % 9000, \
                'confirmed', timestamptz '2026-01-01' + n * interval '1 second' from generate_series(1, ROWS) n";
    psql(bench, &fill.replace("ROWS", &rows.to_string())).await;
    psql(bench, "vacuum analyze orders").await;
}

async fn hash(world: &DockerWorld, tables: &[Table]) -> BTreeMap<String, Content> {
    contents(world, &target(), tables, WITHIN).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn psql(bench: &Bench, statement: &str) {
    shell(bench, &format!("psql -XqAt -v ON_ERROR_STOP=1 -h /run/postgresql -d orders -c \"{statement}\"")).await;
}

/// A command of the database's own user, which must succeed.
async fn shell(bench: &Bench, script: &str) {
    let command =
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "sh", "-c", script].map(str::to_owned);
    let done = bench.world.run("db", &command, WITHIN).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(done.status, 0, "{script}: {}", done.output);
}

async fn timed<T>(work: impl Future<Output = T>) -> f64 {
    let began = Instant::now();
    work.await;
    began.elapsed().as_secs_f64()
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
