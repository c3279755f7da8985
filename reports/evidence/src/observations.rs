//! What the numbers of a run are computed from, beside the history of its requests.
//!
//! It is stored with the evidence, so that anyone can compute RPO and RTO again and need not believe the record.

use std::collections::BTreeMap;

use blackstart_reports::{
    record::{Endpoint, Interval, Load, Rpo, RpoTarget, Rto, TargetVerdict},
    verdict::{evaluate_outages, evaluate_rpo, evaluate_rto},
};
use serde::{Deserialize, Serialize};

use crate::{
    declared::{RtoEndpoint, ServiceLevel, Targets},
    history::{Sender, Sent},
    measure::{Deadlines, Observed, RecoveryTime, measure_load, outages, recovery_point, recovery_time},
};

/// What was observed. Times are microseconds on the run's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observations {
    /// The interval within which the first fault was put in place; a control has none.
    pub fault_us: Option<Interval<u64>>,
    /// The same of every fault that could take work away, in order.
    #[serde(default)]
    pub faults_us: Vec<Interval<u64>>,
    /// When the recovery started.
    pub recovery_started_us: Option<u64>,
    /// When the recovered service was taken down on purpose, to bring it back to where it came from.
    pub failback_us: Option<u64>,
    /// When the load started.
    pub load_started_us: u64,
    /// From when on the load was undisturbed: the backups of the drill were done.
    #[serde(default)]
    pub undisturbed_us: u64,
    /// When no more requests of the load were sent; absent where that is not known.
    #[serde(default)]
    pub load_stopped_us: Option<u64>,
    /// When the load ended: the last answer was there, or given up.
    pub load_ended_us: u64,
    /// From one intended request of the load to the next.
    pub load_interval_us: u64,
    /// How long clients of the load wait for an answer; zero where that is not known.
    #[serde(default)]
    pub load_deadline_us: u64,
    /// How long the probe waits.
    #[serde(default)]
    pub probe_deadline_us: u64,
    /// The longest stall of the harness itself.
    pub longest_stall_us: u64,
    /// When the harness itself did not run, in order and apart from each other.
    #[serde(default)]
    pub stalls_us: Vec<Interval<u64>>,
    /// Whether a failure was detected before the fault.
    #[serde(default)]
    pub is_disturbed: bool,
    /// When all levels were verified.
    pub verified_us: Option<u64>,
    /// The tokens that the recovered writer held; absent where no one writer could be asked.
    pub survivors: Option<Vec<String>>,
    /// The tokens that the failed node still held; absent where it could not be asked.
    pub stranded: Option<Vec<String>>,
    /// What counted as service.
    pub service_level: ServiceLevel,
    /// What was demanded.
    pub targets: Targets,
    /// What the declared procedure leaves out of the measured time.
    pub excluded: Vec<String>,
}

/// What the observations and a history amount to.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What the clients saw.
    pub load: Load,
    /// The recovery point; absent where nothing is known of what survived, which must not look like a loss of all.
    pub rpo: Option<Rpo>,
    /// The recovery time.
    pub rto: Rto,
    /// From when on service was sustained.
    pub sustained_us: Option<Interval<u64>>,
}

impl Observations {
    /// Computes the numbers. The same observations and history give the same numbers, always.
    pub fn measure(&self, history: &[Sent]) -> Measured {
        let observed = self.observed(history);
        let time = recovery_time(&observed);
        let sustained_us = time.restored.map(|restored| restored.at);
        Measured {
            load: measure_load(&observed, sustained_us),
            rpo: self.survivors.as_ref().map(|_| self.rpo(&observed)),
            rto: self.rto(&observed, &time),
            sustained_us,
        }
    }

    fn observed<'a>(&'a self, history: &'a [Sent]) -> Observed<'a> {
        let last_sent_us = || history.iter().filter(|sent| sent.sender == Sender::Load).map(|sent| sent.sent_us).max();
        Observed {
            history,
            fault: self.fault_us,
            faults: &self.faults_us,
            recovery_started_us: self.recovery_started_us,
            failback_us: self.failback_us,
            load_started_us: self.load_started_us,
            undisturbed_us: self.undisturbed_us,
            load_stopped_us: self.load_stopped_us.or_else(last_sent_us).unwrap_or(self.load_ended_us),
            load_ended_us: self.load_ended_us,
            load_interval_us: self.load_interval_us,
            survivors: self.survivors.as_deref().unwrap_or_default(),
            stranded: self.stranded.as_deref(),
            level: &self.service_level,
            verified_us: self.verified_us,
            stalls: &self.stalls_us,
            is_disturbed: self.is_disturbed,
            deadlines: Deadlines { load_us: self.load_deadline_us, probe_us: self.probe_deadline_us },
        }
    }

    /// The moments that follow from the figures, by name, in milliseconds.
    pub fn moments(&self, measured: &Measured) -> BTreeMap<String, Interval<f64>> {
        let ms = |us: Interval<u64>| Interval::new(us.lower as f64 / 1e3, us.upper as f64 / 1e3);
        let moments = [
            ("fault_in_place", self.fault_us),
            ("service_sustained", measured.sustained_us.filter(|_| self.fault_us.is_some())),
            ("verified", self.verified_us.map(Interval::exactly)),
            ("load_ended", Some(Interval::exactly(self.load_ended_us))),
        ];
        let after_fault =
            |began_ms: &Interval<f64>| self.fault_us.is_some_and(|fault| began_ms.upper >= fault.lower as f64 / 1e3);
        let first_failure = measured.rto.outages.iter().map(|outage| outage.began_ms).find(after_fault);
        let named = moments.into_iter().filter_map(|(name, moment)| Some((name, ms(moment?))));
        named
            .chain(first_failure.map(|began_ms| ("first_failure", began_ms)))
            .map(|(name, at)| (name.to_owned(), at))
            .collect()
    }

    fn rpo(&self, observed: &Observed<'_>) -> Rpo {
        let point = recovery_point(observed);
        let declared = self.targets.rpo.as_ref();
        let target = RpoTarget {
            lost_writes: declared.and_then(|target| target.lost_writes),
            seconds: declared.and_then(|target| target.time).map(|time| time.seconds()),
        };
        let rpo = Rpo {
            exercised: point.exercised,
            time_exercised: point.time_exercised,
            lost_writes: point.lost_writes,
            seconds: point.seconds,
            resolution_seconds: point.resolution_seconds,
            stranded: point.stranded,
            recovered: point.loss.recovered,
            phantom: point.loss.phantom,
            unexpected: point.loss.unexpected,
            duplicated: point.loss.duplicated,
            non_prefix_loss: point.loss.non_prefix_loss,
            verdict: TargetVerdict::NotDeclared,
            target,
            lost: point.lost,
        };
        Rpo { verdict: evaluate_rpo(&rpo, target), ..rpo }
    }

    fn rto(&self, observed: &Observed<'_>, time: &RecoveryTime) -> Rto {
        let declared = self.targets.rto.as_ref();
        let (endpoint, evaluated) = match declared.map(|target| target.endpoint).unwrap_or_default() {
            RtoEndpoint::Service => (Endpoint::Service, time.service),
            RtoEndpoint::Recovery => (Endpoint::Recovery, time.recovery),
            RtoEndpoint::Verified => (Endpoint::Verified, time.verified),
        };
        let target = declared.map(|target| target.within.seconds());
        let merge_us = self.service_level.sustained_for.duration().as_micros() as u64;
        let outages = outages(observed.history, merge_us, observed.load_ended_us, observed.stalls);
        let upper_is_sample = time.restored.is_some_and(|restored| !restored.is_bound);
        let verdict = match (observed.fault, target) {
            (None, _) => evaluate_outages(&outages, target),
            (Some(_), Some(_)) if !time.exercised => TargetVerdict::NotExercised,
            _ => evaluate_rto(evaluated, upper_is_sample && endpoint != Endpoint::Verified, target),
        };
        let failback_target = self.targets.failback.as_ref().map(|target| target.within.seconds());
        Rto {
            exercised: time.exercised,
            service: time.service,
            recovery: time.recovery,
            verified: time.verified,
            endpoint,
            target,
            verdict,
            outages,
            excluded: self.excluded.clone(),
            failback: time.failback.map(|(seconds, _)| seconds),
            failback_target,
            failback_verdict: self.evaluate_failback(time, failback_target),
            upper_is_sample,
            tight_loop_seconds: time.tight_loop,
        }
    }

    /// A failback that the drill never came to exercises nothing.
    fn evaluate_failback(&self, time: &RecoveryTime, target: Option<f64>) -> TargetVerdict {
        match (self.failback_us.filter(|_| time.exercised), target) {
            (None, Some(_)) => TargetVerdict::NotExercised,
            _ => evaluate_rto(
                time.failback.map(|(seconds, _)| seconds),
                time.failback.is_some_and(|(_, is_bound)| !is_bound),
                target,
            ),
        }
    }
}
