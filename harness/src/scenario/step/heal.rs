//! End every reversible fault that is in place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, SHORT, Words};
use crate::scenario::{Scenario, System, units::Span};

/// End every reversible fault that is in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealStep {
    /// Wait so long afterwards, for what returns to settle.
    pub settle: Span,
}

impl Declares for HealStep {
    fn words(&self, _: Option<&str>, _: &Scenario, _: &System) -> Result<Words, String> {
        Ok(Words::of("heal every fault in place".to_owned(), SHORT))
    }

    fn milestone(&self, _: &System) -> Option<&'static str> {
        Some("healed")
    }
}
