//! Rules of detection, decision and the procedure.

use super::{
    Note, PairRule, ScenarioRule,
    names::{exactly_one, more_than_nothing, needs_is_writer, not_empty, unknown, unknown_database, unknown_node},
    templates::left_as_it_stands,
    topology::no_command,
};
use crate::scenario::{
    Scenario, System,
    drill::{OperationStep, Recoverer, Step},
    system::Role,
};

pub(super) const RULES: &[ScenarioRule] =
    &[recoverer, nothing_to_recover, detection, decision, kinds_of_steps, commands_of_steps, time_limits];
pub(super) const PAIR_RULES: &[PairRule] = &[nodes_of_steps, operations, databases_of_steps, override_of_replication];

/// Those that look at each step by itself, wherever its list stands.
pub(super) const STEP_RULES: &[ScenarioRule] = &[kinds_of_steps, commands_of_steps, time_limits];
pub(super) const STEP_PAIR_RULES: &[PairRule] = &[nodes_of_steps, operations, databases_of_steps];

/// Every step of a scenario, with its key.
pub(super) fn each_step(scenario: &Scenario) -> impl Iterator<Item = (String, &Step)> {
    let recovery = &scenario.recovery;
    let lists = [("procedure", &recovery.procedure), ("afterwards", &recovery.afterwards)];
    lists.into_iter().flat_map(|(name, steps)| {
        steps.iter().enumerate().map(move |(index, step)| (format!("recovery.{name}[{index}]"), step))
    })
}

fn recoverer(scenario: &Scenario) -> Vec<Note> {
    let recovery = &scenario.recovery;
    let steps = |problem| {
        (!recovery.procedure.is_empty())
            .then(|| Note::new("recovery.procedure", problem, "drop the steps, or write `by: procedure`"))
    };
    let notes = match recovery.by {
        Recoverer::Procedure => {
            let without = "the procedure has no steps";
            let steps = recovery.procedure.is_empty();
            let steps =
                steps.then(|| Note::new("recovery.procedure", without, "write them, or let the system recover"));
            let without = "nothing says how the failure is detected";
            let mend = "add `detect`: which request, how often, and how many failures; or `alert`, for damage";
            let is_blind = recovery.detect.is_none() && recovery.alert.is_none();
            [steps, is_blind.then(|| Note::new("recovery.detect", without, mend))]
        }
        Recoverer::System => [steps("the system recovers by itself, and yet there are steps"), None],
        Recoverer::Nobody => {
            let problem = "nobody recovers, and yet something is done afterwards";
            let afterwards =
                (!recovery.afterwards.is_empty()).then(|| Note::new("recovery.afterwards", problem, "drop the steps"));
            [steps("nobody recovers, and yet there are steps"), afterwards]
        }
    };
    notes.into_iter().flatten().collect()
}

fn nothing_to_recover(scenario: &Scenario) -> Vec<Note> {
    // A spoiled backup takes no service away: it is found when it is judged, and nothing is to be recovered.
    let breaks_service = scenario.faults.iter().any(|fault| fault.backup_spoiled.is_none());
    let note = match (scenario.recovery.by, scenario.faults.is_empty()) {
        (Recoverer::Nobody, false) if breaks_service => {
            Note::new("recovery.by", "something breaks, and nobody recovers", "write `system` or `procedure`")
        }
        (Recoverer::System | Recoverer::Procedure, true) => {
            Note::new("recovery.by", "nothing breaks, so that there is nothing to recover", "write `nobody`")
        }
        _ => return Vec::new(),
    };
    vec![note]
}

fn detection(scenario: &Scenario) -> Vec<Note> {
    let Some(detect) = &scenario.recovery.detect else { return Vec::new() };
    let zeros = [
        ("every", detect.every.ms() == 0.0),
        ("deadline", detect.deadline.ms() == 0.0),
        ("failures", detect.failures == 0),
    ];
    zeros.into_iter().filter_map(|(key, zero)| more_than_nothing(format!("recovery.detect.{key}"), zero)).collect()
}

fn decision(scenario: &Scenario) -> Vec<Note> {
    let Some(decision) = &scenario.recovery.decision else { return Vec::new() };
    let kinds = [("takes", decision.takes.is_some()), ("excluded", decision.excluded.is_some())];
    let kind = exactly_one("recovery.decision", "a decision", &kinds);
    let is_silent = decision.excluded.as_ref().is_some_and(|why| why.trim().is_empty());
    let why = not_empty("recovery.decision.excluded", is_silent, "say why the time is left out");
    kind.into_iter().chain(why).collect()
}

fn kinds_of_steps(scenario: &Scenario) -> Vec<Note> {
    each_step(scenario)
        .filter_map(|(key, step)| {
            let kinds = [
                ("operation", step.operation.is_some()),
                ("power_off", step.power_off.is_some()),
                ("start", step.start.is_some()),
                ("heal", step.heal.is_some()),
                ("await_writer", step.await_writer.is_some()),
                ("command", step.command.is_some()),
                ("refuses_writes", step.refuses_writes.is_some()),
                ("restore", step.restore.is_some()),
                ("secondary", step.secondary.is_some()),
                ("redirect", step.redirect.is_some()),
                ("bring_back", step.bring_back.is_some()),
            ];
            exactly_one(&key, "a step", &kinds)
        })
        .collect()
}

fn commands_of_steps(scenario: &Scenario) -> Vec<Note> {
    each_step(scenario)
        .flat_map(|(key, step)| {
            let key_of = |kind| format!("{key}.{kind}");
            let command = step.command.iter().flat_map(|command| {
                let key = key_of("command");
                let run = command.run.iter().enumerate();
                let left = run.flat_map(|(index, text)| left_as_it_stands(&format!("{key}.run[{index}]"), text));
                no_command(&key, &command.run).into_iter().chain(left).collect::<Vec<_>>()
            });
            let writes = step.refuses_writes.iter().flat_map(|it| {
                let key = key_of("refuses_writes");
                let statement = not_empty(format!("{key}.statement"), it.statement.trim().is_empty(), "write one");
                let user = not_empty(format!("{key}.user"), it.user.is_empty(), "name the role of the applications");
                statement.into_iter().chain(user)
            });
            command.chain(writes).collect::<Vec<_>>()
        })
        .collect()
}

fn time_limits(scenario: &Scenario) -> Vec<Note> {
    let whole = scenario.recovery.within.map(|span| ("recovery.within".to_owned(), span));
    let steps = each_step(scenario).flat_map(|(key, step)| {
        let command = step.command.as_ref().and_then(|command| command.within);
        let writer = step.await_writer.as_ref().map(|writer| writer.within);
        let command = command.map(|span| (format!("{key}.command.within"), span));
        command.into_iter().chain(writer.map(|span| (format!("{key}.await_writer.within"), span)))
    });
    whole.into_iter().chain(steps).filter_map(|(key, span)| more_than_nothing(key, span.ms() == 0.0)).collect()
}

fn nodes_of_steps(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_step(scenario)
        .flat_map(|(key, step)| {
            let named = [
                ("operation.node", step.operation.as_ref().map(|it| &it.node)),
                ("power_off.node", step.power_off.as_ref().map(|it| &it.node)),
                ("start.node", step.start.as_ref().map(|it| &it.node)),
                ("command.on", step.command.as_ref().map(|it| &it.on)),
            ];
            named.into_iter().filter_map(move |(place, name)| unknown_node(format!("{key}.{place}"), name?, system))
        })
        .collect()
}

fn operations(scenario: &Scenario, system: &System) -> Vec<Note> {
    let steps =
        each_step(scenario).filter_map(|(key, step)| Some((format!("{key}.operation"), step.operation.as_ref()?)));
    steps.filter_map(|(key, step)| operation(&key, step, system)).collect()
}

fn operation(key: &str, step: &OperationStep, system: &System) -> Option<Note> {
    let Some(operation) = system.operations.get(&step.name) else {
        let known = system.operations.keys().map(String::as_str);
        return unknown(format!("{key}.name"), "operation of this system", &step.name, known);
    };
    let takes = operation.run.iter().any(|text| text.contains("${argument}"));
    let key = format!("{key}.argument");
    match (takes, &step.argument) {
        (true, None) => Some(Note::new(key, format!("`{}` takes an argument", step.name), "add `argument`")),
        (false, Some(_)) => Some(Note::new(key, format!("`{}` takes no argument", step.name), "drop `argument`")),
        _ => None,
    }
}

fn databases_of_steps(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_step(scenario)
        .flat_map(|(key, step)| {
            let awaited = step.await_writer.as_ref().map(|it| ("await_writer", &it.database, &it.node));
            let refusing = step.refuses_writes.as_ref().map(|it| ("refuses_writes", &it.database, &it.node));
            awaited.into_iter().chain(refusing).flat_map(move |(kind, name, node)| {
                held(&format!("{key}.{kind}"), name, node, kind == "await_writer", system)
            })
        })
        .collect()
}

/// What is wrong with a step that turns to a database on a node.
fn held(key: &str, name: &str, node: &str, finds_writer: bool, system: &System) -> Vec<Note> {
    let in_database = format!("{key}.database");
    let Some(database) = system.databases.get(name) else {
        return unknown_database(in_database, name, system).into_iter().collect();
    };
    let holders = database.nodes.iter().map(String::as_str);
    let elsewhere = unknown(format!("{key}.node"), &format!("node that holds database `{name}`"), node, holders);
    let writer = finds_writer.then(|| needs_is_writer(in_database, name, database)).flatten();
    elsewhere.into_iter().chain(writer).collect()
}

fn override_of_replication(scenario: &Scenario, system: &System) -> Vec<Note> {
    let has_standby = system.nodes.iter().any(|node| node.role == Role::Standby);
    let is_idle = scenario.replication.is_some() && !has_standby;
    let note = || Note::new("replication", "this system has no standby whose replication it could change", "drop it");
    is_idle.then(note).into_iter().collect()
}
