//! A copy of what is attacked, and the attack.

use std::{
    any::Any,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use blackstart::topology::ledger::Ledger;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::mutate::mutate;

/// How long one file may take before it counts as a hang: far longer than the slowest machine needs for the largest.
const HANGS_AFTER: Duration = Duration::from_secs(180);

/// A repository of its own, with copies of every scenario and system.
pub struct Ground {
    top: PathBuf,
}

impl Ground {
    pub fn new(name: &str) -> Self {
        let top = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations").join(name);
        let _ = fs::remove_dir_all(&top);
        fs::create_dir_all(top.join(".git")).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for folder in ["scenarios", "fixtures"] {
            copy(&source.join(folder), &top.join(folder));
        }
        Self { top }
    }

    pub fn top(&self) -> &Path {
        &self.top
    }

    pub fn scenarios(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        find(&self.top.join("scenarios"), &mut files);
        files.retain(|file| !file.parent().unwrap().ends_with("systems"));
        files
    }

    pub fn systems(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        find(&self.top.join("fixtures/systems"), &mut files);
        files
    }

    /// The folder of a simulated run, made by the program itself.
    pub fn run(&self) -> PathBuf {
        let (out, scenario) = (self.top.join("runs"), "scenarios/order-management/primary-zone-outage.yaml");
        if !out.exists() {
            let mut run = Command::new(env!("CARGO_BIN_EXE_blackstart"));
            run.args(["run", scenario, "--world", "simulated", "--quiet", "--out"]).arg(&out).current_dir(&self.top);
            let done = run.output().unwrap();
            assert!(out.is_dir(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        // Beside the run lies the index of the folder.
        fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap()
    }

    /// The ledger of a run that is not over.
    pub fn ledger(&self) -> PathBuf {
        let folder = self.top.join("ledgers");
        let ledger = Ledger::create(&folder, "run", "owner", "engine").unwrap();
        for name in ["networks", "node db-a", "node db-b"] {
            ledger.announce(name).unwrap();
        }
        ledger.removed("node db-a").unwrap();
        folder.join("run.jsonl")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() { copy(&entry.path(), &to) } else { drop(fs::copy(entry.path(), to)) }
    }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            files.push(path);
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Damages the files in turn and has each read; the file is as it was afterwards.
pub fn attack(kind: &str, turns: u64, files: &[PathBuf], read: impl Fn(&Path, u64) + Sync) {
    let turns = setting("BLACKSTART_MUTATIONS").unwrap_or(turns);
    let first = setting("BLACKSTART_MUTATIONS_SEED").unwrap_or(0);
    let sound: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let others: Vec<&str> = sound.iter().map(String::as_str).collect();
    let (done, alive) = mpsc::channel();
    let turn = AtomicU64::new(first);
    let mut broken = Vec::new();
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(kind, &turn, alive));
        for seed in first..first + turns {
            turn.store(seed, Ordering::Relaxed);
            let index = seed as usize % files.len();
            let damaged = mutate(&sound[index], &others, &mut ChaCha8Rng::seed_from_u64(seed));
            fs::write(&files[index], &damaged).unwrap();
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| read(&files[index], seed))) {
                let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutations/{kind}-{seed}"));
                fs::write(&kept, &damaged).unwrap();
                broken.push(format!("seed {seed}, {}: {}", kept.display(), words(panic.as_ref())));
            }
            fs::write(&files[index], &sound[index]).unwrap();
            done.send(()).unwrap();
        }
        drop(done);
        watch.join().unwrap();
    });
    assert!(broken.is_empty(), "{} of {turns} files of kind {kind}:\n{}", broken.len(), broken.join("\n"));
}

/// Ends the test where a file keeps its reader for longer than any should: nothing else ends a thread that loops.
fn watch(kind: &str, turn: &AtomicU64, alive: mpsc::Receiver<()>) {
    loop {
        match alive.recv_timeout(HANGS_AFTER) {
            Ok(()) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seed = turn.load(Ordering::Relaxed);
                eprintln!("kind {kind}, seed {seed}: it did not end within {HANGS_AFTER:?}");
                std::process::exit(1);
            }
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
