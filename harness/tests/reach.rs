//! What a declaration from a stranger cannot make `blackstart` read: no content of a file outside of its repository gets
//! into what was declared, nor into a refusal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use blackstart::scenario::{Refusals, read, read_allowing};

const SCENARIO: &str = include_str!("refused/zone-outage.yaml");
const SYSTEM: &str = include_str!("refused/shop.yaml");
/// What stands in a file of the host that is nobody's business.
const SECRET: &str = "root:hunter2";

/// A repository with a scenario and its system, and a host beside it.
fn ground(name: &str, change: (&str, &str)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reach").join(name);
    let _ = fs::remove_dir_all(&folder);
    for inside in ["repository/.git", "repository/image", "host"] {
        fs::create_dir_all(folder.join(inside)).unwrap();
    }
    let (from, to) = (change.0, change.1.replace("HOST", &folder.join("host").display().to_string()));
    assert_eq!(SCENARIO.matches(from).count() + SYSTEM.matches(from).count(), 1, "`{from}` must stand exactly once");
    fs::write(folder.join("repository/image/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(folder.join("repository/zone-outage.yaml"), SCENARIO.replace(from, &to)).unwrap();
    fs::write(folder.join("repository/shop.yaml"), SYSTEM.replace(from, &to)).unwrap();
    fs::write(folder.join("host/shadow"), format!("{SECRET}\n")).unwrap();
    folder
}

#[track_caller]
fn refused(folder: &Path, key: &str, says: &str) {
    let Err(Refusals(all)) = read(&folder.join("repository/zone-outage.yaml")) else { panic!("nothing is refused") };
    let words = |it: &blackstart::scenario::Refusal| format!("{}; {}", it.problem, it.mend);
    assert!(all.iter().any(|it| it.key == key && words(it).contains(says)), "{}", Refusals(all));
    let told = Refusals(all);
    let shown = told.render(blackstart::scenario::refusal::Look::Plain) + &told.to_string();
    assert!(!shown.contains(SECRET), "{shown}");
}

/// The query of the first check, and its key.
const QUERY: &str = "query: select 1}, expect";
const KEY: &str = "checks[0].question.sql.query";

#[test]
fn a_query_is_no_file_of_the_host() {
    let outside = "lies outside of";
    for (name, query) in
        [("query", "query: \"@HOST/shadow\"}, expect"), ("query-dots", "query: \"@../host/shadow\"}, expect")]
    {
        let folder = ground(name, (QUERY, query));
        refused(&folder, KEY, outside);
    }
    let folder = ground("query-link", (QUERY, "query: \"@linked.sql\"}, expect"));
    symlink(folder.join("host/shadow"), folder.join("repository/linked.sql")).unwrap();
    refused(&folder, KEY, outside);
    let mend = format!("--allow {}", folder.join("repository").display());
    refused(&folder, KEY, &mend);
}

#[test]
fn a_query_that_never_ends_is_refused() {
    let folder = ground("query-zero", (QUERY, "query: \"@/dev/zero\"}, expect"));
    refused(&folder, KEY, "lies outside of");
    let folder = ground("query-pipe", (QUERY, "query: \"@pipe\"}, expect"));
    let pipe = folder.join("repository/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    refused(&folder, KEY, "not a regular file");
}

#[test]
fn a_system_is_no_file_of_the_host_and_its_text_is_not_shown() {
    let folder = ground("system", ("system: shop.yaml", "system: HOST/shadow"));
    refused(&folder, "system", "lies outside of");
    let folder = ground("system-link", ("system: shop.yaml", "system: linked.yaml"));
    symlink(folder.join("host/shadow"), folder.join("repository/linked.yaml")).unwrap();
    refused(&folder, "system", "lies outside of");
}

#[test]
fn a_scenario_that_is_a_link_out_of_its_repository_is_not_shown() {
    let folder = ground("scenario-link", ("system: shop.yaml", "system: shop.yaml # unchanged"));
    let link = folder.join("repository/zone-outage.yaml");
    fs::remove_file(&link).unwrap();
    symlink(folder.join("host/shadow"), &link).unwrap();
    refused(&folder, "", "lies outside of");
}

#[test]
fn an_image_is_built_from_no_folder_of_the_host() {
    let folder = ground("build", ("{build: image}", "{build: HOST}"));
    fs::write(folder.join("host/Dockerfile"), "FROM scratch\n").unwrap();
    refused(&folder, "images.postgres.build", "lies outside of");
}

#[test]
fn a_program_lies_beside_our_own() {
    let folder = ground("program", ("{build: image}", "{build: image, programs: [../../../bin/sh]}"));
    refused(&folder, "images.postgres.programs[0]", "is not a name of a program");
}

#[test]
fn a_file_for_a_node_is_none_of_the_host() {
    let folder = ground("files", ("from: image/Dockerfile", "from: HOST/shadow"));
    refused(&folder, "nodes[0].files[0].from", "lies outside of");
}

#[test]
fn what_is_allowed_is_read() {
    let folder = ground("allowed", (QUERY, "query: \"@HOST/shadow\"}, expect"));
    let scenario = folder.join("repository/zone-outage.yaml");
    let declared = read_allowing(&scenario, &[folder.join("host")]).unwrap_or_else(|refusals| panic!("{refusals}"));
    let queries = serde_json::to_string(&declared.system).unwrap();
    assert!(queries.contains(SECRET));
    let check = Command::new(env!("CARGO_BIN_EXE_blackstart")).arg("check").arg(&scenario).output().unwrap();
    assert_eq!(check.status.code(), Some(2));
    let allow = ["--allow".into(), folder.join("host").into_os_string()];
    let check =
        Command::new(env!("CARGO_BIN_EXE_blackstart")).arg("check").arg(&scenario).args(allow).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn two_files_side_by_side_need_no_repository() {
    let folder = std::env::temp_dir().join(format!("blackstart-loose-{}", std::process::id()));
    for inside in ["drills/image", "systems"] {
        fs::create_dir_all(folder.join(inside)).unwrap();
    }
    fs::write(folder.join("drills/image/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(folder.join("drills/zone-outage.yaml"), SCENARIO).unwrap();
    fs::write(folder.join("drills/shop.yaml"), SYSTEM).unwrap();
    let beside = read(&folder.join("drills/zone-outage.yaml")).map(drop);
    fs::write(
        folder.join("drills/zone-outage.yaml"),
        SCENARIO.replace("system: shop.yaml", "system: ../systems/shop.yaml"),
    )
    .unwrap();
    fs::write(
        folder.join("systems/shop.yaml"),
        SYSTEM.replace("build: image", "build: ../drills/image").replace("from: image", "from: ../drills/image"),
    )
    .unwrap();
    let check = |at: &Path, file: &str| {
        let check =
            Command::new(env!("CARGO_BIN_EXE_blackstart")).current_dir(at).args(["check", file]).output().unwrap();
        (check.status.code(), String::from_utf8_lossy(&check.stderr).into_owned())
    };
    let from_above = check(&folder, "drills/zone-outage.yaml");
    let from_within = check(&folder.join("drills"), "zone-outage.yaml");
    fs::remove_dir_all(&folder).unwrap();
    assert!(beside.is_ok(), "{beside:?}");
    assert_eq!(from_above.0, Some(0), "{}", from_above.1);
    assert_eq!(from_within.0, Some(2));
    assert!(from_within.1.contains("lies outside of") && from_within.1.contains("--allow"), "{}", from_within.1);
}
