//! Stalls.
/// Watch.
pub struct StallWatch;
