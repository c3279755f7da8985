//! How much the engine's machine has to give, as far as it can be told without making anything there.

use std::{fs, path::Path};

use bollard::models::SystemInfo;

use super::{DockerWorld, errors::Doing};
use crate::world::Result;

/// What the machine has. What cannot be told from here is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Processors of the engine.
    pub processors: Option<u64>,
    /// Memory in bytes: what is available now where the engine is on this machine, and otherwise what there is in all.
    pub memory_bytes: Option<u64>,
    /// Free bytes where the engine keeps images, containers and volumes.
    pub disk_bytes: Option<u64>,
}

impl DockerWorld {
    /// What the engine's machine has to give.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn capacity(&self) -> Result<Capacity> {
        let info = self.docker.info().await.doing("ask the engine what its machine has")?;
        let is_here = is_of_this_machine(&info);
        let available = || fs::read_to_string("/proc/meminfo").ok().and_then(|told| memory_available(&told));
        let root = info.docker_root_dir.as_deref().filter(|_| is_here);
        Ok(Capacity {
            processors: info.ncpu.and_then(positive),
            memory_bytes: available().filter(|_| is_here).or_else(|| info.mem_total.and_then(positive)),
            disk_bytes: root.and_then(|root| free_bytes(Path::new(root))),
        })
    }
}

/// Whether the engine runs on the machine, and in the root, in which this process runs.
fn is_of_this_machine(info: &SystemInfo) -> bool {
    let own = rustix::system::uname();
    let is_own = |told: &Option<String>, own: &std::ffi::CStr| told.as_deref() == own.to_str().ok();
    is_own(&info.name, own.nodename()) && is_own(&info.kernel_version, own.release())
}

/// Bytes that an ordinary user may still write where a folder lies.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// What the kernel's table of memory calls available.
fn memory_available(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn positive(told: i64) -> Option<u64> {
    u64::try_from(told).ok().filter(|told| *told > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_of_memory_is_read() {
        let told = "MemTotal:       24684084 kB\nMemFree:         1000 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(memory_available(told), Some(2048 * 1024));
        assert_eq!(memory_available("MemFree: 1 kB\n"), None);
        assert_eq!(memory_available("MemAvailable: many kB\n"), None);
    }

    #[test]
    fn an_engine_of_another_machine_is_not_taken_for_this_one() {
        let own = rustix::system::uname();
        let text = |word: &std::ffi::CStr| Some(word.to_string_lossy().into_owned());
        let here = SystemInfo { name: text(own.nodename()), kernel_version: text(own.release()), ..Default::default() };
        assert!(is_of_this_machine(&here));
        assert!(!is_of_this_machine(&SystemInfo { name: Some("elsewhere".into()), ..here.clone() }));
        assert!(!is_of_this_machine(&SystemInfo { kernel_version: None, ..here }));
    }

    #[test]
    fn free_room_is_told_of_what_is_there_alone() {
        assert!(free_bytes(Path::new("/")).is_some_and(|free| free > 0));
        assert_eq!(free_bytes(Path::new("/not/there")), None);
    }
}
