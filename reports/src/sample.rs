//! Invented records, for tests only: one of each kind that a report must do justice to.
//!
//! The numbers hang together (milestones, outages, bounds and verdicts agree), but none was ever measured.

#[cfg(test)]
mod hostile;

use std::collections::BTreeMap;

#[cfg(test)]
pub(crate) use hostile::hostile;

use crate::record::*;
use crate::verdict::{evaluate_rpo, evaluate_rto, level_status};

/// When the fault of the invented runs was put in place.
const FAULT_MS: Interval<f64> = Interval::new(4_312.4, 4_318.9);

/// A passed drill: the zone with the primary fails, with synchronous replication.
pub fn sample_record() -> Record {
    Record {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".to_owned(),
        run_id: "20261121-221455-om-primary-zone-sync-7".to_owned(),
        started_at: "2026-11-21T22:14:55Z".to_owned(),
        scenario: scenario("om-primary-zone-sync", "The zone with the primary fails; the synchronous standby takes over", &["OM-1", "OM-3"]),
        seed: 7,
        world: World::Docker,
        verdict: Verdict::Passed,
        reasons: vec!["every target was met and every declared check passed".to_owned()],
        rpo: Some(rpo(0, 0, 0.0, 0.0, RpoTarget { lost_writes: Some(0), seconds: Some(0.5) })),
        rto: Some(rto(Interval::new(1.2411, 1.2977), 5.0)),
        rpo_unmeasured: None,
        levels: levels(),
        nodes_down: Vec::new(),
        disturbed: None,
        data_classes: Vec::new(),
        backups: vec![
            backup("full-1", "pgbackrest full", Some(true), 48_234_496, 2.41),
            backup("wal-1", "pgbackrest archive", None, 16_777_216, 0.22),
        ],
        faults: vec![zone_outage()],
        conditions: Vec::new(),
        procedure: promotion(),
        milestones: milestones(),
        phases: phases(),
        load: Some(load()),
        harness: HarnessHealth { longest_stall_ms: 3.1, degraded: false },
        timeline: timeline(),
        notes: vec!["The seed fixes victims, times, recovery points and the order of requests; it does not fix the kernel, the network or the scheduler.".to_owned()],
        isolation: Vec::new(),
        leftovers: Vec::new(),
    }
}

/// A failed drill: the same outage with asynchronous replication loses acknowledged writes, leaves a hole, and a
/// check of consistency finds it. It also could not remove one volume.
pub fn failed_async() -> Record {
    let mut record = sample_record();
    rename(
        &mut record,
        "om-primary-zone-async",
        "The zone with the primary fails; the asynchronous standby takes over",
    );
    let mut measured = rpo(14, 16, 0.6621, 0.7403, RpoTarget { lost_writes: Some(0), seconds: Some(0.5) });
    measured.non_prefix_loss = 1;
    measured.recovered = 2;
    measured.stranded = Some(13);
    measured.lost = (0..14_u32).map(lost_write).collect();
    record.rpo = Some(measured);
    fail_check(
        &mut record,
        4,
        "orders-agree-with-ledger",
        "14 orders of 412 acknowledged by the application are missing in the ledger: o-000398, o-000399, o-000400, o-000401 and 10 more",
    );
    tolerate_check(&mut record, 3, "restore-skew", "skew between the stores is 0.74 s, and 1 s is tolerated");
    record.verdict = Verdict::Failed;
    record.reasons = vec![
        "the RPO target was missed".to_owned(),
        "level 4 (consistency), check orders-agree-with-ledger: 14 orders of 412 acknowledged by the application are missing in the ledger".to_owned(),
    ];
    record.conditions = vec![slow_link()];
    record.leftovers = vec!["volume bs-7f3a-zone-b-data (device or resource busy)".to_owned()];
    record
}

/// An inconclusive drill: the target of the recovery time lies between its bounds, by a hair.
pub fn inconclusive() -> Record {
    let mut record = sample_record();
    rename(
        &mut record,
        "om-primary-zone-tight",
        "The zone with the primary fails, against a target that the resolution hardly tells",
    );
    record.rto = Some(rto(Interval::new(1.2411, 1.2502), 1.25));
    record.verdict = Verdict::Inconclusive;
    record.reasons = vec![
        "the RTO target lies between the measured bounds".to_owned(),
        "the harness stalled for 41 ms, more than half its probe interval".to_owned(),
    ];
    record.harness = HarnessHealth { longest_stall_ms: 41.3, degraded: true };
    record
}

/// A drill that could not run: the engine cannot put the declared fault in place.
pub fn could_not_run() -> Record {
    let mut record = sample_record();
    rename(&mut record, "im-site-link-latency", "The link between the sites becomes slow while the mart is copied");
    record.verdict = Verdict::CouldNotRun;
    record.reasons = vec!["provision, step 3: this engine has no netem (kernel module sch_netem is missing); latency cannot be put on a link".to_owned()];
    (record.rpo, record.rto, record.load) = (None, None, None);
    record.levels = Vec::new();
    record.backups = Vec::new();
    record.faults = Vec::new();
    record.procedure = Vec::new();
    record.milestones = BTreeMap::new();
    record.phases =
        vec![phase("declare", 0.01), phase("plan", 0.01), phase("provision", 0.84), phase("tear down", 0.62)];
    record.timeline = vec![entry(12.0, "phase", "provision"), entry(858.0, "phase", "tear down")];
    record
}

/// A control: the whole drill with nothing broken. Nothing may be lost, and there is no recovery time to speak of.
pub fn control() -> Record {
    let mut record = sample_record();
    rename(&mut record, "om-control", "Control: the whole drill with nothing broken");
    record.scenario.disaster = Disaster { origin: "man-made".to_owned(), cause: "none".to_owned() };
    record.faults = Vec::new();
    record.procedure = Vec::new();
    record.backups = Vec::new();
    if let Some(rto) = &mut record.rto {
        (rto.service, rto.recovery, rto.verified, rto.target) = (None, None, None, None);
        rto.exercised = false;
        rto.verdict = TargetVerdict::NotDeclared;
        rto.outages = Vec::new();
        rto.excluded = Vec::new();
        rto.tight_loop_seconds = None;
    }
    if let Some(rpo) = &mut record.rpo {
        (rpo.recovered, rpo.stranded, rpo.time_exercised) = (0, None, false);
    }
    record.milestones = BTreeMap::from([("verified".to_owned(), Interval::exactly(7_214.0))]);
    record.timeline = vec![
        entry(12.0, "phase", "provision"),
        entry(1_921.0, "phase", "load"),
        entry(5_802.0, "phase", "verify"),
        entry(7_214.0, "phase", "measure"),
        entry(7_241.0, "phase", "tear down"),
    ];
    if let Some(load) = &mut record.load {
        load.stages = vec![stage("before", 3.85, 385, 0, 0)];
        (load.acknowledged, load.refused, load.indeterminate) = (385, 0, 0);
    }
    if let Some(level) = record.levels.get_mut(5) {
        *level =
            LevelResult { level: 6, name: "monitoring".to_owned(), status: Status::NotDeclared, checks: Vec::new() };
    }
    record
}

/// The passed drill in the simulated world: the same form, never evidence.
pub fn simulated() -> Record {
    let mut record = sample_record();
    record.world = World::Simulated;
    record.run_id = "simulated-om-primary-zone-sync-7".to_owned();
    record.backups = Vec::new();
    record
}

/// A drill in which service never came back: no recovery time, an outage without end, levels that were not reached.
pub fn never_recovered() -> Record {
    let mut record = sample_record();
    rename(&mut record, "om-two-zones-outage", "Two of three zones fail, and no zone that is left holds the data");
    let mut measured = rto(Interval::exactly(0.0), 5.0);
    (measured.service, measured.recovery, measured.verified) = (None, None, None);
    measured.verdict = TargetVerdict::Failed;
    measured.tight_loop_seconds = None;
    for outage in &mut measured.outages {
        (outage.ended_ms, outage.failed_requests) = (None, 288);
    }
    record.rto = Some(measured);
    record.rpo = None;
    for level in &mut record.levels {
        for check in &mut level.checks {
            (check.status, check.duration_ms) = (Status::NotReached, 0);
            "the drill ended before it".clone_into(&mut check.detail);
        }
        level.status = level_status(level.checks.iter().map(|check| check.status));
    }
    if let Some(step) = record.procedure.get_mut(1) {
        (step.status, step.duration_ms) = (Status::Failed, 2_000.0);
        "pg_promote: no such node: zone-b is down".clone_into(&mut step.detail);
    }
    record.procedure.truncate(2);
    record.timeline.retain(|entry| entry.at_ms < 5_000.0 || entry.text == "tear down");
    if let Some(load) = &mut record.load {
        load.stages = vec![stage("before", 2.39, 239, 0, 0), stage("during", 2.93, 0, 281, 7)];
        (load.acknowledged, load.refused, load.indeterminate) = (239, 281, 7);
    }
    record.milestones.retain(|name, _| {
        !matches!(name.as_str(), "server_accepting" | "service_sustained" | "verified" | "data_in_place")
    });
    record.verdict = Verdict::Failed;
    record.reasons = vec![
        "the RTO target was missed".to_owned(),
        "recovery step \"promote standby pg-b\" failed: pg_promote: no such node: zone-b is down".to_owned(),
        "the RPO was not measured".to_owned(),
    ];
    record
}

/// Every invented record.
pub fn all() -> Vec<Record> {
    vec![sample_record(), failed_async(), inconclusive(), could_not_run(), control(), simulated(), never_recovered()]
}

fn scenario(id: &str, title: &str, covers: &[&str]) -> ScenarioRef {
    ScenarioRef {
        id: id.to_owned(),
        title: title.to_owned(),
        digest: "5f2c8f6f0d3a4a1e9b7c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f708".to_owned(),
        covers: covers.iter().map(|&id| id.to_owned()).collect(),
        disaster: Disaster { origin: "man-made".to_owned(), cause: "infrastructure-failure".to_owned() },
    }
}

fn rename(record: &mut Record, id: &str, title: &str) {
    record.run_id = format!("20261121-221455-{id}-7");
    id.clone_into(&mut record.scenario.id);
    title.clone_into(&mut record.scenario.title);
}

fn rpo(lower: u64, upper: u64, from: f64, to: f64, target: RpoTarget) -> Rpo {
    let (lost_writes, seconds) = (Interval::new(lower, upper), Interval::new(from, to));
    let rpo = Rpo {
        exercised: true,
        time_exercised: true,
        lost_writes,
        seconds,
        resolution_seconds: 0.05,
        stranded: Some(0),
        recovered: 1,
        phantom: 0,
        unexpected: 0,
        duplicated: 0,
        non_prefix_loss: 0,
        target,
        verdict: TargetVerdict::NotDeclared,
        lost: Vec::new(),
    };
    Rpo { verdict: evaluate_rpo(&rpo, target), ..rpo }
}

fn lost_write(index: u32) -> LostWrite {
    let sent_ms = 3_578.6 + 50.0 * f64::from(index);
    LostWrite {
        token: format!("o-{:06}", 398 + index),
        kind: if index.is_multiple_of(3) { "ship-order" } else { "place-order" }.to_owned(),
        sent_ms,
        acknowledged_ms: sent_ms + 3.2,
        stranded: Some(index != 9),
    }
}

fn rto(service: Interval<f64>, target: f64) -> Rto {
    Rto {
        exercised: true,
        service: Some(service),
        recovery: Some(Interval::new(service.lower - 0.5089, service.upper - 0.5024)),
        verified: Some(Interval::new(2.8951, 2.9016)),
        endpoint: Endpoint::Service,
        target: Some(target),
        verdict: evaluate_rto(Some(service), false, Some(target)),
        outages: vec![Outage {
            began_ms: Interval::new(4_302.0, 4_351.9),
            ended_ms: Some(Interval::new(5_560.0, 5_610.1)),
            failed_requests: 126,
            upper_is_sample: false,
        }],
        excluded: vec!["the time that a person takes to decide (declared: 15 min)".to_owned()],
        failback: None,
        failback_target: None,
        failback_verdict: TargetVerdict::NotDeclared,
        upper_is_sample: false,
        tight_loop_seconds: Some(Interval::new(1.2519, 1.2561)),
    }
}

fn levels() -> Vec<LevelResult> {
    let caveat = "a stale page passes page checksums";
    vec![
        level(
            1,
            "system",
            vec![
                check("primary-writable", "pg-b is not in recovery, timeline 2", 8, None),
                check("page-checksums", "pg_amcheck read 214 relations, no error", 412, Some(caveat)),
            ],
        ),
        level(
            2,
            "module and application",
            vec![
                check("app-starts", "3 of 3 replicas answer /ready", 21, None),
                check("schema-version", "schema version is 14", 3, None),
            ],
        ),
        level(
            3,
            "process instance",
            vec![
                check("orders-legal", "412 orders, each in a legal state", 14, None),
                check("restore-skew", "skew between the stores is 0.00 s", 9, None),
            ],
        ),
        level(
            4,
            "consistency",
            vec![check("orders-agree-with-ledger", "412 orders in both stores, every state equal", 18, None)],
        ),
        level(
            5,
            "invocation",
            vec![
                check("place-order", "a new order was placed and read back", 11, None),
                check("async-shipment", "a shipment event arrived after 0.2 s", 204, None),
            ],
        ),
        level(6, "monitoring", vec![check("order-visible", "the new order shows in the activity monitor", 310, None)]),
    ]
}

fn level(level: u8, name: &str, checks: Vec<CheckResult>) -> LevelResult {
    LevelResult { level, name: name.to_owned(), status: level_status(checks.iter().map(|check| check.status)), checks }
}

fn check(id: &str, detail: &str, duration_ms: u64, cannot_prove: Option<&str>) -> CheckResult {
    CheckResult {
        id: id.to_owned(),
        status: Status::Passed,
        detail: detail.to_owned(),
        duration_ms,
        cannot_prove: cannot_prove.map(str::to_owned),
    }
}

fn fail_check(record: &mut Record, level: u8, id: &str, detail: &str) {
    set_check(record, level, id, Status::Failed, detail);
}

fn tolerate_check(record: &mut Record, level: u8, id: &str, detail: &str) {
    set_check(record, level, id, Status::Tolerated, detail);
}

fn set_check(record: &mut Record, number: u8, id: &str, status: Status, detail: &str) {
    for level in record.levels.iter_mut().filter(|level| level.level == number) {
        for check in level.checks.iter_mut().filter(|check| check.id == id) {
            check.status = status;
            detail.clone_into(&mut check.detail);
        }
        level.status = level_status(level.checks.iter().map(|check| check.status));
    }
}

fn backup(id: &str, method: &str, valid: Option<bool>, bytes: u64, seconds: f64) -> Backup {
    Backup { valid, ..Backup::taken(id, method, bytes, seconds) }
}

fn zone_outage() -> FaultResult {
    FaultResult {
        kind: "zone-outage".to_owned(),
        summary: "zone a loses its network and its power: pg-a, app-a".to_owned(),
        victims: vec!["pg-a".to_owned(), "app-a".to_owned()],
        proof: "a connection to pg-a:5432 was refused after 2.1 ms; a write of 8 kB to its volume returned EIO"
            .to_owned(),
        began_ms: FAULT_MS,
        healed_ms: None,
    }
}

fn slow_link() -> FaultResult {
    FaultResult {
        kind: "link-bandwidth".to_owned(),
        summary: "the link from pg-a to pg-b carries 256 kbit/s".to_owned(),
        victims: vec!["pg-a".to_owned(), "pg-b".to_owned()],
        proof: "64 kB took 2.04 s, 0.01 s before".to_owned(),
        began_ms: Interval::new(1_930.2, 1_934.8),
        healed_ms: Some(Interval::new(4_330.0, 4_332.5)),
    }
}

fn promotion() -> Vec<StepResult> {
    vec![
        step("confirm that pg-a is gone", 4_821.3, 24.1, "3 of 3 probes failed"),
        step("promote standby pg-b", 4_845.6, 211.7, "pg_promote returned true, timeline 2"),
        step("point the balancer at pg-b", 5_057.5, 38.4, "backend pg-b is up"),
        step("wait for the first write", 5_096.1, 455.9, "order o-000413 acknowledged"),
    ]
}

fn step(name: &str, began_ms: f64, duration_ms: f64, detail: &str) -> StepResult {
    StepResult { name: name.to_owned(), began_ms, duration_ms, status: Status::Passed, detail: detail.to_owned() }
}

fn milestones() -> BTreeMap<String, Interval<f64>> {
    let at = |name: &str, lower: f64, upper: f64| (name.to_owned(), Interval::new(lower, upper));
    BTreeMap::from([
        at("fault_in_place", FAULT_MS.lower, FAULT_MS.upper),
        at("first_failure", 4_351.9, 4_351.9),
        at("detected", 4_818.0, 4_818.0),
        at("recovery_started", 4_821.3, 4_821.3),
        at("data_in_place", 5_057.3, 5_057.3),
        at("server_accepting", 5_096.0, 5_104.2),
        at("service_sustained", 5_560.0, 5_610.1),
        at("verified", 7_214.0, 7_214.0),
    ])
}

fn phases() -> Vec<Phase> {
    vec![
        phase("declare", 0.006),
        phase("plan", 0.006),
        phase("provision", 1.909),
        phase("load", 1.95),
        phase("protect", 0.441),
        phase("inject", 0.007),
        phase("recover", 1.292),
        phase("verify", 1.603),
        phase("measure", 0.027),
        phase("tear down", 2.081),
    ]
}

fn phase(name: &str, seconds: f64) -> Phase {
    Phase { name: name.to_owned(), seconds }
}

fn load() -> Load {
    Load {
        acknowledged: 536,
        refused: 119,
        indeterminate: 7,
        latency_ms: Some(Latency { p50: 3.2, p99: 24.7, max: 48.3 }),
        stages: vec![
            stage("before", 2.39, 239, 0, 0),
            stage("during", 1.29, 3, 119, 7),
            stage("after", 2.94, 294, 0, 0),
        ],
    }
}

fn stage(stage: &str, seconds: f64, acknowledged: u64, refused: u64, indeterminate: u64) -> LoadStage {
    let latency_ms = Some(Latency { p50: 3.2, p99: 24.7, max: 48.3 }).filter(|_| acknowledged > 10);
    let bucket = |at_most_ms, count| LatencyBucket { at_most_ms, count };
    let latency_histogram = match (latency_ms, acknowledged) {
        (None, _) => Vec::new(),
        (Some(_), all) => vec![bucket(4.0, all - all / 4), bucket(8.0, all / 4 - all / 20), bucket(64.0, all / 20)],
    };
    LoadStage { stage: stage.to_owned(), seconds, acknowledged, refused, indeterminate, latency_ms, latency_histogram }
}

fn timeline() -> Vec<TimelineEntry> {
    vec![
        entry(12.0, "phase", "provision: 3 zones, 2 databases, 3 replicas of the application, 1 balancer"),
        entry(1_921.0, "phase", "load: 100 requests a second"),
        entry(3_871.0, "phase", "protect: full backup full-1"),
        entry(4_312.4, "fault", "zone a loses its network and its power: pg-a, app-a"),
        entry(4_351.9, "client", "first request failed: connection refused"),
        entry(4_818.0, "client", "detected: 3 probes in a row failed"),
        entry(4_821.3, "recovery", "confirm that pg-a is gone"),
        entry(4_845.6, "recovery", "promote standby pg-b"),
        entry(5_057.5, "recovery", "point the balancer at pg-b"),
        entry(5_610.1, "client", "first request of sustained service"),
        entry(5_611.0, "phase", "verify: six levels"),
        entry(7_214.0, "check", "all declared levels verified"),
        entry(7_241.0, "phase", "tear down"),
    ]
}

fn entry(at_ms: f64, kind: &str, text: &str) -> TimelineEntry {
    TimelineEntry { at_ms, kind: kind.to_owned(), text: text.to_owned() }
}
