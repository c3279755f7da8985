//! Everything that is refused of a declaration, each as one small change to a pair of files in which nothing is wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use blackstart::scenario::{
    Declared, Refusal, Refusals, read, read_system,
    refusal::{Look, Severity},
};
use proptest::prelude::*;

const SCENARIO: &str = include_str!("refused/zone-outage.yaml");
const SYSTEM: &str = include_str!("refused/shop.yaml");
/// The line by which its writer is recognised.
const IS_WRITER: &str = "    is_writer: {sql: {query: select not pg_is_in_recovery()}}\n";

/// A folder of its own for each test, with the two files in it.
fn folder(name: &str, scenario: &str, system: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusals").join(name);
    fs::create_dir_all(folder.join("image")).unwrap();
    fs::write(folder.join("image/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(folder.join("zone-outage.yaml"), scenario).unwrap();
    fs::write(folder.join("shop.yaml"), system).unwrap();
    folder
}

fn read_in(name: &str, scenario: &str, system: &str) -> Result<Declared, Refusals> {
    let folder = folder(name, scenario, system);
    read(&folder.join("zone-outage.yaml"))
}

/// The refusals of a pair of files, their paths without the folder.
fn refused(name: &str, scenario: &str, system: &str) -> Vec<Refusal> {
    let Err(Refusals(mut all)) = read_in(name, scenario, system) else { panic!("{name}: nothing is refused") };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusals").join(name);
    let prefix = format!("{}/", folder.display());
    for refusal in &mut all {
        refusal.file = refusal.file.strip_prefix(&folder).unwrap_or(&refusal.file).to_owned();
        refusal.problem = refusal.problem.replace(&prefix, "");
        refusal.mend = refusal.mend.replace(&folder.display().to_string(), "FOLDER");
    }
    all
}

/// One change to the pair of files, and the refusal that it must bring.
struct Row {
    change: (&'static str, &'static str),
    key: &'static str,
    says: &'static str,
}

const fn row(from: &'static str, to: &'static str, key: &'static str, says: &'static str) -> Row {
    Row { change: (from, to), key, says }
}

/// The refusals of a row: the change is made in the one file that holds its text, and nowhere else.
fn refused_of(name: &str, row: &Row) -> Vec<Refusal> {
    let (from, to) = row.change;
    let count = SCENARIO.matches(from).count() + SYSTEM.matches(from).count();
    assert_eq!(count, 1, "`{from}` must stand exactly once in the two files");
    refused(name, &SCENARIO.replace(from, to), &SYSTEM.replace(from, to))
}

fn demand(table: &str, rows: &[Row]) {
    for (index, row) in rows.iter().enumerate() {
        let all = refused_of(&format!("{table}-{index}"), row);
        let met = all.iter().any(|it| it.key == row.key && format!("{}; {}", it.problem, it.mend).contains(row.says));
        assert!(met, "{:?} must be refused at {}: {}\n{}", row.change, row.key, row.says, Refusals(all));
        assert!(all.iter().all(is_inside), "a position outside of its file\n{}", Refusals(all));
    }
}

/// Whether a refusal that has a position has one within its file.
fn is_inside(refusal: &Refusal) -> bool {
    let (Some((line, column)), Some(span), Some(text)) = (refusal.position, &refusal.span, &refusal.text) else {
        return refusal.position.is_none();
    };
    let lines: Vec<&str> = text.split('\n').collect();
    let fits = lines.get(line - 1).is_some_and(|line| column <= line.chars().count() + 1);
    fits && text.get(span.clone()).is_some()
}

#[test]
fn the_files_without_a_change_are_accepted() {
    let declared = read_in("accepted", SCENARIO, SYSTEM).unwrap();
    assert_eq!(declared.warnings, vec![]);
    let replication = declared.system.nodes.iter().find_map(|node| node.replication);
    assert_eq!(replication, declared.scenario.replication, "the scenario's override is applied");
    assert!(read_system(Path::new("tests/refused/shop.yaml")).is_ok());
}

#[test]
fn shapes() {
    let rows = [
        row("zone_outage: {zone: a", "zone_outgae: {zone: a", "faults[0].zone_outgae", "did you mean `zone_outage`?"),
        row("rate: 40/s", "rate: 40", "load.rate", "no unit; write one of /s, /m"),
        row("deadline: 500ms}", "deadline: 500}", "probe.deadline", "write one of ms, s, m, h"),
        row("deadline: 500ms}", "deadline: 9999h}", "probe.deadline", "longer than"),
        row("  rate: 40/s\n", "", "load.rate", "`rate` is missing; add `rate`: How many requests"),
        row("origin: man-made", "origin: man_made", "disaster.origin", "did you mean `man-made`?"),
        row("cause: infrastructure-failure", "cause: weather", "disaster.cause", "write one of `nature`"),
        row("covers: [OM-3]", "covers: OM-3", "covers", "expected a list, found a single value"),
        row("port: 8000", "port: 80000", "service.port", "not a whole number from 0 to 65535"),
        row("prefix_only: true", "prefix_only: yes", "checks[3].history.prefix_only", "neither true nor false"),
        row("[app-far, balancer]", "[]", "faults[2].pause.node", "the list of names is empty; name at least one"),
        row("title: The zone", "title: ~ # The zone", "title", "expected a text, found nothing"),
        row("prefix_only: true", "prefix_only: !odd true", "", "tag"),
        row("targets:", "---\ntargets:", "", "second document"),
        row("  rate: 40/s", "  rate: 40/s\n  rate: 41/s", "load.rate", "duplicate key"),
        row("title: The zone", "title: &a The\ncovers: [*b] #", "", "this is not YAML"),
    ];
    demand("shape", &rows);
}

#[test]
fn topology() {
    demand(
        "topology",
        &[
            row("name: app-far", "name: db-b", "nodes[3].name", "node `db-b` stands twice"),
            row("name: app-far", "name: App_Far", "nodes[3].name", "cannot be a host name"),
            row("name: app-far", "name: writer", "nodes[3].name", "whichever node takes writes"),
            row("[far, spare]", "[far, a]", "sites[1].zones[1]", "zone `a` stands twice"),
            row("name: island", "name: harbour", "sites[1].name", "site `harbour` stands twice"),
            row("zone: b\n", "zone: x\n", "nodes[1].zone", "`x` is not a zone of this system"),
            row("{build: image}", "{}", "images.postgres", "none of its kinds"),
            row(
                "{build: image}",
                "{build: image, capabilities: [NET_RAW]}",
                "images.postgres.capabilities[0]",
                "write one of `CHOWN`",
            ),
            row(
                "name: app-far",
                "name: app-far\n    limits: {memory: 1MiB}",
                "nodes[3].limits.memory",
                "write 16MiB or more",
            ),
            row(
                "name: app-far",
                "name: app-far\n    limits: {memory: 2048GiB}",
                "nodes[3].limits.memory",
                "is not a limit",
            ),
            row(
                "name: app-far",
                "name: app-far\n    limits: {processes: 1}",
                "nodes[3].limits.processes",
                "write 8 to 32768",
            ),
            row(
                "name: app-far",
                "name: app-far\n    limits: {processes: 99999}",
                "nodes[3].limits.processes",
                "are no limit",
            ),
            row("{build: image}", "{build: image, existing: x}", "images.postgres.existing", "several kinds at once"),
            row("zone: far\n    image: proxy", "image: prxy", "nodes[3].image", "did you mean `proxy`?"),
            row("    of: db-a\n", "", "nodes[1].of", "`db-b` is a standby without a primary"),
            row("    of: db-a\n", "    of: app-a\n", "nodes[1].of", "`app-a` is not a primary of this system"),
            row("role: balancer", "role: balancer\n    of: db-a", "nodes[4].of", "is not a standby"),
            row(
                "role: primary",
                "role: primary\n    replication: synchronous",
                "nodes[0].replication",
                "nobody replicates to it",
            ),
            row("zone: far", "zone: far\n    data: /data", "nodes[3].zone", "the data may not leave `north`"),
            row(
                "residency: {region: north}",
                "residency: {region: west}",
                "residency.region",
                "not a region of a site",
            ),
            row("to: /etc/db.conf", "to: etc/db.conf", "nodes[0].files[0].to", "not an absolute path"),
            row("/run/password", "../password", "nodes[0].password_file", "not an absolute path"),
            row("{port: 8080, path: /health}", "{port: 81, path: /health}", "nodes[2].ready.http.port", "observe"),
            row(
                "{port: 8080, path: /health}",
                "{port: 8080, path: up}",
                "nodes[2].ready.http.path",
                "not a path of a URL",
            ),
            row("sql: {database: orders, query: select 1}", "within: 1s", "nodes[0].ready", "none of its kinds"),
            row(
                "sql: {database: orders, query: select 1}",
                "sql: {database: x, query: select 1}",
                "nodes[0].ready.sql.database",
                "not a database",
            ),
            row("observe: [8080]", "observe: [8080, 8080]", "nodes[2].observe[1]", "stands twice"),
            row("nodes: [db-a, db-b]", "nodes: [db-a, db-c]", "databases.orders.nodes[1]", "not a node of this system"),
            row("port: 5433", "port: 0", "databases.notes.port", "zero"),
            row("${peers}", "${pears}", "nodes[0].environment.PEERS", "did you mean `peers`?"),
            row("${argument}", "${node}", "operations.point-at.run[1]", "unknown placeholder"),
            row("run: [migrate]", "run: [migrate, \"${zone}\"]", "setup[0].run[1]", "would see it unchanged"),
            row("run: [migrate]", "run: []", "setup[0].run", "write the program"),
            row("{on: db-a, run: [migrate]}", "{on: db-x, run: [migrate]}", "setup[0].on", "did you mean `db-a`?"),
            row("within: 5s", "within: 0s", "operations.point-at.within", "zero"),
            row("from: image/Dockerfile", "from: image/nothing", "nodes[0].files[0].from", "there is no file"),
            row("build: image", "build: nowhere", "images.postgres.build", "there is no Dockerfile in nowhere"),
            row("system: shop\n", "system: store\n", "system", "its file `shop`"),
        ],
    );
}

#[test]
fn service_and_checks() {
    demand(
        "service",
        &[
            row("node: balancer\n", "node: balancr\n", "service.node", "did you mean `balancer`?"),
            row("refused: [409]", "refused: [201]", "service.requests.place.refused[0]", "both promise the work"),
            row("acknowledged: [201]", "acknowledged: []", "service.requests.place.acknowledged", "empty"),
            row("acknowledged: [201]", "acknowledged: [2]", "service.requests.place.acknowledged[0]", "not a status"),
            row("/orders/${token}", "/orders", "service.requests.look", "put `${token}` into its path or its body"),
            row("method: GET", "method: FETCH", "service.requests.look.method", "not a method"),
            row(
                "survivors: {sql: {database: orders",
                "survivors: {sql: {database: x",
                "service.survivors.sql.database",
                "not a database",
            ),
            row(
                "survivors: {sql: {database: orders, ",
                "survivors: {sql: {",
                "service.survivors.sql",
                "which database",
            ),
            row("id: one-writer", "id: answers", "checks[1].id", "check `answers` stands twice"),
            row("id: one-writer", "id: One Writer", "checks[1].id", "cannot identify a check"),
            row("level: 6", "level: 7", "checks[6].level", "there is no level 7"),
            row("history: {prefix_only: true}", "models: one-writer", "checks[3]", "a check has none of its kinds"),
            row(", expect: {value: \"1\"}", "", "checks[0].question.expect", "whatever the query gives would pass"),
            row("value: \"1\"", "value: \"1\", rows: none", "checks[0].question.expect.value", "several kinds"),
            row("expect: {value: \"1\"}", "expect: {}", "checks[0].question.expect", "an expectation has none"),
            row(
                "contains: [ok]",
                "contains: ['']",
                "checks[2].question.expect.contains[0]",
                "every answer contains it",
            ),
            row("select 1}, expect", "''}, expect", "checks[0].question.sql.query", "write the query"),
            row(
                "right: {sql: {on: db-a",
                "right: {sql: {on: db-b",
                "checks[4].agreement.right.sql.on",
                "node that holds database `notes`",
            ),
            row(IS_WRITER, "", "checks[1].one_writer.database", "give `databases.orders` an `is_writer`"),
            row(
                "one_writer: {database: orders}",
                "one_writer: {database: notes}",
                "checks[1].one_writer.database",
                "is_writer",
            ),
            row(
                "survivors: {sql: {database: orders",
                "survivors: {sql: {on: every, database: orders",
                "service.survivors.sql.on",
                "hide what the writer lost",
            ),
            row(
                "survivors: {sql: {database: orders",
                "survivors: {sql: {on: [db-a, db-b], database: orders",
                "service.survivors.sql.on",
                "hide what the writer lost",
            ),
            row(
                "survivors: {sql: {database: orders",
                "survivors: {sql: {on: db-a, database: orders",
                "service.survivors.sql.on",
                "may hold what the writer lost",
            ),
            row(IS_WRITER, "", "checks[0].question.sql.on", "how its writer is recognised"),
            row(
                "is_writer: {sql: {query",
                "is_writer: {sql: {on: db-a, query",
                "databases.orders.is_writer.sql.on",
                "each server of its own database",
            ),
            row(
                "is_writer: {sql: {query",
                "is_writer: {sql: {database: notes, query",
                "databases.orders.is_writer.sql.database",
                "write `orders`",
            ),
            row(
                "    is_replica: {sql: {query: select follows()}}\n",
                "",
                "checks[7].content_hash.right.on",
                "an `is_replica`",
            ),
            row("on: replicas", "on: replica", "checks[7].content_hash.right.on", "node that holds database `orders`"),
            row("on: replicas", "on: db-a", "checks[7].content_hash.right", "both sides are the same server"),
            row(
                "replicas, database: orders}}",
                "replicas, database: orders}, tables: ['']}",
                "checks[7].content_hash.tables[0]",
                "name a table",
            ),
            row("on: [app-a]", "on: [db-a]", "checks[2].question.http.port", "cannot be reached by the harness"),
            row("on: [app-a]", "on: []", "checks[2].question.http.on", "name the nodes that are asked"),
            row("on: [app-a]", "on: [app-a, app-x]", "checks[2].question.http.on[1]", "not a node of this system"),
            row(
                "path: /health}, expect",
                "path: /health, rows: ids}, expect",
                "checks[2].question.http.rows",
                "no JSON pointer",
            ),
            row("{on: app-a, run", "{on: app-x, run", "checks[6].question.command.on", "not a node of this system"),
            row("request: place\n", "request: plce\n", "checks[5].invocation.request", "did you mean `place`?"),
            row("token = '${token}'", "true", "checks[5].invocation.then.sql", "any other's work"),
        ],
    );
}

#[test]
fn faults() {
    demand(
        "faults",
        &[
            row("zone: a, by", "zone: c, by", "faults[0].zone_outage.zone", "`c` is not a zone of this system"),
            row("zone: a, by", "zone: [a, spare], by", "faults[0].zone_outage.zone[1]", "no node stands in zone"),
            row("[app-far, balancer]", "[app-far, balancr]", "faults[2].pause.node[1]", "did you mean `balancer`?"),
            row("[app-far, balancer]", "balancr", "faults[2].pause.node", "did you mean `balancer`?"),
            row("db-b: [app-a]", "db-b: [db-b]", "faults[1].partition.refuses.db-b[0]", "cannot refuse itself"),
            row("db-b: [app-a]", "db-b: []", "faults[1].partition.refuses.db-b", "name the nodes that it refuses"),
            row("db-b: [app-a]", "db-x: [app-a]", "faults[1].partition.refuses.db-x", "not a node of this system"),
            row("    zone_outage: {zone: a, by: killed}\n", "", "faults[0]", "a fault has none of its kinds"),
            row("by: killed}", "by: killed}\n    kill: {node: db-a}", "faults[0].zone_outage", "several kinds at once"),
            row("by: killed}", "by: killed}\n    heal_after: 1s", "faults[0].heal_after", "cannot be healed"),
            row("at: 3s..4s", "at: 900ms..4s", "faults[1].at", "too little load before the fault"),
            row("- slow_link: {from: db-a, to: db-b, bandwidth: 400kbit/s}", "- {}", "conditions[0]", "`slow_link`"),
            row("to: db-b, bandwidth", "to: db-a, bandwidth", "conditions[0].slow_link.to", "another node"),
            row(
                "to: db-b, bandwidth",
                "to: db-x, bandwidth",
                "conditions[0].slow_link.to",
                "not a node of this system",
            ),
            row(
                "- slow_link: {from: db-a, to: db-b, bandwidth: 400kbit/s}",
                "- bad_link: {from: db-a, to: db-b}",
                "conditions[0].bad_link",
                "does nothing to a packet",
            ),
            row(
                "- slow_link: {from: db-a, to: db-b, bandwidth: 400kbit/s}",
                "- bad_link: {from: db-a, to: db-b, loss: 100%}",
                "conditions[0].bad_link.loss",
                "write a `partition`",
            ),
            row(
                "- slow_link: {from: db-a, to: db-b, bandwidth: 400kbit/s}",
                "- bad_link: {from: db-a, to: db-b, loss: 1%, jitter: 1ms}",
                "conditions[0].bad_link.jitter",
                "a `latency` of at least as much",
            ),
            row(
                "- slow_link: {from: db-a, to: db-b, bandwidth: 400kbit/s}",
                "- bad_link: {from: db-a, to: db-x, loss: 1%}",
                "conditions[0].bad_link.to",
                "not a node of this system",
            ),
            row(
                "- slow_link: {from: db-a, to: db-b, bandwidth: 400kbit/s}",
                "- bad_link: {from: db-a, to: db-b, loss: 1}",
                "conditions[0].bad_link.loss",
                "",
            ),
            row("origin: man-made", "origin: natural", "disaster.cause", "does not belong to that origin"),
            row(
                "{origin: man-made, cause: infrastructure-failure}",
                "{origin: none, cause: none}",
                "disaster.origin",
                "has a disaster",
            ),
        ],
    );
}

#[test]
fn recovery() {
    demand(
        "recovery",
        &[
            row("by: procedure", "by: system", "recovery.procedure", "recovers by itself"),
            row("by: procedure", "by: nobody", "recovery.by", "something breaks, and nobody recovers"),
            row("by: procedure", "by: nobody", "recovery.afterwards", "declares no recovery"),
            row(
                "  detect: {request: place, every: 200ms, deadline: 300ms, failures: 3}\n",
                "",
                "recovery.detect",
                "how the failure is detected",
            ),
            row("failures: 3", "failures: 0", "recovery.detect.failures", "zero"),
            row("{takes: 1s}", "{takes: 1s, excluded: why}", "recovery.decision.excluded", "several kinds"),
            row("{takes: 1s}", "{}", "recovery.decision", "none of its kinds"),
            row("- heal: {settle: 1s}", "- about: nothing", "recovery.afterwards[0]", "a step has none of its kinds"),
            row("name: promote", "name: promot", "recovery.procedure[0].operation.name", "did you mean `promote`?"),
            row("promote, node: db-b}", "promote, node: db-x}", "recovery.procedure[0].operation.node", "not a node"),
            row(
                "promote, node: db-b}",
                "promote, node: db-b, argument: x}",
                "recovery.procedure[0].operation.argument",
                "takes no argument",
            ),
            row(", argument: db-b", "", "recovery.procedure[1].operation.argument", "takes an argument"),
            row(
                "await_writer: {database: orders",
                "await_writer: {database: notes",
                "recovery.procedure[2].await_writer.database",
                "is_writer",
            ),
            row(
                "await_writer: {database: orders",
                "await_writer: {database: notes",
                "recovery.procedure[2].await_writer.node",
                "holds database `notes`",
            ),
            row(
                "run: [reload]",
                "run: [\"${node}\"]",
                "recovery.procedure[3].command.run[0]",
                "would see it unchanged",
            ),
            row(
                "statement: delete from orders",
                "statement: ''",
                "recovery.afterwards[2].refuses_writes.statement",
                "empty",
            ),
            row("request: place, every: 200ms", "request: x, every: 200ms", "recovery.detect.request", "not a request"),
        ],
    );
}

#[test]
fn targets_and_load() {
    demand(
        "targets",
        &[
            row("covers: [OM-3]", "covers: [om3]", "covers[0]", "not an identifier of a requirement"),
            row("scenario: zone-outage", "scenario: outage", "scenario", "its file `zone-outage`"),
            row("rto: {within: 20s}", "rto: {within: 900ms}", "probe.every", "probe every 90ms or more often"),
            row("rto: {within: 20s}", "rto: {within: 500ms}", "probe.deadline", "cannot tell an outage"),
            row("rate: 40/s", "rate: 9/s", "load.rate", "write 10/s or more"),
            row("{lost_writes: 40, time: 1s}", "{}", "targets.rpo", "this demands nothing"),
            row("sustained_for: 2s", "sustained_for: 400ms", "service_level.sustained_for", "write 500ms or more"),
            row("{place: 3, look: 1}", "{place: 0}", "load.mix", "sum up to nothing"),
            row("{place: 3, look: 1}", "{palce: 3}", "load.mix.palce", "did you mean `place`?"),
            row("probe: {request: place", "probe: {request: look", "probe.request", "writes nothing"),
            row("check: history", "check: healthy", "tolerate[0].check", "level 2, where nothing is tolerable"),
            row("check: history", "check: histroy", "tolerate[0].check", "did you mean `history`?"),
            row(
                "because: Asynchronous replication may lose the last writes.",
                "because: ''",
                "tolerate[0].because",
                "why",
            ),
            row("deadline: 1s", "deadline: 0s", "load.deadline", "zero"),
        ],
    );
}

#[test]
fn an_override_needs_a_standby() {
    let system = SYSTEM.replace("role: standby\n    of: db-a\n    replication: synchronous", "role: database");
    let all = refused("override", SCENARIO, &system);
    assert!(all.iter().any(|it| it.key == "replication" && it.problem.contains("no standby")));
}

/// What one small change cannot show.
#[test]
fn larger_changes() {
    let long = format!("about: {}", "x".repeat(70_000));
    let many: Vec<String> = (0..1001).map(|port| (port + 1).to_string()).collect();
    let nodes: String = (0..200).map(|n| format!("  - {{name: n{n}, role: other, image: proxy}}\n")).collect();
    let cases = [
        (SYSTEM.replace("about: An", &long), "about", "the most is 65536"),
        (
            SYSTEM.replace("observe: [8080]", &format!("observe: [{}]", many.join(","))),
            "nodes[2].observe",
            "the most is 1000",
        ),
        (SYSTEM.replace("databases:\n", &format!("{nodes}databases:\n")), "nodes", "205 nodes; the most is 200"),
        (
            SYSTEM.replace("{build: image}", "{build: image, programs: [../x]}"),
            "images.postgres.programs[0]",
            "not a name",
        ),
        (
            SYSTEM
                .replace("region: north, zones", "region: east, zones")
                .replace("role: balancer", "role: balancer\n    data: /d"),
            "nodes[4].data",
            "stands in no zone, and so `harbour`",
        ),
        (
            SYSTEM.replace(
                "right: {sql: {on: db-a, database: notes, query: select id from notes}}",
                "right: {sql: {on: writer, database: orders, query: select id from orders}}",
            ),
            "checks[4].agreement.right",
            "both sides ask the same",
        ),
    ];
    for (index, (system, key, says)) in cases.into_iter().enumerate() {
        let all = refused(&format!("larger-{index}"), SCENARIO, &system);
        assert!(all.iter().any(|it| it.key == key && it.problem.contains(says)), "{key}: {says}\n{}", Refusals(all));
    }
}

#[test]
fn a_standby_says_whether_its_primary_waits() {
    let scenario = SCENARIO.replace("replication: asynchronous\n", "");
    let all = refused("waits", &scenario, &SYSTEM.replace("    replication: synchronous\n", ""));
    assert_eq!(all[0].key, "nodes[1].replication");
}

#[test]
fn a_control_breaks_nothing_and_recovers_nothing() {
    let (before, rest) = SCENARIO.split_once("faults:\n").unwrap();
    let (_, after) = rest.split_once("service_level:").unwrap();
    let control = |by: &str| {
        let before = before.replace("{origin: man-made, cause: infrastructure-failure}", "{origin: none, cause: none}");
        format!("{before}recovery: {{by: {by}}}\nservice_level:{after}")
    };
    assert!(read_in("control", &control("nobody"), SYSTEM).is_ok());
    assert_eq!(refused("control-system", &control("system"), SYSTEM)[0].key, "recovery.by");
    let disaster = control("nobody").replace("{origin: none, cause: none}", "{origin: natural, cause: nature}");
    assert_eq!(refused("control-disaster", &disaster, SYSTEM)[0].key, "disaster.origin");
}

#[test]
fn a_drill_without_targets_is_a_warning() {
    let (before, rest) = SCENARIO.split_once("targets:\n").unwrap();
    let (_, tolerate) = rest.split_once("tolerate:").unwrap();
    let declared = read_in("no-targets", &format!("{before}targets: {{}}\ntolerate:{tolerate}"), SYSTEM).unwrap();
    assert_eq!(declared.warnings[0].key, "targets");
}

#[test]
fn a_level_without_a_check_is_a_warning() {
    let system = SYSTEM.replace("level: 6", "level: 5");
    let declared = read_in("levels", SCENARIO, &system).unwrap();
    assert_eq!(declared.warnings[0].severity, Severity::Warning);
    assert_eq!(declared.warnings[0].problem, "no check is declared at level 6");
}

#[test]
fn everything_is_told_at_once() {
    let scenario = SCENARIO.replace("rate: 40/s", "rate: 40").replace("failures: 3", "failurs: 3");
    let system = SYSTEM.replace("name: app-far", "name: db-b").replace("level: 6", "level: 9");
    let keys: Vec<String> = refused("at-once", &scenario, &system).into_iter().map(|it| it.key).collect();
    for key in ["load.rate", "recovery.detect.failurs", "nodes[3].name", "checks[6].level"] {
        assert!(keys.iter().any(|it| it == key), "{key} is missing in {keys:?}");
    }
}

#[test]
fn files_that_are_no_declarations() {
    let folder = folder("files", SCENARIO, SYSTEM);
    let big = format!("# {}\n", "x".repeat(10 << 20));
    let cases: [(&str, &[u8], &str); 4] = [
        ("empty.yaml", b" \n", "it is empty"),
        ("binary.yaml", &[0xff, 0xfe, 0x00], "it is not text in UTF-8"),
        ("zeros.yaml", &[0; 64], "it is not text"),
        ("big.yaml", big.as_bytes(), "it is too large"),
    ];
    for (name, bytes, says) in cases {
        fs::write(folder.join(name), bytes).unwrap();
        assert_eq!(read(&folder.join(name)).unwrap_err().0[0].problem, says);
    }
    assert_eq!(read(&folder).unwrap_err().0[0].problem, "it is a folder");
    assert_eq!(read(&folder.join("none.yaml")).unwrap_err().0[0].problem, "there is no such file");
    let nested = format!("scenario: {}{}", "[".repeat(500), "]".repeat(500));
    fs::write(folder.join("nested.yaml"), nested).unwrap();
    assert!(read(&folder.join("nested.yaml")).is_err());
}

#[test]
fn how_refusals_are_shown() {
    let rows = [
        ("unknown-key", row("failures: 3", "failurs: 3", "", "")),
        ("missing-unit", row("rate: 40/s", "rate: 40", "", "")),
        ("missing-key", row("  rate: 40/s\n", "", "", "")),
        ("unknown-word", row("origin: man-made", "origin: man_made", "", "")),
        ("unknown-zone", row("zone: a, by", "zone: c, by", "", "")),
        ("residency", row("zone: far", "zone: far\n    data: /data", "", "")),
        ("resolution", row("rto: {within: 20s}", "rto: {within: 900ms}", "", "")),
        ("several-kinds", row("by: killed}", "by: killed}\n    kill: {node: db-a}", "", "")),
        ("no-yaml", row("title: The zone", "title: [The zone", "", "")),
        ("no-system", row("system: shop.yaml", "system: ../systems/stock.yaml", "", "")),
        ("standby", row("    of: db-a\n", "", "", "")),
    ];
    for (name, row) in rows {
        let all = Refusals(refused_of(&format!("shown-{name}"), &row));
        insta::assert_snapshot!(name, all.render(Look::Plain));
    }
    let all = Refusals(refused_of("shown-forms", &row("rate: 40/s", "rate: 40", "", "")));
    insta::assert_snapshot!("form-of-one-line", all.to_string());
    insta::assert_snapshot!("form-of-json", serde_json::to_string_pretty(&all).unwrap());
    insta::assert_snapshot!("form-with-colour", format!("{:?}", all.render(Look::Colour)));
}

/// A file with one line taken out, doubled, or with one of its words replaced.
fn changed(text: &'static str) -> impl Strategy<Value = String> {
    let lines = text.lines().count();
    let words = prop_oneof!["[a-z${}\\[\\]:,*&!0-9é -]{0,8}", "(0|-1|null|~|1e999|\\[\\]|\\{\\}|'|9{30}(s|/s|%)?)"];
    (0..lines, 0..6usize, words, 0..3u8).prop_map(|(chosen, word, with, how)| {
        let mut out = String::new();
        for (index, line) in text.lines().enumerate() {
            match (index == chosen, how) {
                (false, _) => out.push_str(line),
                (true, 0) => continue,
                (true, 1) => out.push_str(&format!("{line}\n{line}")),
                (true, _) => {
                    let old = line.split([' ', '{', '}', ',', '[', ']']).filter(|it| !it.is_empty()).nth(word);
                    out.push_str(&old.map_or(line.to_owned(), |old| line.replacen(old, &with, 1)));
                }
            }
            out.push('\n');
        }
        out
    })
}

fn is_well_said(result: &Result<Declared, Refusals>) -> bool {
    let refusals = match result {
        Ok(declared) => &declared.warnings,
        Err(Refusals(all)) if all.is_empty() => return false,
        Err(Refusals(all)) => all,
    };
    let is_said = |it: &Refusal| !it.problem.is_empty() && !it.mend.is_empty() && !it.render(Look::Plain).is_empty();
    refusals.iter().all(|it| is_inside(it) && is_said(it) && (it.key.is_empty() || it.position.is_some()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_is_accepted_or_refused_in_its_place(scenario in changed(SCENARIO), system in changed(SYSTEM)) {
        prop_assert!(is_well_said(&read_in("changed-scenario", &scenario, SYSTEM)));
        prop_assert!(is_well_said(&read_in("changed-system", SCENARIO, &system)));
    }

    #[test]
    fn any_text_is_refused_in_its_place(text in "(?s).{0,200}", yaml in "([a-z]{1,3}: ?|- |\\[|\\{|\\}|\\]|\n|  |&a |\\*a|<<: |'|\"|#|é|\\||>|\r|\t|---\n){0,40}") {
        prop_assert!(is_well_said(&read_in("text", &text, SYSTEM)));
        let named = format!("system: shop.yaml\n{yaml}");
        prop_assert!(is_well_said(&read_in("text", &named, &yaml)));
    }
}
