//! What holds a node in: what it may take of its machine, and the ways out that it must not have.

/// What a container may take of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory, swap included.
    pub memory_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 1024 * 1024 * 1024, processes: 1024 }
    }
}

/// What was tried to get out of a node that has no way out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaysOut {
    /// Every way that was tried.
    pub tried: Vec<String>,
    /// Those that answered, and how.
    pub open: Vec<String>,
}
