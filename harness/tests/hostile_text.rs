//! What the program shows of files that mean harm: no control character and no command of a CI system comes out of it raw, on
//! neither stream, in no form.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The repository.
const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a title holds that means harm, as YAML writes it.
const HARM: &str = r"\e[31m\a\e]0;owned\a\n::error::boom\n##[error]boom ##vso[task.complete]\u202e @ops";

struct Room(PathBuf);

impl Room {
    /// A scenario of this repository that does, and is called, harm.
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository");
        let text = fs::read_to_string(root.join("scenarios/order-management/primary-killed.yaml")).expect("a scenario");
        let systems = root.join("fixtures/systems").display().to_string();
        let lines =
            text.replace("../../fixtures/systems", &systems).lines().map(corrupt).collect::<Vec<_>>().join("\n");
        let folder = std::env::temp_dir().join(format!("blackstart-{test}-{:08x}", rand::random::<u32>()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("primary-killed.yaml"), lines + "\n").expect("a scenario");
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blackstart"));
        // What is written into a room names a system of the repository.
        let reads = matches!(arguments.first(), Some(&("check" | "plan" | "list" | "run" | "simulate")));
        command.args(arguments).args(reads.then_some(["--allow", TOP]).into_iter().flatten());
        command.current_dir(&self.0).env("BLACKSTART_LOG", "trace");
        command.env("XDG_STATE_HOME", self.0.join("state")).output().expect("the program runs")
    }

    /// Runs it, and demands that what it says is harmless. Gives both streams.
    fn shows(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        let shown = [said.stdout, said.stderr].map(|stream| String::from_utf8(stream).expect("text"));
        for stream in &shown {
            assert_harmless(stream, arguments);
        }
        shown.concat()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn corrupt(line: &str) -> String {
    match line.strip_prefix("title: ") {
        Some(title) => format!("title: \"{HARM} {}\"", title.trim_matches('"')),
        None => line.to_owned(),
    }
}

fn assert_harmless(text: &str, arguments: &[&str]) {
    let hidden = text.chars().find(|c| (c.is_control() && *c != '\n' && *c != '\t') || *c == '\u{202e}');
    assert_eq!(hidden, None, "{arguments:?}: {text}");
    for line in text.lines() {
        let is_command = line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[");
        assert!(!is_command, "{arguments:?}: {line}");
    }
}

#[test]
fn a_title_that_means_harm_is_shown_and_does_none() {
    let room = Room::new("harm");
    let file = "primary-killed.yaml";
    for arguments in [&["check", file][..], &["plan", file], &["list", "."], &["list", ".", "--json"]] {
        assert!(room.shows(arguments).contains("boom"), "{arguments:?} shows the title");
    }
    room.shows(&["run", file, "--world", "simulated", "--out", "runs"]);
    room.shows(&["run", file, "--world", "simulated", "--out", "more", "--repeat", "2", "--json"]);
    let mut entries = fs::read_dir(room.0.join("runs")).expect("runs").map(|entry| entry.expect("an entry").path());
    let run = entries.find(|path| path.is_dir()).expect("the folder of a run");
    for format in ["terminal", "markdown", "json", "junit", "html"] {
        let shown = room.shows(&["report", &run.display().to_string(), "--format", format, "--verbose"]);
        assert!(format == "junit" || shown.contains("boom"), "{format} shows the title");
        assert!(format != "markdown" || !shown.contains("@ops"), "nobody is mentioned");
    }
    for command in ["history", "coverage"] {
        room.shows(&[command, "runs"]);
    }
    room.shows(&["verify", &run.display().to_string()]);
    assert_harmless(&fs::read_to_string(run.join("plan.txt")).expect("a plan"), &["plan.txt"]);
}

#[test]
fn a_refusal_that_quotes_what_means_harm_does_none() {
    let room = Room::new("refused");
    let path = room.0.join("primary-killed.yaml");
    let text = fs::read_to_string(&path).expect("a scenario");
    let quoted =
        HARM.replace("\\n", "\n").replace("\\e", "\u{1b}").replace("\\a", "\u{7}").replace("\\u202e", "\u{202e}");
    for (name, wrong) in [
        ("key.yaml", format!("{text}\"unknown {HARM}\": 1\n")),
        ("value.yaml", text.replacen("title: ", &format!("faults: \"{HARM}\"\ntitle: "), 1)),
        ("raw.yaml", format!("{quoted}\n{text}")),
    ] {
        fs::write(room.0.join(name), wrong).expect("written");
        assert_eq!(room.run(&["check", name]).status.code(), Some(2), "{name} is refused");
        room.shows(&["check", name]);
        room.shows(&["check", name, "--json"]);
        room.shows(&["run", name, "--world", "simulated"]);
    }
}

#[test]
fn arguments_and_names_of_files_that_mean_harm_do_none() {
    let room = Room::new("names");
    let name = "x\u{1b}[2J\u{7}\n::error::boom.yaml";
    fs::copy(room.0.join("primary-killed.yaml"), room.0.join(name)).expect("copied");
    for arguments in
        [&["check", name][..], &["verify", name], &["report", name], &["run", "--seed", name, name], &[name]]
    {
        room.shows(arguments);
    }
}
