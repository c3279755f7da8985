//! Recovery: the detection of a failure, and the steps of the declared procedure.
//!
//! Carries out what the plan says, step by step, and tells what came back. Whether the system is well again is not for
//! this module to decide.

mod detector;
mod procedure;
mod secondary;
mod step;

pub use detector::{AlertDetector, Detector};
pub use procedure::{FaultsInPlace, Procedure};
pub use secondary::Secondary;
