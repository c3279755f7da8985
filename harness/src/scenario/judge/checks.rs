//! Rules of a system's checks.

use super::{
    Note, SystemRule,
    names::{
        database_on, exactly_one, more_than_nothing, needs_is_replica, needs_is_writer, not_empty, twice,
        unknown_database, unknown_node, unknown_request,
    },
    templates::{left_as_it_stands, not_filled_in},
    topology::{no_command, not_a_path, not_observed},
};
use crate::scenario::{
    System,
    content_hash::{ContentHashCheck, REPLICAS},
    system::{Check, HttpCheck, InvocationCheck, OneWriterCheck, SqlCheck},
};

pub(super) const RULES: &[SystemRule] = &[
    identifiers,
    levels,
    levels_without_checks,
    kinds,
    time_limits,
    sql_checks,
    sql_expectations,
    http_checks,
    command_checks,
    writer_checks,
    agreements,
    content_hashes,
    invocations,
];

fn each_check(system: &System) -> impl Iterator<Item = (String, &Check)> {
    system.checks.iter().enumerate().map(|(index, check)| (format!("checks[{index}]"), check))
}

fn identifiers(system: &System) -> Vec<Note> {
    let named = || each_check(system).map(|(key, check)| (format!("{key}.id"), check.id.as_str()));
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_fine = |id: &str| !id.is_empty() && id.len() <= 100 && id.chars().all(is_letter);
    let odd = named().filter(|(_, id)| !is_fine(id)).map(|(key, id)| {
        let problem = format!("`{id}` cannot identify a check");
        Note::new(key, problem, "use small letters, digits and hyphens")
    });
    odd.chain(twice("check", named())).collect()
}

fn levels(system: &System) -> Vec<Note> {
    each_check(system)
        .filter(|(_, check)| !(1..=6).contains(&check.level))
        .map(|(key, check)| {
            let problem = format!("there is no level {}", check.level);
            let mend = "write 1 (system), 2 (module), 3 (instance), 4 (consistency), 5 (invocation) or 6 (monitoring)";
            Note::new(format!("{key}.level"), problem, mend)
        })
        .collect()
}

fn levels_without_checks(system: &System) -> Vec<Note> {
    (1..=6)
        .filter(|level| !system.checks.iter().any(|check| check.level == *level))
        .map(|level| {
            let problem = format!("no check is declared at level {level}");
            Note::warning("checks", problem, "declare one; until then the level is reported as not declared")
        })
        .collect()
}

fn kinds(system: &System) -> Vec<Note> {
    each_check(system)
        .filter_map(|(key, check)| {
            let kinds = [
                ("sql", check.sql.is_some()),
                ("http", check.http.is_some()),
                ("command", check.command.is_some()),
                ("one_writer", check.one_writer.is_some()),
                ("agreement", check.agreement.is_some()),
                ("content_hash", check.content_hash.is_some()),
                ("history", check.history.is_some()),
                ("invocation", check.invocation.is_some()),
            ];
            exactly_one(&key, "a check", &kinds)
        })
        .collect()
}

fn time_limits(system: &System) -> Vec<Note> {
    each_check(system)
        .filter_map(|(key, check)| more_than_nothing(format!("{key}.within"), check.within?.ms() == 0.0))
        .collect()
}

fn no_query(key: &str, query: &str) -> Option<Note> {
    not_empty(format!("{key}.query"), query.trim().is_empty(), "write the query")
}

fn each_sql(system: &System) -> impl Iterator<Item = (String, &SqlCheck)> {
    each_check(system).filter_map(|(key, check)| Some((format!("{key}.sql"), check.sql.as_ref()?)))
}

fn sql_checks(system: &System) -> Vec<Note> {
    let notes = |(key, sql): (String, &SqlCheck)| {
        [database_on(&key, &sql.on, &sql.database, system), no_query(&key, &sql.query)].into_iter().flatten()
    };
    each_sql(system).flat_map(notes).collect()
}

fn sql_expectations(system: &System) -> Vec<Note> {
    each_sql(system)
        .filter_map(|(key, sql)| {
            let kinds =
                [("no_rows", sql.no_rows), ("value", sql.value.is_some()), ("at_least", sql.at_least.is_some())];
            exactly_one(&key, "the expectation of a query", &kinds)
        })
        .collect()
}

fn http_checks(system: &System) -> Vec<Note> {
    let checks = each_check(system).filter_map(|(key, check)| Some((format!("{key}.http"), check.http.as_ref()?)));
    checks.flat_map(|(key, http)| http_check(&key, http, system)).collect()
}

fn http_check(key: &str, http: &HttpCheck, system: &System) -> Vec<Note> {
    let asked = http.on.iter().enumerate().filter_map(|(index, name)| {
        let key = format!("{key}.on[{index}]");
        match system.nodes.iter().find(|node| node.name == *name) {
            Some(node) => not_observed(key, http.port, node),
            None => unknown_node(key, name, system),
        }
    });
    let none = not_empty(format!("{key}.on"), http.on.is_empty(), "name the nodes that are asked");
    let path = not_a_path(format!("{key}.path"), &http.path);
    let nothing = http.contains.iter().position(String::is_empty);
    let text =
        nothing.and_then(|index| not_empty(format!("{key}.contains[{index}]"), true, "every answer contains it"));
    asked.chain(none).chain(path).chain(text).collect()
}

fn command_checks(system: &System) -> Vec<Note> {
    let checks =
        each_check(system).filter_map(|(key, check)| Some((format!("{key}.command"), check.command.as_ref()?)));
    checks
        .flat_map(|(key, command)| {
            let on = unknown_node(format!("{key}.on"), &command.on, system);
            let run = command.run.iter().enumerate();
            let left = run.flat_map(|(index, text)| left_as_it_stands(&format!("{key}.run[{index}]"), text));
            on.into_iter().chain(no_command(&key, &command.run)).chain(left).collect::<Vec<_>>()
        })
        .collect()
}

fn writer_checks(system: &System) -> Vec<Note> {
    each_check(system)
        .filter_map(|(key, check)| {
            let OneWriterCheck { database } = check.one_writer.as_ref()?;
            let key = format!("{key}.one_writer.database");
            match system.databases.get(database) {
                Some(asked) => needs_is_writer(key, database, asked),
                None => unknown_database(key, database, system),
            }
        })
        .collect()
}

fn agreements(system: &System) -> Vec<Note> {
    each_check(system)
        .filter_map(|(key, check)| Some((format!("{key}.agreement"), check.agreement.as_ref()?)))
        .flat_map(|(key, agreement)| {
            let sides = [("left", &agreement.left), ("right", &agreement.right)];
            let same = (agreement.left == agreement.right).then(|| {
                Note::new(format!("{key}.right"), "both sides ask the same", "let each ask a store of its own")
            });
            let notes = sides.into_iter().flat_map(|(name, side)| {
                let key = format!("{key}.{name}");
                [database_on(&key, &side.on, &side.database, system), no_query(&key, &side.query)]
            });
            notes.flatten().chain(same).collect::<Vec<_>>()
        })
        .collect()
}

fn content_hashes(system: &System) -> Vec<Note> {
    each_check(system)
        .filter_map(|(key, check)| Some((format!("{key}.content_hash"), check.content_hash.as_ref()?)))
        .flat_map(|(key, check)| content_hash(&key, check, system))
        .collect()
}

fn content_hash(key: &str, check: &ContentHashCheck, system: &System) -> Vec<Note> {
    let ContentHashCheck { left, right, tables } = check;
    let key_of = |side: &str| format!("{key}.{side}");
    let right_note = if right.on == REPLICAS {
        needs_is_replica(&key_of("right"), &right.database, system)
    } else {
        database_on(&key_of("right"), &right.on, &right.database, system)
    };
    let same = (left == right)
        .then(|| Note::new(key_of("right"), "both sides are the same server", "let each be a server of its own"));
    let nothing = tables.iter().position(|table| table.trim().is_empty());
    let table = nothing.and_then(|index| not_empty(format!("{key}.tables[{index}]"), true, "name a table"));
    let left_note = database_on(&key_of("left"), &left.on, &left.database, system);
    [left_note, right_note, same, table].into_iter().flatten().collect()
}

fn invocations(system: &System) -> Vec<Note> {
    let checks =
        each_check(system).filter_map(|(key, check)| Some((format!("{key}.invocation"), check.invocation.as_ref()?)));
    checks.flat_map(|(key, invocation)| invocation_check(&key, invocation, system)).collect()
}

fn invocation_check(key: &str, invocation: &InvocationCheck, system: &System) -> Vec<Note> {
    let request = unknown_request(format!("{key}.request"), &invocation.request, system);
    let Some(then) = &invocation.then else { return request.into_iter().collect() };
    let key = format!("{key}.then");
    let query = format!("{key}.query");
    let found = [request, database_on(&key, &then.on, &then.database, system), no_query(&key, &then.query)];
    let token = (!then.query.contains("${token}")).then(|| {
        let problem = "the query does not look for the token of this request: it would find any other's work";
        Note::new(query.clone(), problem, "compare with '${token}'")
    });
    found.into_iter().flatten().chain(token).chain(not_filled_in(&query, &then.query, &["token"])).collect()
}
