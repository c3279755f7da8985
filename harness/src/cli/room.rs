//! Whether there is room for a drill: looked at before anything is made. A drill on a machine that is too small, or beside too
//! many others, would measure the machine.

use std::{fmt, fs::File, io, path::Path, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    plan::Plan,
    scenario::fault::{FaultKind, Tool},
    state,
    topology::{
        ledger::{self, Ledger},
        owner::{self, OwnerState},
    },
    world::docker::capacity::Capacity,
};

const MIB: u64 = 1024 * 1024;
// The figures of memory and disk are those of three drills on an engine with a file system of its own, looked at every 0.3 s:
// `primary-killed` and `backups-tested` of order management, `group-snapshots` of the process cell (10, 37 and 38 containers
// at a time). Memory is what the control groups of all containers hold without what the kernel can give back at once (270, 890
// and 576 MiB), this process (87 to 130 MiB), and the engine with the process that it has for each container (312, 739 and
// 848 MiB). Disk is what was taken of the file system (165, 770 and 436 MiB), the images apart (669 MB). The sum is
// a fifth to a third above what was measured in order management, and twice that of the process cell, most of whose nodes
// with data are no databases. Of disk it is more, as a longer drill writes more.

/// Memory of a container whose node holds data: a small database with its cache, and the engine's own process for it.
const DATA_NODE_MEMORY: u64 = 96 * MIB;
/// Memory of any other container: 3 to 16 MiB, and the engine's own process for it.
const OTHER_MEMORY: u64 = 32 * MIB;
/// Memory of this process with the history of a long drill, and of the engine.
const OWN_MEMORY: u64 = 288 * MIB;
/// What one node's data takes with its log.
const DATA_NODE_DISK: u64 = 96 * MIB;
/// What a backup keeps of the data of one node.
const SAVED_DISK: u64 = 32 * MIB;
/// What images that are built, logs and evidence take.
const OTHER_DISK: u64 = 1024 * MIB;
/// Open files of the runtime, of the evidence and of requests to the engine.
const OWN_FILES: u64 = 64;
/// More open files than any drill needs. Some programs that we start try to close all that they could have inherited.
const MOST_FILES: u64 = 65_536;
/// Open files for each container: questions to it, and a shell in its helper.
const FILES_EACH: u64 = 4;

/// What a drill needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Containers that stand at a time.
    pub containers: u64,
    /// Bytes.
    pub memory_bytes: u64,
    /// Bytes where the engine keeps its things.
    pub disk_bytes: u64,
    /// Open files of this process.
    pub files: u64,
}

impl Needs {
    /// The least that any drill needs.
    pub const LEAST: Self = Self::sum(2, 4, 0, 16);

    /// What a plan needs. Up to two copies of the whole system stand beside it where backups are tested, and one where there
    /// is a secondary environment.
    pub fn of(plan: &Plan) -> Self {
        let nodes = plan.nodes.len() as u64;
        let with_data = plan.nodes.iter().filter(|planned| planned.node.data.is_some()).count() as u64;
        let tested = if plan.declared.scenario.restore_test { plan.backups.len().min(2) as u64 } else { 0 };
        let systems = 1 + tested.max(u64::from(plan.has_secondary()));
        let array = u64::from(plan.declared.system.storage.is_some());
        let beside = (plan.with_tool(Tool::Helper).len() + plan.with_tool(Tool::Wiper).len()) as u64 + array;
        // Each copy has a relay and a resolver of its own, and two helpers that prove its isolation.
        let others = systems * (nodes - with_data + 2) + 2 * (systems - 1) + beside;
        let mut needs = Self::sum(systems * with_data, others, plan.backups.len() as u64 * with_data, in_flight(plan));
        needs.disk_bytes += filled(plan);
        needs
    }

    /// `saved` is how often the data of one node is saved.
    const fn sum(data_nodes: u64, others: u64, saved: u64, in_flight: u64) -> Self {
        Self {
            containers: data_nodes + others,
            memory_bytes: OWN_MEMORY + data_nodes * DATA_NODE_MEMORY + others * OTHER_MEMORY,
            disk_bytes: OTHER_DISK + data_nodes * DATA_NODE_DISK + saved * SAVED_DISK,
            files: OWN_FILES + (data_nodes + others) * FILES_EACH + in_flight,
        }
    }
}

/// Disks that a fault fills to their end.
fn filled(plan: &Plan) -> u64 {
    let disk = plan.declared.system.storage.as_ref().map_or(0, |storage| storage.disk.bytes());
    let filled = plan.faults.iter().filter(|fault| matches!(fault.kind, FaultKind::DiskFull(_)));
    disk.saturating_mul(filled.map(|fault| fault.victims.len() as u64).sum())
}

/// How many requests wait at a time where none is answered: each is a connection, and so an open file.
fn in_flight(plan: &Plan) -> u64 {
    let waiting = |deadline: Duration, interval: Duration| {
        let number = deadline.as_micros().div_ceil(interval.as_micros().max(1));
        u64::try_from(number).unwrap_or(u64::MAX / 4)
    };
    let load = &plan.load;
    waiting(load.deadline, load.interval).saturating_add(waiting(load.probe_deadline, load.probe_interval))
}

/// What there is. What cannot be told is none, and nothing is refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Of the engine's machine.
    pub machine: Capacity,
    /// Open files that this process may have.
    pub files: Option<u64>,
    /// Drills of this user that were begun before this one, and run.
    pub earlier_drills: u64,
}

impl Room {
    /// What there is for one more drill.
    pub fn now(engine: &str, machine: Capacity) -> Self {
        let earlier_drills = ledger::folder().map_or(0, |ledgers| running(&ledgers, engine, |_| true));
        Self { machine, files: open_files(), earlier_drills }
    }

    /// How much there is of everything.
    pub const fn amounts(&self) -> [(What, Option<u64>); 4] {
        let Capacity { processors, memory_bytes, disk_bytes } = self.machine;
        let amounts = [processors, memory_bytes, disk_bytes, self.files];
        [
            (What::Processors, amounts[0]),
            (What::Memory, amounts[1]),
            (What::Disk, amounts[2]),
            (What::Files, amounts[3]),
        ]
    }

    /// What is too little for a drill, each with what is needed and what is there.
    pub fn lacks(&self, needs: &Needs) -> Vec<Lack> {
        let drills = self.earlier_drills + 1;
        let mut lacks = Vec::new();
        let mut demand = |what, needed: u64, there: Option<u64>, mend| {
            let too_little = there.filter(|there| *there < needed);
            lacks.extend(too_little.map(|there| Lack { what, needed, there, mend }));
        };
        demand(
            What::Processors,
            drills,
            self.machine.processors,
            "wait until others have ended, or take fewer `--jobs`",
        );
        demand(What::Memory, needs.memory_bytes, self.machine.memory_bytes, "end what else takes memory there");
        demand(
            What::Disk,
            needs.disk_bytes,
            self.machine.disk_bytes,
            "free some: `docker system df` tells what is held",
        );
        demand(What::Files, needs.files, self.files, "raise it with `ulimit -n` before this program is started");
        lacks
    }
}

/// A run that is about to begin.
pub struct Newcomer<'a> {
    /// Its name.
    pub run_id: &'a str,
    /// Who owns it.
    pub owner: &'a str,
    /// Its engine.
    pub engine: &'a str,
    /// What the engine's machine has.
    pub machine: Capacity,
    /// What it needs.
    pub needs: &'a Needs,
}

impl Newcomer<'_> {
    /// Writes its ledger, if there is room. One run after the other: of several that are begun together, each sees those that were
    /// let in before it, and no others.
    ///
    /// # Errors
    /// Where the ledger cannot be written, or there is too little room.
    pub fn enter(&self, ledgers: &Path, locks: &Path) -> anyhow::Result<Ledger> {
        let unwritable =
            |error: io::Error| anyhow::anyhow!("could not write a ledger into {}: {error}", ledgers.display());
        let turn = take_turn(locks).map_err(unwritable)?;
        let ledger = Ledger::create(ledgers, self.run_id, self.owner, self.engine).map_err(unwritable)?;
        let earlier_drills = running(ledgers, self.engine, |other| other != self.run_id);
        let room = Room { machine: self.machine, files: open_files(), earlier_drills };
        let lacks: Vec<String> = room.lacks(self.needs).iter().map(ToString::to_string).collect();
        if lacks.is_empty() {
            return Ok(ledger);
        }
        // Nothing was made.
        ledger.close();
        drop(turn);
        Err(anyhow::anyhow!("there is too little room for this drill: {}", lacks.join("; ")))
    }
}

/// Held for a moment by whoever of this user's programs is about to begin a drill.
fn take_turn(locks: &Path) -> io::Result<File> {
    state::make(locks)?;
    let turn = state::open_lock(&locks.join("drills.lock"))?;
    turn.lock()?;
    Ok(turn)
}

/// What can be too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// One for each drill that runs.
    Processors,
    /// Bytes of it.
    Memory,
    /// Bytes of it.
    Disk,
    /// How many may be open.
    Files,
}

impl What {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processors => "processors",
            Self::Memory => "memory",
            Self::Disk => "disk of the engine",
            Self::Files => "open files",
        }
    }

    /// An amount of it.
    pub fn amount(self, number: u64) -> String {
        match self {
            Self::Processors => super::count(usize::try_from(number).unwrap_or(usize::MAX), "processor"),
            Self::Memory => format!("{} MB of memory", number / 1_000_000),
            Self::Disk => format!("{} MB of disk where the engine keeps its things", number / 1_000_000),
            Self::Files => super::count(usize::try_from(number).unwrap_or(usize::MAX), "open file"),
        }
    }
}

/// Something of which there is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// Of what.
    pub what: What,
    /// How much is needed.
    pub needed: u64,
    /// How much is there.
    pub there: u64,
    /// What a person can do about it.
    pub mend: &'static str,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = if self.what == What::Processors { " (one for each drill that runs)" } else { "" };
        write!(
            f,
            "it needs {}{why}, and there are {}; {}",
            self.what.amount(self.needed),
            self.there_in_words(),
            self.mend
        )
    }
}

impl Lack {
    fn there_in_words(&self) -> String {
        match self.what {
            What::Memory | What::Disk => format!("{} MB", self.there / 1_000_000),
            What::Processors | What::Files => self.there.to_string(),
        }
    }
}

/// How many drills of this user run on an engine, of those that are asked for.
fn running(ledgers: &Path, engine: &str, is_meant: impl Fn(&str) -> bool) -> u64 {
    let found = ledger::find(ledgers).unwrap_or_default();
    let is_alive = |one: &&ledger::Found| {
        let owner = one.owner.as_deref().map(owner::state);
        one.engine.as_deref() == Some(engine) && owner == Some(OwnerState::Alive)
    };
    found.iter().filter(|one| is_meant(&one.run_id)).filter(is_alive).count() as u64
}

/// How many files this process may have open; none where there is no limit.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Lets this process open as many files as it may, and can need. The usual limit is meant for programs of long ago.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let current = raised(limit.current, limit.maximum);
    // Where it cannot be raised, it is as it was, and a drill that needs more is refused.
    let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
}

/// A limit between the present one and the greatest that is allowed; none stands for no limit.
fn raised(current: Option<u64>, maximum: Option<u64>) -> Option<u64> {
    current.map(|current| current.max(maximum.unwrap_or(MOST_FILES).min(MOST_FILES)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan, scenario};

    const NEEDS: Needs = Needs { containers: 10, memory_bytes: 1_000_000_000, disk_bytes: 3_000_000_000, files: 200 };

    fn room(processors: u64, memory_bytes: u64, disk_bytes: u64, files: u64) -> Room {
        let machine =
            Capacity { processors: Some(processors), memory_bytes: Some(memory_bytes), disk_bytes: Some(disk_bytes) };
        Room { machine, files: Some(files), earlier_drills: 0 }
    }

    #[test]
    fn a_drill_needs_more_than_was_measured_and_not_twice_as_much() {
        let needs = |name: &str| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name).with_extension("yaml");
            let declared = scenario::read(&file).unwrap_or_else(|refusals| panic!("{refusals}"));
            Needs::of(&plan::build(declared, 1).expect("a plan"))
        };
        // Containers, memory and disk, in MiB, as the comment at the constants tells.
        for (name, containers, memory, disk) in [
            ("order-management/primary-killed", 10, 270 + 87 + 312, 165),
            ("order-management/backups-tested", 37, 890 + 130 + 739, 770),
            ("process-cell/group-snapshots", 38, 576 + 125 + 848, 436),
        ] {
            let needs = needs(name);
            assert!(needs.containers >= containers && needs.containers < containers * 2, "{name}: {needs:?}");
            assert!(needs.memory_bytes > memory * MIB && needs.memory_bytes < 2 * memory * MIB, "{name}: {needs:?}");
            assert!(needs.disk_bytes - OTHER_DISK > disk * MIB, "{name}: {needs:?}");
            assert!(needs.disk_bytes - OTHER_DISK < 8 * disk * MIB, "{name}: {needs:?}");
        }
    }

    #[test]
    fn what_is_enough_is_not_refused_and_what_cannot_be_told_neither() {
        assert_eq!(room(1, 1_000_000_000, 3_000_000_000, 200).lacks(&NEEDS), []);
        assert_eq!(Room { earlier_drills: 9, ..Room::default() }.lacks(&NEEDS), []);
    }

    #[test]
    fn what_is_too_little_is_told_with_what_is_needed_and_what_is_there() {
        let lacks = room(1, 512_000_000, 2_000_000_000, 20).lacks(&NEEDS);
        let told: Vec<String> = lacks.iter().map(ToString::to_string).collect();
        assert_eq!(lacks.iter().map(|lack| lack.what).collect::<Vec<_>>(), [What::Memory, What::Disk, What::Files]);
        assert!(told[0].starts_with("it needs 1000 MB of memory, and there are 512 MB;"), "{told:?}");
        assert!(told[2].contains("200 open files, and there are 20; raise it with `ulimit -n`"), "{told:?}");
    }

    #[test]
    fn the_limit_of_open_files_is_raised_as_far_as_it_may_and_never_lowered() {
        assert_eq!(raised(Some(1024), Some(4096)), Some(4096));
        assert_eq!(raised(Some(1024), None), Some(MOST_FILES));
        assert_eq!(raised(Some(1024), Some(1 << 30)), Some(MOST_FILES));
        assert_eq!(raised(Some(100_000), Some(1 << 30)), Some(100_000));
        assert_eq!(raised(None, None), None);
        assert_eq!(raised(Some(20), Some(20)), Some(20));
    }

    #[test]
    fn of_six_drills_that_are_begun_at_once_two_are_let_in_whatever_they_are_called() {
        let folder = std::env::temp_dir().join(format!("blackstart-room-{:08x}", rand::random::<u32>()));
        state::make(&folder).expect("a folder");
        let (ledgers, locks, owner) = (folder.join("ledgers"), folder.join("locks"), owner::this_process());
        let enter = |number: u32| {
            let machine = room(2, u64::MAX, u64::MAX, u64::MAX).machine;
            let needs = Needs { files: 1, ..NEEDS };
            let run_id = format!("r-{:04x}-{:04x}", 0xffff - number, rand::random::<u16>());
            let newcomer = Newcomer { run_id: &run_id, owner: &owner, engine: "e", machine, needs: &needs };
            newcomer.enter(&ledgers, &locks).is_ok()
        };
        let in_turn = (0..6).filter(|number| enter(*number)).count();
        assert_eq!(
            (in_turn, ledger::find(&ledgers).expect("ledgers").len()),
            (2, 2),
            "and no ledger of the others stays"
        );
        std::fs::remove_dir_all(&ledgers).expect("it goes");
        let enter = &enter;
        let at_once = std::thread::scope(|scope| {
            let all: Vec<_> = (0..6).map(|number| scope.spawn(move || enter(number))).collect();
            all.into_iter().map(|one| one.join().expect("an answer")).filter(|is_in| *is_in).count()
        });
        assert_eq!(at_once, 2);
        std::fs::remove_dir_all(folder).expect("it goes");
    }

    #[test]
    fn of_six_drills_on_two_processors_two_run() {
        let there = |earlier_drills| Room { earlier_drills, ..room(2, u64::MAX, u64::MAX, u64::MAX) };
        let runs = (0..6).filter(|earlier| there(*earlier).lacks(&NEEDS).is_empty()).count();
        assert_eq!(runs, 2);
        let told = there(2).lacks(&NEEDS)[0].to_string();
        assert!(told.contains("3 processors (one for each drill that runs), and there are 2"), "{told}");
    }
}
