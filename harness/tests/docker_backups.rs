//! Backups and restores of the PostgreSQL image on a real engine: what cannot be restored is refused before anything is
//! taken away, every damage to a backup is found by its restore, and a restore that fails leaves the node as it was.

mod docker_bench;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use blackstart::world::{CommandOutput, Commands, ImageSource, ImageSpec, NodeSpec};
use docker_bench::{Bench, node, with_images};
use futures_util::FutureExt;
use serde_json::Value;

const REPOSITORY: &str = "/var/lib/postgresql/data/repository";

fn image() -> ImageSpec {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/images/postgres");
    let reach = blackstart::files::Reach::below(&folder).expect("a folder of this repository");
    ImageSpec { name: "postgres".into(), source: ImageSource::Build { reach, folder, programs: Vec::new() } }
}

fn postgres(name: &str, host: u8, environment: &[(&str, &str)]) -> NodeSpec {
    let own = [("PG_NODE_NAME", name), ("PG_NODE_ARCHIVE_TIMEOUT", "60")];
    let environment = own.iter().chain(environment).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    NodeSpec {
        image: "postgres".into(),
        command: Vec::new(),
        environment: environment.collect::<BTreeMap<_, _>>(),
        data: Some("/var/lib/postgresql/data".into()),
        files: Vec::new(),
        password_file: Some("/run/secrets/password".into()),
        ..node(name, host, &["db", "repository"])
    }
}

/// A database and the backup repository of its backups.
fn database_and_repository() -> Vec<NodeSpec> {
    vec![
        postgres("db", 11, &[("PG_NODE_ROLE", "primary"), ("PG_NODE_REPOSITORY", "repository")]),
        postgres("repository", 12, &[("PG_NODE_ROLE", "backup-repository"), ("PG_NODE_DATABASES", "db")]),
    ]
}

/// A database with a backup repository, on which a test acts.
struct Cell<'a>(&'a Bench);

impl Cell<'_> {
    async fn pg_node(&self, on: &str, arguments: &[&str]) -> CommandOutput {
        let command: Vec<String> = ["pg-node"].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        self.0.world.run(on, &command, Duration::from_secs(150)).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A command that must succeed, and what it tells.
    async fn done(&self, on: &str, arguments: &[&str]) -> Value {
        let done = self.pg_node(on, arguments).await;
        assert_eq!(done.status, 0, "{arguments:?}: {}", done.output);
        serde_json::from_str(done.output.trim()).unwrap_or_else(|error| panic!("{error}: {}", done.output))
    }

    /// A restore that must fail, and why it does.
    async fn refused(&self, backup: &str, point: &str) -> String {
        let done = self.pg_node("db", &["restore", backup, point]).await;
        assert_eq!(done.status, 1, "{backup} to {point}: {}", done.output);
        let told: Value = serde_json::from_str(done.output.trim()).expect("one line of JSON");
        told["error"].as_str().unwrap_or_default().to_owned()
    }

    async fn sql(&self, statement: &str) -> String {
        let psql =
            format!("setpriv --reuid=postgres psql -XqAt -h /run/postgresql -d postgres -c \"{statement}\" 2>&1");
        self.0.says("db", &psql).await
    }

    /// What the database holds, once it answers.
    async fn holds(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.sql("select string_agg(what, ' ') from kept").await;
            if !answer.contains("psql: error") || Instant::now() > deadline {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the database, and lets it hold something that a backup does.
    async fn ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.sql("select not pg_is_in_recovery()").await != "t" {
            assert!(Instant::now() < deadline, "the database did not come up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.sql("create table kept (what text)").await;
        self.sql("insert into kept values ('early')").await;
        self.done("repository", &["stanza"]).await;
    }

    async fn back_up(&self) -> String {
        let taken = self.done("repository", &["backup", "full"]).await;
        taken["label"].as_str().expect("a label").to_owned()
    }

    async fn on_repository(&self, script: &str) {
        let done = self.0.shell("repository", &format!("set -e; cd {REPOSITORY}; {script}")).await;
        assert_eq!(done.status, 0, "{script}: {}", done.output);
    }
}

/// Runs a test on a database that holds `early late`, of which the only backup holds `early`.
async fn with_backup<F>(test: &str, body: F)
where
    F: for<'a> FnOnce(Cell<'a>, String) -> futures_util::future::BoxFuture<'a, ()> + Send + 'static,
{
    with_images(test, &[image()], database_and_repository(), &[], |bench| {
        async move {
            let cell = Cell(bench);
            cell.ready().await;
            let label = cell.back_up().await;
            cell.sql("insert into kept values ('late')").await;
            body(cell, label).await;
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_restored_is_refused_and_nothing_is_taken_away() {
    with_backup("refused-restores", |cell, label| {
        async move {
            for (backup, point, why) in [
                ("20200101-000000F", "end", "repository holds no backup 20200101-000000F; it holds "),
                ("newest", "position:0/28", "position:0/28 lies before the end of backup "),
                (&label, "time:2020-01-01 00:00:00+00", "choose a later point, or an older backup"),
                ("newest", "position:FF/0", "position:FF/0 lies after the end of the log "),
                ("newest", "time:2100-01-01 00:00:00+00", "time:2100-01-01 00:00:00+00 lies in the future"),
                ("newest", "time:noon", "no such time: noon"),
                ("newest", "position:here", "here is no position"),
                ("newest", "yesterday", "no such point: yesterday"),
            ] {
                let said = cell.refused(backup, point).await;
                assert!(said.contains(why), "{backup} to {point}: {said}");
            }
            // Nobody can tell before the log is replayed whether it holds a point of that name.
            let said = cell.refused("newest", "name:nowhere").await;
            assert!(said.contains("recovery ended before configured recovery target was reached"), "{said}");
            assert!(said.ends_with("db is as it was before"), "{said}");
            assert_eq!(cell.holds().await, "early late");

            cell.on_repository("mkdir aside; mv backup archive aside").await;
            let said = cell.refused("newest", "end").await;
            assert!(said.contains("repository holds no backup") && said.contains("take one first"), "{said}");
            cell.on_repository("mv aside/* .; rmdir aside; chmod 000 backup/main").await;
            let said = cell.refused("newest", "end").await;
            assert!(said.contains("cannot be read") && said.contains("Permission denied"), "{said}");
            let settings = "/run/pg-node/pgbackrest.conf";
            let other = format!(
                "chmod 750 backup/main; cp -p {settings} kept; sed -i 's/^repo1-cipher-pass=.*/&0/' {settings}"
            );
            cell.on_repository(&other).await;
            let said = cell.refused("newest", "end").await;
            assert!(said.contains("its key is the one it was made with"), "{said}");
            cell.on_repository(&format!("cat kept >{settings}; rm kept")).await;
            assert_eq!(cell.holds().await, "early late", "nothing of this has touched the database");

            cell.done("db", &["restore", "newest", "backup"]).await;
            assert_eq!(cell.holds().await, "early", "and then it is restored");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_of_another_cluster_never_take_the_place_of_this_one() {
    with_backup("foreign-backups", |cell, _| {
        async move {
            let become_another = "data=/var/lib/postgresql/data; touch /run/pg-node/hold; pid=$(head -n 1 $data/postmaster.pid); \
                 kill -INT $pid; while [ -e $data/postmaster.pid ]; do sleep 0.02; done; \
                 perl -e 'print pack q(Q<), 7000000000000000000' | dd of=$data/global/pg_control conv=notrunc status=none; \
                 setpriv --reuid=postgres pg_resetwal --force $data; rm /run/pg-node/hold";
            let done = cell.0.shell("db", become_another).await;
            assert_eq!(done.status, 0, "{}", done.output);
            assert_eq!(cell.holds().await, "early late");
            let said = cell.refused("newest", "end").await;
            assert!(said.contains("is of another cluster") && said.contains("7000000000000000000"), "{said}");
            assert!(said.contains("name the backup repository of this cluster"), "{said}");
            assert_eq!(cell.holds().await, "early late");
        }
        .boxed()
    })
    .await;
}

/// Damages the only backup in each of these ways, of which its restore must say why, and which must leave the database alone.
async fn restores_must_say(test: &str, damage: &'static [(&'static str, &'static str)]) {
    with_backup(test, move |cell, label| {
        async move {
            cell.on_repository("cp -a . /tmp/whole").await;
            // Of two processes either might be the first to stumble, each over a file of its own.
            let alone = cell.0.shell("db", "sed -i s/process-max=2/process-max=1/ /run/pg-node/pgbackrest.conf").await;
            assert_eq!(alone.status, 0, "{}", alone.output);
            for (by, why) in damage {
                let proof = cell.done("repository", &["corrupt", &label, by]).await;
                assert_ne!(proof["before"], proof["after"], "{by}: {proof}");
                let said = cell.refused(&label, "backup").await;
                assert!(said.contains(why) && said.ends_with("db is as it was before"), "{by}: {said}");
                assert_eq!(cell.holds().await, "early late", "{by}");
                cell.on_repository("find . -mindepth 1 -delete; cp -a /tmp/whole/. .").await;
            }
            cell.done("db", &["restore", &label, "backup"]).await;
            assert_eq!(cell.holds().await, "early", "the same backup, whole");
            let left = cell.0.says("db", "ls -d /var/lib/postgresql/data/pg-node.*").await;
            assert!(left.contains("No such file"), "{left}");
        }
        .boxed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_the_files_of_a_backup_is_found_by_its_restore_which_leaves_the_node_as_it_was() {
    let damage = &[
        ("bit-flip", "lz4 error"),
        ("truncated", "CryptoError"),
        ("missing-file", "unable to open missing file"),
        ("wrong-key", "unable to load backup manifest"),
    ];
    restores_must_say("corrupted-backups", damage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_the_log_of_a_backup_is_found_by_its_restore_which_leaves_the_node_as_it_was() {
    let damage = &[
        ("missing-log", "could not locate required checkpoint record"),
        ("foreign-log", "WAL file is from different database system"),
        ("wrong-timeline", "unexpected timeline ID 2"),
    ];
    restores_must_say("corrupted-logs", damage).await;
}
