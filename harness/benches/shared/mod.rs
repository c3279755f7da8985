//! What the benchmarks share: time that was really spent computing, whatever else this machine was doing.

use std::time::Duration;

/// How long the calling process's only thread has run on a processor; zero where the kernel does not tell.
pub fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}
