//! What a declaration may reach, and what it may not, whatever links, pipes and devices lie on the way.

#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::{Content, Limit, QUERY, Reach, is_file_name, read};

/// A folder of its own, removed at the end: a repository, and beside it what it may not reach.
struct Ground(PathBuf);

impl Ground {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("blackstart-reach-{:08x}", rand::random::<u32>()));
        for inside in ["repository/.git", "repository/scenarios/deep", "repository/systems", "secrets"] {
            fs::create_dir_all(folder.join(inside)).unwrap();
        }
        fs::write(folder.join("secrets/key"), "secret").unwrap();
        fs::write(folder.join("repository/systems/query.sql"), "select 1").unwrap();
        fs::write(folder.join("repository/scenarios/drill.yaml"), "scenario: drill").unwrap();
        Self(folder)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn reach(&self) -> Reach {
        Reach::of(&self.at("repository/scenarios/drill.yaml"), &[]).unwrap()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pipe(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

#[track_caller]
fn refused(reach: &Reach, path: &Path) -> String {
    reach.read(path, QUERY).expect_err("it may not be reached").to_string()
}

#[test]
fn files_of_the_repository_are_reached_from_any_folder_of_it() {
    let ground = Ground::new();
    let folder = ground.at("repository/scenarios");
    assert_eq!(ground.reach().read(&folder.join("../systems/query.sql"), QUERY).unwrap(), b"select 1");
    symlink(ground.at("repository/systems/query.sql"), folder.join("linked.sql")).unwrap();
    assert_eq!(ground.reach().read(&folder.join("linked.sql"), QUERY).unwrap(), b"select 1");
}

#[test]
fn what_lies_outside_is_not_reached_by_dots_by_its_full_path_or_by_a_link() {
    let ground = Ground::new();
    let folder = ground.at("repository/scenarios");
    symlink(ground.at("secrets/key"), folder.join("key")).unwrap();
    symlink(ground.at("secrets"), folder.join("by-folder")).unwrap();
    symlink("/", folder.join("top")).unwrap();
    let top = folder.join("top").join(ground.at("secrets/key").strip_prefix("/").unwrap());
    let elsewhere = [
        folder.join("../../secrets/key"),
        ground.at("secrets/key"),
        folder.join("key"),
        folder.join("by-folder/key"),
        top,
        "/etc/shadow".into(),
        "/dev/zero".into(),
        "/proc/self/environ".into(),
    ];
    for path in elsewhere {
        let refusal = refused(&ground.reach(), &path);
        assert!(refusal.starts_with("it lies outside of"), "{}: {refusal}", path.display());
        assert!(!refusal.contains("secret\n") && refusal.contains("repository"), "{refusal}");
    }
}

#[test]
fn whether_something_lies_outside_is_not_told_either() {
    let ground = Ground::new();
    let (there, missing) = (ground.at("secrets/key"), ground.at("secrets/none"));
    assert_eq!(refused(&ground.reach(), &there), refused(&ground.reach(), &missing));
    assert!(refused(&ground.reach(), &ground.at("repository/none")).contains("No such file"));
}

#[test]
fn a_folder_is_reached_once_it_is_allowed() {
    let ground = Ground::new();
    let file = ground.at("repository/scenarios/drill.yaml");
    let reach = Reach::of(&file, &[ground.at("secrets")]).unwrap();
    assert_eq!(reach.read(&ground.at("secrets/key"), QUERY).unwrap(), b"secret");
    let missing = Reach::of(&file, &[ground.at("nowhere")]).unwrap_err().to_string();
    assert!(missing.contains("the allowed folder"), "{missing}");
}

#[test]
fn a_link_within_a_repository_chooses_no_other_root() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("secrets/.git")).unwrap();
    symlink(ground.at("secrets"), ground.at("repository/linked")).unwrap();
    let reach = Reach::of(&ground.at("repository/linked/drill.yaml"), &[]).unwrap();
    assert!(refused(&reach, &ground.at("repository/linked/key")).starts_with("it lies outside of"));
}

#[test]
fn a_repository_within_a_repository_is_a_root_of_its_own() {
    let ground = Ground::new();
    fs::write(ground.at("repository/scenarios/.git"), "gitdir: elsewhere").unwrap();
    assert!(refused(&ground.reach(), &ground.at("repository/systems/query.sql")).starts_with("it lies outside of"));
}

#[test]
fn a_repository_may_be_named_by_a_link_and_by_detours() {
    let ground = Ground::new();
    symlink(ground.at("repository"), ground.at("by-link")).unwrap();
    for named in ["by-link/scenarios/drill.yaml", "secrets/../repository/scenarios/deep/../drill.yaml"] {
        let reach = Reach::of(&ground.at(named), &[]).unwrap();
        assert!(reach.read(&ground.at("repository/systems/query.sql"), QUERY).is_ok(), "{named}");
        assert!(refused(&reach, &ground.at("secrets/key")).starts_with("it lies outside of"), "{named}");
    }
}

#[test]
fn outside_of_any_repository_the_own_folder_is_reached() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("loose/below")).unwrap();
    for file in ["loose/drill.yaml", "loose/shop.yaml", "loose/below/query.sql"] {
        fs::write(ground.at(file), "x").unwrap();
    }
    let reach = Reach::of(&ground.at("loose/drill.yaml"), &[]).unwrap();
    assert!(reach.read(&ground.at("loose/shop.yaml"), QUERY).is_ok());
    assert!(reach.read(&ground.at("loose/below/query.sql"), QUERY).is_ok());
    assert!(refused(&reach, &ground.at("secrets/key")).starts_with("it lies outside of"));
    fs::write(ground.at("secrets/.gitignore"), "").unwrap();
    fs::create_dir_all(ground.at("secrets/drills")).unwrap();
    let unpacked = Reach::of(&ground.at("secrets/drills/drill.yaml"), &[]).unwrap();
    assert!(unpacked.read(&ground.at("secrets/key"), QUERY).is_ok(), "an archive of a repository");
}

#[test]
fn only_regular_files_are_read_and_a_pipe_keeps_nobody_waiting() {
    let ground = Ground::new();
    let folder = ground.at("repository/scenarios");
    pipe(&folder.join("pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
    for name in ["pipe", "socket"] {
        assert_eq!(refused(&ground.reach(), &folder.join(name)), "it is not a regular file");
        assert_eq!(read(&folder.join(name), QUERY).unwrap_err().to_string(), "it is not a regular file");
    }
    assert_eq!(refused(&ground.reach(), &folder.join("deep")), "it is a folder");
    assert_eq!(read(Path::new("/dev/zero"), QUERY).unwrap_err().to_string(), "it is not a regular file");
}

#[test]
fn a_file_beyond_its_limit_is_refused_with_the_limit() {
    let ground = Ground::new();
    let file = ground.at("repository/large");
    fs::File::create(&file).unwrap().set_len(QUERY.most_bytes + 1).unwrap();
    let limit = format!("it is too large; a query has at most {} bytes", QUERY.most_bytes);
    assert_eq!(refused(&ground.reach(), &file), limit);
    assert_eq!(read(&file, QUERY).unwrap_err().to_string(), limit);
    fs::File::create(&file).unwrap().set_len(QUERY.most_bytes).unwrap();
    assert!(read(&file, QUERY).is_ok());
}

#[test]
fn a_line_beyond_its_limit_is_refused_by_its_number() {
    let ground = Ground::new();
    let file = ground.at("repository/lines");
    fs::write(&file, format!("one\n\n{}\n", "x".repeat(2 * 1024 * 1024))).unwrap();
    let limit = Limit { what: "a journal", most_bytes: 1 << 30 };
    let mut lines = super::lines(&file, limit).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), b"one");
    assert_eq!(lines.next().unwrap().unwrap(), b"");
    assert!(lines.next().unwrap().unwrap_err().to_string().starts_with("line 3 is too long"));
}

#[test]
fn links_of_a_folder_stay_links_and_a_pipe_in_it_is_refused() {
    let ground = Ground::new();
    let folder = ground.at("repository/scenarios");
    symlink("/etc/shadow", folder.join("shadow")).unwrap();
    symlink(ground.at("secrets"), folder.join("deep/out")).unwrap();
    let items = ground.reach().read_folder(&folder).unwrap();
    let links: Vec<_> = items.iter().filter(|item| matches!(item.content, Content::Link(_))).collect();
    assert_eq!(links.iter().map(|item| item.path.as_str()).collect::<Vec<_>>(), ["deep/out", "shadow"]);
    assert_eq!(links[1].content, Content::Link("/etc/shadow".into()));
    assert_eq!(items.len(), 3, "nothing of what lies behind them");
    pipe(&folder.join("deep/pipe"));
    let refusal = ground.reach().read_folder(&folder).unwrap_err().to_string();
    assert_eq!(refusal, "deep/pipe: it is neither a regular file nor a link");
    assert!(ground.reach().read_folder(&ground.at("secrets")).unwrap_err().to_string().starts_with("it lies outside"));
}

#[test]
fn a_folder_that_is_too_large_or_too_deep_is_refused() {
    let ground = Ground::new();
    let folder = ground.at("repository/scenarios");
    let deep = folder.join("a/".repeat(70));
    fs::create_dir_all(&deep).unwrap();
    let refusal = ground.reach().read_folder(&folder).unwrap_err().to_string();
    assert!(refusal.contains("too deep"), "{refusal}");
    fs::remove_dir_all(folder.join("a")).unwrap();
    fs::File::create(folder.join("large")).unwrap().set_len(super::CONTEXT.most_bytes + 1).unwrap();
    let refusal = ground.reach().read_folder(&folder).unwrap_err().to_string();
    assert!(refusal.contains("a build context has at most"), "{refusal}");
}

#[test]
fn a_file_name_has_no_folder() {
    assert!(is_file_name("orderflow"));
    for name in ["", ".", "..", "/bin/sh", "../sh", "bin/sh", "sh/"] {
        assert!(!is_file_name(name), "{name}");
    }
}
