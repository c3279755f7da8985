//! Rules of `${...}`: the harness puts in only what it knows, and nothing in most places; and of the parameters that a system
//! adds to it.

use super::{
    Note, PairRule, SystemRule,
    names::{did_you_mean, list, not_empty, unknown},
};
use crate::scenario::{
    Scenario, System,
    renamed::{self, Form, successor},
};

pub(super) const RULES: &[SystemRule] = &[templates, parameters];
pub(super) const PAIR_RULES: &[PairRule] = &[choices];

/// What `${...}` can stand for in the strings of a node.
const OF_NODES: &[&str] = &[
    "node",
    "zone",
    "upstream",
    "peers",
    "synchronous",
    "repository",
    "spares",
    "clustered",
    "archive",
    "archive_seconds",
];
/// What it can stand for anywhere.
const ANYWHERE: &[&str] = &["node", "zone", "upstream", "peers", "synchronous", "argument", "token", "number"];

/// A parameter has something to choose from, and a name of its own.
fn parameters(system: &System) -> Vec<Note> {
    let notes = system.parameters.iter().map(|(name, parameter)| {
        let key = format!("parameters.{name}");
        let problem = || format!("`${{{name}}}` already stands for what the harness knows of a node");
        let taken = OF_NODES.iter().chain(ANYWHERE).any(|known| known == name);
        let taken = taken.then(|| Note::new(&key, problem(), "choose another name"));
        taken.or_else(|| not_empty(format!("{key}.one_of"), parameter.one_of.is_empty(), "name what can be chosen"))
    });
    notes.flatten().collect()
}

/// A scenario chooses among what the system offers.
fn choices(scenario: &Scenario, system: &System) -> Vec<Note> {
    let notes = scenario.parameters.iter().map(|(name, choice)| {
        let key = format!("parameters.{name}");
        match system.parameters.get(name) {
            None => unknown(key, "parameter of this system", name, system.parameters.keys().map(String::as_str)),
            Some(offered) => {
                unknown(key, &format!("choice of `{name}`"), choice, offered.one_of.iter().map(String::as_str))
            }
        }
    });
    notes.flatten().collect()
}

fn templates(system: &System) -> Vec<Note> {
    let known: Vec<&str> = OF_NODES.iter().copied().chain(system.parameters.keys().map(String::as_str)).collect();
    let of_nodes = system.nodes.iter().enumerate().flat_map(|(index, node)| {
        let key = format!("nodes[{index}]");
        let environment = node.environment.iter().map(|(name, text)| (format!("{key}.environment.{name}"), text));
        let command = texts(format!("{key}.command"), &node.command);
        environment.chain(command).flat_map(|(key, text)| not_filled_in(&key, text, &known)).collect::<Vec<_>>()
    });
    let operations = system.operations.iter().flat_map(|(name, operation)| {
        let run = texts(format!("operations.{name}.run"), &operation.run);
        run.flat_map(|(key, text)| not_filled_in(&key, text, &["argument"])).collect::<Vec<_>>()
    });
    let requests = system.service.requests.iter().flat_map(|(name, request)| {
        let key = format!("service.requests.{name}");
        let path = not_filled_in(&format!("{key}.path"), &request.path, &["token", "number"]);
        let body = request.body.as_deref().unwrap_or_default();
        path.into_iter().chain(not_filled_in(&format!("{key}.body"), body, &["token", "number"]))
    });
    let setup = system.setup.iter().enumerate().flat_map(|(index, command)| {
        let run = texts(format!("setup[{index}].run"), &command.run);
        run.flat_map(|(key, text)| left_as_it_stands(&key, text)).collect::<Vec<_>>()
    });
    of_nodes.chain(operations).chain(requests).chain(setup).collect()
}

fn texts(key: String, texts: &[String]) -> impl Iterator<Item = (String, &String)> {
    texts.iter().enumerate().map(move |(index, text)| (format!("{key}[{index}]"), text))
}

/// The names that a text asks to be filled in.
fn asked_for(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

/// Notes for what nothing is put in for, where the harness fills in `known`.
pub(in crate::scenario) fn not_filled_in(key: &str, text: &str, known: &[&str]) -> Vec<Note> {
    let what = |name: &str| {
        if let Some(now) = successor(Form::Placeholder, name, known.iter().copied()) {
            let (problem, mend) = renamed::refusal(&format!("${{{name}}}"), &format!("${{{now}}}"));
            return Note::new(key, problem, mend);
        }
        let problem = format!("unknown placeholder `${{{name}}}`");
        let mend = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
            format!(
                "known here are {}; what a shell is to fill in is written without braces",
                list(known.iter().copied())
            )
        });
        Note::new(key, problem, mend)
    };
    asked_for(text).filter(|name| !known.contains(name)).map(what).collect()
}

/// Notes for what looks as if the harness filled it in, where it does not.
pub(in crate::scenario) fn left_as_it_stands(key: &str, text: &str) -> Vec<Note> {
    let is_ours = |name: &&str| ANYWHERE.contains(name);
    let what = |name: &str| {
        let problem = format!("`${{{name}}}` is not filled in here: the command would see it unchanged");
        Note::new(key, problem, "write what is meant")
    };
    asked_for(text).filter(is_ours).map(what).collect()
}
