//! What a scenario declares that figures are held against: the level of service, and the targets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Share, Span};

/// What counts as service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceLevel {
    /// The share of the throughput before the fault.
    pub throughput: Share,
    /// The share of requests that may fail.
    pub errors: Share,
    /// For how long both must hold; and they must hold to the end of the run.
    pub sustained_for: Span,
}

impl Default for ServiceLevel {
    fn default() -> Self {
        Self {
            throughput: Share::from_fraction(0.9),
            errors: Share::from_fraction(0.01),
            sustained_for: Span::from_ms(2000),
        }
    }
}

/// What is demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The recovery point.
    pub rpo: Option<RpoTarget>,
    /// The recovery time.
    pub rto: Option<RtoTarget>,
    /// The failback: how long taking the recovered service down on purpose, to bring it back home, may keep it away.
    pub failback: Option<FailbackTarget>,
}

/// The recovery point demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpoTarget {
    /// Acknowledged writes that may be lost.
    pub lost_writes: Option<u64>,
    /// Acknowledged work that may be lost, as a span of time before the fault.
    pub time: Option<Span>,
}

/// The recovery time demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtoTarget {
    /// The most it may take.
    pub within: Span,
    /// From where to where it is measured.
    #[serde(default)]
    pub endpoint: RtoEndpoint,
}

/// The failback demanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailbackTarget {
    /// The most it may take, from taking the service down to sustained service.
    pub within: Span,
}

/// From where to where a recovery time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RtoEndpoint {
    /// From the fault to sustained service.
    #[default]
    Service,
    /// From the start of recovery to sustained service.
    Recovery,
    /// From the fault to all levels verified.
    Verified,
}
