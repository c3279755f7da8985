//! Rules of what a node may take of its machine: neither so little that nothing can run, nor so much that it is no limit.

use super::{Note, SystemRule};
use crate::scenario::{System, units::Size};

pub(super) const RULES: &[SystemRule] = &[memory, processes];

const MIB: u64 = 1024 * 1024;
const LEAST_MEMORY: u64 = 16 * MIB;
/// 1TiB: more than the machine of any drill.
const MOST_MEMORY: u64 = 1024 * 1024 * MIB;
const LEAST_PROCESSES: u32 = 8;
/// As many as a kernel numbers where nobody has told it otherwise.
const MOST_PROCESSES: u32 = 32_768;

fn memory(system: &System) -> Vec<Note> {
    let declared = system.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, node.limits.memory?)));
    declared.filter_map(|(index, memory)| absurd_memory(&format!("nodes[{index}].limits.memory"), memory)).collect()
}

fn absurd_memory(key: &str, memory: Size) -> Option<Note> {
    match memory.bytes() {
        ..LEAST_MEMORY => Some(Note::new(
            key,
            format!("no program runs in {memory}"),
            "write 16MiB or more, or leave it out for 1GiB",
        )),
        LEAST_MEMORY..=MOST_MEMORY => None,
        _ => {
            Some(Note::new(key, format!("{memory} is not a limit"), "write 1024GiB or less, or leave it out for 1GiB"))
        }
    }
}

fn processes(system: &System) -> Vec<Note> {
    let declared = system.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, node.limits.processes?)));
    let absurd = declared.filter(|(_, processes)| !(LEAST_PROCESSES..=MOST_PROCESSES).contains(processes));
    let note = |(index, processes): (usize, u32)| {
        let problem = match processes {
            ..LEAST_PROCESSES => {
                format!("{processes} processes are too few for a node and the commands that drills run on it")
            }
            _ => format!("{processes} processes are no limit"),
        };
        let mend = format!("write {LEAST_PROCESSES} to {MOST_PROCESSES}, or leave it out for 1024");
        Note::new(format!("nodes[{index}].limits.processes"), problem, mend)
    };
    absurd.map(note).collect()
}
