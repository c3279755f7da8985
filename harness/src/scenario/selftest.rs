//! What a user declares of a system's self-test: the state from which it starts, and the defects that its checks must find.
//!
//! Steps are those of a recovery's procedure, and are validated and carried out as such.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Scenario, System,
    drill::{Cause, DisasterClass, Load, Origin, Probe, Recoverer, Recovery, RpoTarget, ServiceLevel, Targets},
    step::Step,
    units::Span,
};

/// How the system is made ready for its self-test, and brought back to that state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// What clients do first, so that there is data.
    pub load: Load,
    /// For how long.
    pub lasts: Span,
    /// The request by which the service is seen to answer; it must be one that writes.
    pub probe: String,
    /// Steps in the middle of the load, such as one that keeps an older version of the data.
    #[serde(default)]
    pub midway: Vec<Step>,
    /// Steps that save the state of the system, once the load has ended and every check has passed.
    pub save: Vec<Step>,
    /// Steps that bring the saved state back, after every defect: list by list, those of one list side by side.
    pub restore: Vec<Vec<Step>>,
    /// The most that a check may take here, where it may take longer in a drill: nothing is recovering. 2 s where nothing
    /// is said.
    pub patience: Option<Span>,
}

/// A defect that is put into the healthy system on purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// Its identifier; unique.
    pub id: String,
    /// What kind of damage it is, for whoever reads the list: `data`, `wal`, `logical`.
    pub family: String,
    /// What is wrong then, in words.
    pub about: String,
    /// Steps before it, between which and the defect clients write once more.
    #[serde(default)]
    pub prepare: Vec<Step>,
    /// The steps that put it in place. The last one must see that it did, and print what it saw.
    pub inject: Vec<Step>,
    /// Steps before the saved state is brought back: a node that was taken down is started again, say.
    #[serde(default)]
    pub undo: Vec<Step>,
    /// The checks that must find it, by their identifiers; `rpo` stands for the measured recovery point.
    #[serde(default)]
    pub must_be_caught_by: Vec<String>,
    /// Why no check can find it, where that is so.
    pub cannot_be_caught: Option<String>,
}

impl SelfTest {
    /// The self-test as a scenario in which nothing breaks; `procedure` is what is to be carried out in it.
    pub fn scenario(&self, system: &System, procedure: &[Step]) -> Scenario {
        let none = DisasterClass { origin: Origin::None, cause: Cause::None };
        let procedure = procedure.to_vec();
        let recovery = Recovery {
            by: Recoverer::Nobody,
            detect: None,
            alert: None,
            decision: None,
            procedure,
            within: None,
            afterwards: Vec::new(),
        };
        Scenario {
            scenario: "selftest".to_owned(),
            title: format!("Every check of {} is seen failing", system.system),
            system: system.system.clone(),
            covers: Vec::new(),
            disaster: none,
            parameters: std::collections::BTreeMap::new(),
            replication: None,
            load: self.load.clone(),
            probe: Probe { request: self.probe.clone(), every: Span::from_ms(50), deadline: self.load.deadline },
            conditions: Vec::new(),
            schedule: None,
            backups: Vec::new(),
            restore_test: false,
            faults: Vec::new(),
            recovery,
            service_level: ServiceLevel::default(),
            targets: Targets { rpo: Some(RpoTarget { lost_writes: Some(0), time: None }), rto: None, failback: None },
            tolerate: Vec::new(),
        }
    }
}
