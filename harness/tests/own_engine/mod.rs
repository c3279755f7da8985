//! A second engine, for tests that could hurt the first one or the machine: with namespaces, a network, control groups and a
//! file system of its own. Programs that are to reach published ports run in its network. It goes with everything that it holds.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long the engine may take to come up, and to go down.
const WITHIN: Duration = Duration::from_secs(40);
/// The file system of the engine, as a sparse file.
const DISK_BYTES: u64 = 12 << 30;

/// The first process of the namespaces. It takes away the dead whose parents are gone: an engine that is started again would take
/// those of its own for processes that still run.
const FIRST: &str = "while sleep 0.2; do :; done";

/// The engine, and what holds its namespaces.
pub struct OwnEngine {
    folder: PathBuf,
    name: String,
    /// Its end is the end of every process in the namespaces.
    holder: Child,
    /// The first process in the namespaces.
    inside: String,
    daemon: Option<Child>,
}

/// Why there can be no second engine here.
fn obstacle() -> Option<&'static str> {
    let is_there =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|ran| ran.status.success());
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|ran| ran.stdout.starts_with(b"0\n"));
    if !is_root {
        return Some("a second engine takes root");
    }
    let missing = |program: &&str| !is_there(program);
    let programs = ["dockerd", "docker", "unshare", "nsenter", "mount"];
    programs.into_iter().find(missing).map(|_| "a second engine takes dockerd, docker, unshare, nsenter and mount")
}

fn run(command: &mut Command) -> Output {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran
}

/// Asks until it is so.
fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let given_up = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < given_up, "{what} did not come within {WITHIN:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

impl OwnEngine {
    /// Starts an engine that has these images of the usual one. Where that cannot be, says why and gives none.
    pub fn start(images: &[String]) -> Option<Self> {
        if let Some(why) = obstacle() {
            eprintln!("skipped: {why}");
            return None;
        }
        let name = format!("blackstart-engine-{:08x}", rand::random::<u32>());
        let folder = std::env::temp_dir().join(&name);
        for part in ["data", "etc"] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        fs::write(folder.join("daemon.json"), "{}").expect("written");
        let holder = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"])
            .args(["sh", "-c", FIRST])
            .spawn()
            .expect("namespaces");
        let inside = first_child(&holder);
        let mut engine = Self { folder, name, holder, inside, daemon: None };
        engine.furnish();
        engine.boot();
        engine.load(images);
        Some(engine)
    }

    /// A file system of its own: what goes wrong there goes wrong for nobody else. And a name of its own: an engine takes it
    /// from a file of the machine.
    fn furnish(&self) {
        let disk = self.folder.join("disk");
        fs::File::create(&disk).and_then(|file| file.set_len(DISK_BYTES)).expect("a disk");
        run(Command::new("mkfs.ext4").arg("-q").arg(&disk));
        run(self.inside("ip").args(["link", "set", "lo", "up"]));
        run(self.inside("mount").args(["-o", "loop"]).args([&disk, &self.data()]));
        if Path::new("/etc/docker").is_dir() {
            run(self.inside("mount").arg("--bind").arg(self.folder.join("etc")).arg("/etc/docker"));
        }
    }

    /// Starts the engine in its namespaces, the first time or once more, and waits until it answers.
    pub fn boot(&mut self) {
        let at = |name: &str| self.folder.join(name);
        let log = fs::File::options().create(true).append(true).open(at("log")).expect("a log");
        let mut command = self.inside("dockerd");
        command.arg("--config-file").arg(at("daemon.json")).arg("--data-root").arg(self.data());
        command.arg("--exec-root").arg(at("exec")).arg("--pidfile").arg(at("pid"));
        command.args(["--host", &self.host(), "--storage-driver", "overlay2"]);
        command.arg("--cgroup-parent").arg(format!("/{}", self.name));
        let daemon = command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log).spawn();
        self.daemon = Some(daemon.expect("dockerd"));
        await_that("the second engine", || self.docker(&["version"]).status.success());
    }

    fn load(&self, images: &[String]) {
        let mut saved = Command::new("docker").arg("save").args(images).stdout(Stdio::piped()).spawn().expect("docker");
        let archive = saved.stdout.take().expect("an archive");
        run(Command::new("docker").args(["--host", &self.host(), "load"]).stdin(archive));
        assert!(saved.wait().expect("its end").success(), "{images:?} are on the usual engine");
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// For `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.join("docker.sock").display())
    }

    /// A command in all of its namespaces.
    pub fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.inside, "--mount", "--net", "--pid", "--", program]);
        command
    }

    /// The same command in the engine's network, with this engine for its own.
    pub fn beside(&self, command: &Command) -> Command {
        let mut entered = Command::new("nsenter");
        entered.args(["--target", &self.inside, "--net", "--"]).arg(command.get_program()).args(command.get_args());
        entered
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("DOCKER_HOST", self.host());
        if let Some(folder) = command.get_current_dir() {
            entered.current_dir(folder);
        }
        entered
    }

    /// What the client says to this engine.
    pub fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").args(["--host", &self.host()]).args(arguments).output().expect("a docker client")
    }

    /// What the client prints, where it succeeds.
    pub fn says(&self, arguments: &[&str]) -> String {
        let said = self.docker(arguments);
        assert!(said.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// The names of all that it holds but images and its own networks.
    pub fn holds(&self) -> Vec<String> {
        let containers = self.says(&["ps", "--all", "--format", "{{.Names}}"]);
        let volumes = self.says(&["volume", "ls", "--quiet"]);
        let networks = self.says(&["network", "ls", "--filter", "type=custom", "--format", "{{.Name}}"]);
        [containers, volumes, networks].iter().flat_map(|said| said.lines()).map(str::to_owned).collect()
    }

    /// Sends a signal to the engine alone. What it runs goes on.
    pub fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.folder.join("pid")).expect("its number");
        run(self.inside("kill").args(["-s", signal, pid.trim()]));
        // What entered the namespaces for it stops with it, and goes on when it is told so itself.
        if let Some(daemon) = self.daemon.as_ref().filter(|_| signal == "CONT") {
            run(Command::new("kill").args(["-s", signal, &daemon.id().to_string()]));
        }
    }

    /// Ends the engine in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.signal("KILL");
        if let Some(mut daemon) = self.daemon.take() {
            daemon.wait().expect("its end");
        }
    }

    /// Demands that its file system can be written, is not full, and holds no file of these names outside of volumes.
    pub fn is_unharmed(&self, names: &[&str]) {
        let data = self.data();
        run(self.inside("sh").args(["-c", "echo alive >\"$0/alive\" && sync -f \"$0/alive\""]).arg(&data));
        let free = run(self.inside("df").args(["--output=avail", "-B1"]).arg(&data)).stdout;
        let free = String::from_utf8_lossy(&free).lines().last().and_then(|line| line.trim().parse::<u64>().ok());
        assert!(free.is_some_and(|free| free > DISK_BYTES / 4), "{free:?} bytes are free");
        for name in names {
            let found = run(self.inside("find").arg(&data).args(["/dev", "/run", "-xdev", "-name", name])).stdout;
            assert_eq!(String::from_utf8_lossy(&found), "", "{name} was written to the machine");
        }
    }
}

/// The process that `unshare` forks: the first in the new namespaces.
fn first_child(parent: &Child) -> String {
    let path = format!("/proc/{0}/task/{0}/children", parent.id());
    let mut child = String::new();
    await_that("the first process of the namespaces", || {
        child = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
        !child.is_empty()
    });
    child
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // In order: it ends what it runs. Where it does not, the namespaces end it.
            let end = "kill -CONT $(cat \"$0\"); kill $(cat \"$0\")";
            let _ = self.inside("sh").args(["-c", end]).arg(self.folder.join("pid")).output();
            let _ = Command::new("kill").args(["-CONT", &daemon.id().to_string()]).status();
            let given_up = Instant::now() + WITHIN;
            while daemon.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < given_up {
                thread::sleep(Duration::from_millis(20));
            }
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let groups = format!("*/{}*", self.name);
        let _ = Command::new("find")
            .args(["/sys/fs/cgroup", "-depth", "-type", "d", "-path", &groups, "-exec", "rmdir", "{}", ";"])
            .output();
        let _ = fs::remove_dir_all(&self.folder);
        if !thread::panicking() {
            assert!(!self.folder.exists(), "{} is left", self.folder.display());
            // The kernel lets go of what the namespaces had mounted some time after their last process.
            await_that("the end of its loop device", || {
                let devices = Command::new("losetup").arg("--list").output().expect("losetup");
                !String::from_utf8_lossy(&devices.stdout).contains(&self.name)
            });
        }
    }
}
