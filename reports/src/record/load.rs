//! What the clients saw: counts and latencies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Latency, counted from the intended time of sending: of acknowledged requests, and of those that were told nothing definite,
/// which waited until their deadline at least.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

/// Requests of like latency. Each bucket reaches up to twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyBucket {
    /// The longest latency that falls into it, included.
    pub at_most_ms: f64,
    /// How many requests do.
    pub count: u64,
}

/// The load in one stretch of the run: before the fault, until service was sustained again, and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadStage {
    /// `before`, `during` or `after`.
    pub stage: String,
    /// How long the stretch was.
    pub seconds: f64,
    /// Requests acknowledged.
    pub acknowledged: u64,
    /// Requests that were definitely not done.
    pub refused: u64,
    /// Requests without a definite answer.
    pub indeterminate: u64,
    /// Latency, where anything was acknowledged.
    pub latency_ms: Option<Latency>,
    /// The same as a histogram, from the shortest latency on; empty where nothing was acknowledged.
    #[serde(default)]
    pub latency_histogram: Vec<LatencyBucket>,
}

/// What the clients saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Requests acknowledged.
    pub acknowledged: u64,
    /// Requests that were definitely not done.
    pub refused: u64,
    /// Requests without a definite answer.
    pub indeterminate: u64,
    /// Latency over the whole run, where anything was acknowledged.
    pub latency_ms: Option<Latency>,
    /// The same, stage by stage.
    pub stages: Vec<LoadStage>,
}
