//! Put what the secondary environment has onto the disks of the primary one, and start that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, LONG, Words};
use crate::scenario::{Scenario, System};

/// There is nothing to be said: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BringBack {}

impl Declares for BringBack {
    fn words(&self, _: Option<&str>, _: &Scenario, _: &System) -> Result<Words, String> {
        Ok(Words::of("bring the data back to the primary environment".to_owned(), LONG))
    }

    fn milestone(&self, _: &System) -> Option<&'static str> {
        Some("brought_back")
    }
}
