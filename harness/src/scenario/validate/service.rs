//! Rules of the requests, of the load that clients make of them, and of the probe.

use super::{
    Note, PairRule, ScenarioRule, SystemRule,
    names::{more_than_nothing, not_empty, unknown_node, unknown_request},
    topology::not_a_path,
};
use crate::scenario::{
    Scenario, System,
    drill::Probe,
    question::{On, Own},
    system::Request,
};

pub(super) const SYSTEM_RULES: &[SystemRule] = &[entrance, answers, tokens, methods, survivors];
pub(super) const SCENARIO_RULES: &[ScenarioRule] = &[mix, spans];
pub(super) const PAIR_RULES: &[PairRule] = &[requests, probe_writes];

fn each_request(system: &System) -> impl Iterator<Item = (String, &Request)> {
    system.service.requests.iter().map(|(name, request)| (format!("service.requests.{name}"), request))
}

fn entrance(system: &System) -> Vec<Note> {
    let node = unknown_node("service.node", &system.service.node, system);
    let port = more_than_nothing("service.port", system.service.port == 0);
    let none = not_empty("service.requests", system.service.requests.is_empty(), "declare what clients ask");
    [node, port, none].into_iter().flatten().collect()
}

fn answers(system: &System) -> Vec<Note> {
    let is_status = |status: u16| (100..600).contains(&status);
    each_request(system)
        .flat_map(|(key, request)| {
            let (yes, no) = (&request.acknowledged, &request.refused);
            let none =
                not_empty(format!("{key}.acknowledged"), yes.is_empty(), "name the answers that promise the work");
            let both = no.iter().enumerate().filter(|(_, status)| yes.contains(status)).map(|(index, status)| {
                let problem = format!("{status} cannot both promise the work and refuse it");
                Note::new(format!("{key}.refused[{index}]"), problem, "keep it in one of the lists")
            });
            let lists = [("acknowledged", yes), ("refused", no)];
            let odd = lists.into_iter().flat_map(|(name, list)| {
                let odd = list.iter().enumerate().filter(|(_, status)| !is_status(**status));
                let note = |(index, status)| {
                    let problem = format!("{status} is not a status of an HTTP answer");
                    Note::new(format!("{key}.{name}[{index}]"), problem, "write one from 100 to 599")
                };
                odd.map(note).collect::<Vec<_>>()
            });
            none.into_iter().chain(both).chain(odd).collect::<Vec<_>>()
        })
        .collect()
}

fn carries_token(request: &Request) -> bool {
    request.path.contains("${token}") || request.body.as_ref().is_some_and(|body| body.contains("${token}"))
}

fn tokens(system: &System) -> Vec<Note> {
    each_request(system)
        .flat_map(|(key, request)| {
            let token = (!carries_token(request)).then(|| {
                let problem = "nothing tells one request of this kind from another";
                Note::new(key.clone(), problem, "put `${token}` into its path or its body")
            });
            [token, not_a_path(format!("{key}.path"), &request.path)].into_iter().flatten()
        })
        .collect()
}

fn methods(system: &System) -> Vec<Note> {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    each_request(system)
        .filter_map(|(key, request)| {
            let method = request.method.as_deref()?;
            super::names::unknown(format!("{key}.method"), "method of HTTP known here", method, known.into_iter())
        })
        .collect()
}

/// Survivors are what the writer holds. Another server may still hold what the writer lost, and would hide the loss.
fn survivors(system: &System) -> Vec<Note> {
    let asked = &system.service.survivors.kind;
    let elsewhere = match asked.declared().on() {
        None | Some(On::Writer) => None,
        Some(On::Nodes(nodes)) if nodes.len() == 1 => beside_others(&nodes[0], system),
        Some(On::Every | On::Nodes(_)) => {
            Some("survivors of several servers together would hide what the writer lost".into())
        }
    };
    let place = elsewhere.map(|problem| {
        let mend = "drop `on`: survivors are read where work is written";
        Note::new(format!("service.survivors.{}.on", asked.key()), problem, mend)
    });
    asked.notes("service.survivors", Own::default(), system).into_iter().chain(place).collect()
}

/// What is wrong with reading survivors from a node that is one of several servers of a database.
fn beside_others(node: &str, system: &System) -> Option<String> {
    let is_one_of_several = |nodes: &[String]| nodes.len() > 1 && nodes.iter().any(|holder| holder == node);
    let (name, _) = system.databases.iter().find(|(_, database)| is_one_of_several(&database.nodes))?;
    Some(format!("`{node}` is one of several servers of `{name}`, and may hold what the writer lost"))
}

fn mix(scenario: &Scenario) -> Vec<Note> {
    let sum: u64 = scenario.load.mix.values().map(|weight| u64::from(*weight)).sum();
    let nothing = (sum == 0).then(|| Note::new("load.mix", "the weights sum up to nothing", "give a request a weight"));
    let much = (sum > u64::from(u32::MAX))
        .then(|| Note::new("load.mix", format!("the weights sum up to {sum}"), "use small weights, such as 7 and 3"));
    nothing.into_iter().chain(much).collect()
}

fn spans(scenario: &Scenario) -> Vec<Note> {
    let Probe { every, deadline, .. } = &scenario.probe;
    let spans = [("load.deadline", &scenario.load.deadline), ("probe.every", every), ("probe.deadline", deadline)];
    spans.into_iter().filter_map(|(key, span)| more_than_nothing(key, span.ms() == 0.0)).collect()
}

fn requests(scenario: &Scenario, system: &System) -> Vec<Note> {
    let mixed = scenario.load.mix.keys().map(|name| (format!("load.mix.{name}"), name));
    let probed = std::iter::once(("probe.request".to_owned(), &scenario.probe.request));
    let detected =
        scenario.recovery.detect.iter().map(|detect| ("recovery.detect.request".to_owned(), &detect.request));
    mixed.chain(probed).chain(detected).filter_map(|(key, name)| unknown_request(key, name, system)).collect()
}

fn probe_writes(scenario: &Scenario, system: &System) -> Vec<Note> {
    let Some(request) = system.service.requests.get(&scenario.probe.request) else { return Vec::new() };
    let reads = matches!(request.method.as_deref(), Some("GET" | "HEAD"));
    let problem =
        format!("`{}` writes nothing, so that it would not see a system that only reads", scenario.probe.request);
    let note = || Note::new("probe.request", problem, "probe with a request that writes, and carries `${token}`");
    (reads || !carries_token(request)).then(note).into_iter().collect()
}
