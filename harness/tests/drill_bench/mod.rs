//! The program itself, run as a person or a machine runs it, for tests of whole drills on a real engine.
//!
//! The program `orderflow` must lie beside `blackstart`. Cargo builds a package's programs when it builds that package's
//! integration tests, so `cargo nextest run --workspace` puts both there; after `-p blackstart` alone, `orderflow` is the
//! one that was built last, or none, and then these tests say so.

pub mod broken_engine;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use blackstart::world::{Found, Remains, docker::sweep::Engine};

/// How long a drill may take, on a machine that does other things besides.
const DRILL_WITHIN: Duration = Duration::from_secs(150);

/// The repository.
pub const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_blackstart");

/// A folder for everything of one test: scenarios, evidence, ledgers. Removes what it holds and what its runs left.
pub struct Room {
    pub folder: PathBuf,
}

impl Room {
    pub fn new(test: &str) -> Self {
        let orderflow = Path::new(PROGRAM).with_file_name("orderflow");
        assert!(orderflow.is_file(), "{} is missing: `cargo build --workspace`", orderflow.display());
        let folder = std::env::temp_dir().join(format!("blackstart-{test}-{:08x}", rand::random::<u32>()));
        fs::create_dir_all(&folder).expect("a folder");
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A scenario of this repository, shortened: these tests are about the program, so its fault comes early, service
    /// counts as sustained soon, and neither target nor probe minds a machine that does other things besides.
    pub fn scenario(&self, name: &str) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let own = root.join("scenarios/order-management").join(name).with_extension("yaml");
        let mut text = fs::read_to_string(&own).expect("a scenario");
        let system = root.join("fixtures/systems").canonicalize().expect("the systems").display().to_string();
        for (from, to) in [
            ("../../fixtures/systems", system.as_str()),
            ("at: 1500ms..2s", "at: 1s"),
            ("every: 50ms", "every: 300ms"),
            ("throughput: 90%, errors: 1%, sustained_for: 2s", "throughput: 50%, errors: 10%, sustained_for: 1500ms"),
            ("rto: {within: 6s}", "rto: {within: 30s}"),
        ] {
            assert!(text.contains(from), "{from} in {}", own.display());
            text = text.replace(from, to);
        }
        let path = self.path(name).with_extension("yaml");
        fs::write(&path, text).expect("written");
        path
    }

    /// The program with these arguments and this room's ledgers.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        // What is written into a room names files of the repository.
        let reads = matches!(arguments.first(), Some(&("run" | "selftest" | "check")));
        command.args(arguments).args(reads.then_some(["--allow", TOP]).into_iter().flatten());
        command.env("XDG_STATE_HOME", self.path("state")).current_dir(&self.folder);
        command
    }

    /// Starts a run of one scenario, with its evidence in a folder of this name.
    pub fn start(&self, scenario: &str, out: &str) -> Drill {
        self.start_with(scenario, out, &[], &[])
    }

    pub fn start_with(&self, scenario: &str, out: &str, more: &[&str], environment: &[(&str, &str)]) -> Drill {
        let file = self.scenario(scenario).display().to_string();
        let mut arguments = vec!["run", file.as_str(), "--out", out];
        arguments.extend(more);
        Drill::start(self.command(&arguments).envs(environment.iter().copied()), self.path(out))
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Drill::start(&mut self.command(arguments), self.folder.clone()).end()
    }

    /// Sweeps these runs and no others: the engine may hold what its owner still wants to look at.
    pub fn sweep(&self, runs: &[&str]) -> Ended {
        let arguments: Vec<&str> = ["sweep"].into_iter().chain(runs.iter().copied()).collect();
        self.run(&arguments)
    }

    /// The runs of which there is a ledger.
    pub fn ledgers(&self) -> Vec<String> {
        names(&self.path("state/blackstart/ledgers")).iter().map(|name| name.replace(".jsonl", "")).collect()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let ledgers = self.ledgers();
        if thread::panicking() && !ledgers.is_empty() {
            let runs: Vec<&str> = ledgers.iter().map(String::as_str).collect();
            eprintln!("the test failed; its runs are swept:\n{}", self.sweep(&runs).stdout);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What lies in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The runs in a folder of runs, beside its index.
pub fn runs(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name != "index.jsonl").collect()
}

/// The program while it runs.
pub struct Drill {
    child: Child,
    out: PathBuf,
    said: Arc<Mutex<Vec<String>>>,
    readers: Vec<thread::JoinHandle<String>>,
}

/// The program when it has ended.
#[derive(Debug)]
pub struct Ended {
    /// None where a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Drill {
    pub fn start(command: &mut Command, out: PathBuf) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (told, errors, mut results) = (Arc::clone(&said), child.stderr.take(), child.stdout.take());
        let listen = thread::spawn(move || {
            for line in errors.into_iter().flat_map(|errors| BufReader::new(errors).lines()).map_while(Result::ok) {
                told.lock().expect("lines").push(line);
            }
            String::new()
        });
        let read = thread::spawn(move || {
            let mut text = String::new();
            results.as_mut().map(|results| results.read_to_string(&mut text));
            text
        });
        Self { child, out, said, readers: vec![listen, read] }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn lines(&self) -> Vec<String> {
        self.said.lock().expect("lines").clone()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a state").is_none()
    }

    /// Waits until it has said something on stderr, and then for so long.
    pub fn wait_for(&mut self, words: &str, then: Duration) {
        let give_up = Instant::now() + DRILL_WITHIN;
        while !self.lines().iter().any(|line| line.contains(words)) {
            assert!(Instant::now() < give_up && self.is_running(), "it never said `{words}`: {:#?}", self.lines());
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(then);
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().expect("kill");
        assert!(sent.success(), "kill -s {name}");
    }

    /// The run: by its folder, which is made in the first moment.
    pub fn run_id(&self) -> String {
        let give_up = Instant::now() + Duration::from_secs(20);
        loop {
            match runs(&self.out).first() {
                Some(name) => return name.clone(),
                None => assert!(Instant::now() < give_up, "no run in {}", self.out.display()),
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let give_up = Instant::now() + DRILL_WITHIN;
        while self.is_running() {
            if Instant::now() > give_up {
                let _ = self.child.kill();
                panic!("it did not end within {DRILL_WITHIN:?}: {:#?}", self.lines());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().expect("a status").code();
        let texts: Vec<String> = self.readers.drain(..).map(|reader| reader.join().unwrap_or_default()).collect();
        Ended { status, stdout: texts.concat(), stderr: self.lines().join("\n") }
    }
}

impl Drop for Drill {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is on the engine of these runs.
pub fn remains(runs: &[&str]) -> Vec<Found> {
    on_engine(async {
        let engine =
            Engine::connect("test").await.unwrap_or_else(|error| panic!("this test needs a Docker engine: {error}"));
        let mut found = engine.list().await.expect("a list");
        found.retain(|one| runs.contains(&one.run_id.as_str()));
        found
    })
}

/// Runs something that asks the engine.
pub fn on_engine<T>(asked: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(asked)
}

/// Demands that nothing of a run is left: nothing with its label, nothing with its name, no loop device, no ledger.
pub fn assert_nothing_left(room: &Room, run: &str) {
    let left = remains(&[run]);
    assert!(left.is_empty(), "left on the engine: {left:#?}");
    let named = on_engine(named_like(&format!("bs-{run}")));
    assert!(named.is_empty(), "left on the engine without a label: {named:?}");
    let devices = names(Path::new("/sys/block")).into_iter().filter(|name| name.starts_with("loop"));
    for device in devices {
        let file = fs::read_to_string(format!("/sys/block/{device}/loop/backing_file")).unwrap_or_default();
        assert!(!file.contains(run), "{device} is still on {file}");
    }
    assert!(!room.ledgers().contains(&run.to_owned()), "its ledger is left");
}

/// Containers, volumes and networks by their names alone: what an engine makes by the way carries no label.
async fn named_like(start: &str) -> Vec<String> {
    use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptions, ListVolumesOptions};
    let engine = bollard::Docker::connect_with_defaults().expect("an engine");
    let all = ListContainersOptionsBuilder::new().all(true).build();
    let containers = engine.list_containers(Some(all)).await.expect("containers");
    let volumes = engine.list_volumes(None::<ListVolumesOptions>).await.expect("volumes");
    let networks = engine.list_networks(None::<ListNetworksOptions>).await.expect("networks");
    let mut names: Vec<String> = containers.into_iter().flat_map(|one| one.names.unwrap_or_default()).collect();
    names.extend(volumes.volumes.unwrap_or_default().into_iter().map(|one| one.name));
    names.extend(networks.into_iter().filter_map(|one| one.name));
    names.retain(|name| name.trim_start_matches('/').starts_with(start));
    names
}
