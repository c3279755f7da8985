//! A plan made in code: order management on three zones, with the two replicated servers in zones a and b.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    files::Reach,
    plan::{self, Plan},
    scenario::{
        Declared, Scenario, System,
        drill::{Cause, DisasterClass, Load, Origin, Probe, Recoverer, Recovery, ServiceLevel, Targets},
        fault::{Declares, OutageCause, ZoneOutage},
        question::{Asked, Criterion, SqlQuestion},
        system::{Database, Node, Replication, Request, Role, Service, Site},
        units::{OneOf, Span},
    },
};

/// The query for survivors.
pub(super) const SURVIVORS: &str = "SELECT token FROM requests";

/// The plan, with its standby waited for or not.
pub(super) fn order_management(replication: Replication) -> Plan {
    plan::build(
        Declared {
            scenario: scenario(),
            system: system(replication),
            scenario_file: PathBuf::from("test.yaml"),
            system_file: PathBuf::from("system.yaml"),
            reach: Reach::default(),
            warnings: Vec::new(),
        },
        7,
    )
    .unwrap()
}

/// The partition of a zone from all others, as a zone outage has it.
pub(super) fn partition_of_zone(plan: &Plan, zone: &str) -> BTreeMap<String, Vec<String>> {
    let Declared { scenario, system, .. } = &*plan.declared;
    let outage = ZoneOutage { zone: OneOf(vec![zone.into()]), by: OutageCause::Partitioned };
    ZoneOutage::refuses(&outage.victims(scenario, system), system)
}

fn node(name: &str, role: Role, zone: Option<&str>) -> Node {
    let holds_data = role.is_clustered() || role == Role::Database;
    Node {
        name: name.into(),
        role,
        zone: zone.map(str::to_owned),
        image: "image".into(),
        command: Vec::new(),
        of: None,
        replication: None,
        data: holds_data.then(|| "/data".to_owned()),
        environment: BTreeMap::new(),
        files: Vec::new(),
        password_file: None,
        observe: Vec::new(),
        ready: None,
        limits: Default::default(),
    }
}

fn system(replication: Replication) -> System {
    let standby =
        Node { of: Some("db-a".into()), replication: Some(replication), ..node("db-b", Role::Standby, Some("b")) };
    let mut nodes = vec![node("balancer", Role::Balancer, None)];
    nodes.extend(["a", "b", "c"].map(|zone| node(&format!("app-{zone}"), Role::Application, Some(zone))));
    nodes.push(node("db-a", Role::Primary, Some("a")));
    nodes.extend([standby, node("monitor", Role::Monitor, None), node("monitor-db", Role::Database, None)]);
    let database = |nodes: &[&str]| Database {
        nodes: nodes.iter().map(|name| (*name).to_owned()).collect(),
        port: 5432,
        user: "observer".into(),
        is_writer: Some(Criterion { expect: None, kind: SqlQuestion::new("SELECT true").into() }),
        is_replica: None,
        moment: None,
    };
    System {
        data_classes: Vec::new(),
        storage: None,
        system: "order-management".into(),
        about: "a test".into(),
        residency: None,
        sites: vec![Site { name: "s".into(), region: "r".into(), zones: vec!["a".into(), "b".into(), "c".into()] }],
        parameters: BTreeMap::new(),
        images: BTreeMap::new(),
        nodes,
        databases: BTreeMap::from([
            ("orders".to_owned(), database(&["db-a", "db-b"])),
            ("monitor".to_owned(), database(&["monitor-db"])),
        ]),
        setup: Vec::new(),
        service: service(),
        operations: BTreeMap::new(),
        backups: BTreeMap::new(),
        checks: Vec::new(),
        selftest: None,
        defects: Vec::new(),
    }
}

fn service() -> Service {
    let place = Request {
        method: None,
        path: "/requests".into(),
        body: None,
        acknowledged: vec![201, 200],
        refused: vec![503],
    };
    Service {
        node: "balancer".into(),
        port: 8080,
        requests: BTreeMap::from([("place".to_owned(), place)]),
        survivors: Asked {
            kind: SqlQuestion { on: None, database: Some("orders".into()), query: SURVIVORS.into() }.into(),
        },
    }
}

fn scenario() -> Scenario {
    Scenario {
        scenario: "test".into(),
        title: "a test".into(),
        system: "system.yaml".into(),
        covers: Vec::new(),
        disaster: DisasterClass { origin: Origin::None, cause: Cause::None },
        parameters: BTreeMap::new(),
        replication: None,
        load: Load {
            rate: "20/s".parse().unwrap(),
            mix: BTreeMap::from([("place".to_owned(), 1)]),
            deadline: Span::from_ms(1000),
        },
        probe: Probe { request: "place".into(), every: Span::from_ms(50), deadline: Span::from_ms(1000) },
        conditions: Vec::new(),
        schedule: None,
        backups: Vec::new(),
        restore_test: false,
        faults: Vec::new(),
        recovery: Recovery {
            by: Recoverer::Nobody,
            detect: None,
            alert: None,
            decision: None,
            procedure: Vec::new(),
            within: None,
            afterwards: Vec::new(),
        },
        service_level: ServiceLevel::default(),
        targets: Targets { rpo: None, rto: None, failback: None },
        tolerate: Vec::new(),
    }
}
