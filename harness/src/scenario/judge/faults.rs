//! Rules of what breaks, and of the conditions under which it does.

use super::{
    Note, PairRule, ScenarioRule,
    names::{exactly_one, more_than_nothing, not_empty, unknown, unknown_node},
    topology::zones,
};
use crate::scenario::{
    Scenario, System,
    drill::{Cause, DisasterClass, Origin},
    fault::{Condition, Cut, Darkness, Fault},
    units::{OneOf, Span},
};

pub(super) const RULES: &[ScenarioRule] =
    &[kinds, conditions, first_fault, self_healing, cuts_of_oneself, disaster, disaster_and_faults];
pub(super) const PAIR_RULES: &[PairRule] = &[victims, dark_zones, lost_sites, cut_nodes, slow_links];

/// The least time of load before the first fault: without it there is no *before* to compare with.
const LEAST_BEFORE: Span = Span::from_ms(1000);

fn each_fault(scenario: &Scenario) -> impl Iterator<Item = (String, &Fault)> {
    scenario.faults.iter().enumerate().map(|(index, fault)| (format!("faults[{index}]"), fault))
}

fn each_condition(scenario: &Scenario) -> impl Iterator<Item = (String, &Condition)> {
    scenario.conditions.iter().enumerate().map(|(index, condition)| (format!("conditions[{index}]"), condition))
}

fn kinds(scenario: &Scenario) -> Vec<Note> {
    each_fault(scenario)
        .filter_map(|(key, fault)| {
            let kinds = [
                ("kill", fault.kill.is_some()),
                ("pause", fault.pause.is_some()),
                ("zone_dark", fault.zone_dark.is_some()),
                ("cut", fault.cut.is_some()),
                ("data_lost", fault.data_lost.is_some()),
                ("bad_change", fault.bad_change.is_some()),
                ("backup_spoiled", fault.backup_spoiled.is_some()),
                ("power_loss", fault.power_loss.is_some()),
                ("disk_full", fault.disk_full.is_some()),
                ("disk_gone", fault.disk_gone.is_some()),
                ("site_lost", fault.site_lost.is_some()),
            ];
            exactly_one(&key, "a fault", &kinds)
        })
        .collect()
}

fn conditions(scenario: &Scenario) -> Vec<Note> {
    each_condition(scenario)
        .filter_map(|(key, condition)| {
            exactly_one(&key, "a condition", &[("slow_link", condition.slow_link.is_some())])
        })
        .collect()
}

fn first_fault(scenario: &Scenario) -> Vec<Note> {
    each_fault(scenario)
        .filter(|(_, fault)| fault.at.from < LEAST_BEFORE)
        .map(|(key, fault)| {
            let problem = format!("{} leaves too little load before the fault to compare with", fault.at);
            Note::new(format!("{key}.at"), problem, format!("write {LEAST_BEFORE} or later"))
        })
        .collect()
}

fn self_healing(scenario: &Scenario) -> Vec<Note> {
    each_fault(scenario)
        .filter_map(|(key, fault)| {
            let key = format!("{key}.heal_after");
            let is_killed = fault.zone_dark.as_ref().is_some_and(|dark| dark.by == Darkness::Killed);
            if fault.heal_after?.ms() == 0.0 {
                return more_than_nothing(key, true);
            }
            let mend = "drop `heal_after`; bring the nodes back by `start` in the procedure";
            let is_lost = fault.data_lost.is_some() || fault.bad_change.is_some() || fault.backup_spoiled.is_some();
            let is_broken = fault.power_loss.is_some() || fault.disk_gone.is_some() || fault.site_lost.is_some();
            let is_scar = fault.kill.is_some() || is_killed || is_lost || is_broken;
            is_scar.then(|| Note::new(key, "what was killed or destroyed cannot be healed", mend))
        })
        .collect()
}

fn each_cut(scenario: &Scenario) -> impl Iterator<Item = (String, &Cut)> {
    each_fault(scenario).filter_map(|(key, fault)| Some((format!("{key}.cut.refuses"), fault.cut.as_ref()?)))
}

fn cuts_of_oneself(scenario: &Scenario) -> Vec<Note> {
    each_cut(scenario)
        .flat_map(|(key, cut)| {
            let none = not_empty(key.clone(), cut.refuses.is_empty(), "say which node refuses which");
            let nodes = cut.refuses.iter().flat_map(|(node, from)| {
                let key = format!("{key}.{node}");
                let itself = from.iter().position(|other| other == node).map(|index| {
                    Note::new(format!("{key}[{index}]"), format!("`{node}` cannot refuse itself"), "name other nodes")
                });
                not_empty(key, from.is_empty(), "name the nodes that it refuses").into_iter().chain(itself)
            });
            none.into_iter().chain(nodes).collect::<Vec<_>>()
        })
        .collect()
}

fn disaster(scenario: &Scenario) -> Vec<Note> {
    let DisasterClass { origin, cause } = scenario.disaster;
    let mend = match (origin, cause) {
        (Origin::Natural, Cause::Nature) | (Origin::None, Cause::None) => return Vec::new(),
        (Origin::ManMade, cause) if !matches!(cause, Cause::Nature | Cause::None) => return Vec::new(),
        (Origin::Natural, _) => "write `nature`, or make the origin `man-made`",
        (Origin::None, _) => "write `none`, or name the origin",
        (Origin::ManMade, _) => "write `infrastructure-failure`, `software-bug` or `failed-change`",
    };
    vec![Note::new("disaster.cause", "this cause does not belong to that origin", mend)]
}

fn disaster_and_faults(scenario: &Scenario) -> Vec<Note> {
    match (scenario.disaster.origin, scenario.faults.is_empty()) {
        (Origin::None, false) => {
            vec![Note::new("disaster.origin", "a drill with faults has a disaster", "write `natural` or `man-made`")]
        }
        (Origin::Natural | Origin::ManMade, true) => {
            let mend = "declare what breaks; or write `origin: none` and `cause: none`, for a control";
            vec![Note::new("disaster.origin", "a disaster is declared, and nothing breaks", mend)]
        }
        _ => Vec::new(),
    }
}

/// The names of a choice, each with its key: the key itself for a single name.
fn each_choice<'a>(key: &str, names: &'a OneOf) -> impl Iterator<Item = (String, &'a String)> {
    let is_single = names.0.len() == 1;
    let names = names.0.iter().enumerate();
    names.map(move |(index, name)| (if is_single { key.to_owned() } else { format!("{key}[{index}]") }, name))
}

fn victims(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_fault(scenario)
        .flat_map(|(key, fault)| {
            let victims = [("kill", &fault.kill), ("pause", &fault.pause)];
            victims.into_iter().flat_map(move |(kind, victim)| {
                let nodes = victim.iter().map(|victim| &victim.node);
                let key = format!("{key}.{kind}.node");
                nodes.flat_map(|names| each_choice(&key, names)).collect::<Vec<_>>()
            })
        })
        .filter_map(|(key, name)| unknown_node(key, name, system))
        .collect()
}

fn dark_zones(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_fault(scenario)
        .filter_map(|(key, fault)| Some((format!("{key}.zone_dark.zone"), &fault.zone_dark.as_ref()?.zone)))
        .flat_map(|(key, names)| each_choice(&key, names).collect::<Vec<_>>())
        .filter_map(|(key, zone)| {
            let is_empty = !system.nodes.iter().any(|node| node.zone.as_ref() == Some(zone));
            let note = unknown(key.clone(), "zone of this system", zone, zones(system));
            let empty = || Note::new(key, format!("no node stands in zone `{zone}`"), "name a zone that holds nodes");
            note.or_else(|| is_empty.then(empty))
        })
        .collect()
}

fn lost_sites(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_fault(scenario)
        .filter_map(|(key, fault)| Some((format!("{key}.site_lost.site"), &fault.site_lost.as_ref()?.site)))
        .filter_map(|(key, name)| {
            let sites = system.sites.iter().map(|site| site.name.as_str());
            let note = unknown(key.clone(), "site of this system", name, sites);
            let site = system.sites.iter().find(|site| site.name == *name);
            let stands_in = |zone: &String| site.is_some_and(|site| site.zones.contains(zone));
            let is_empty = !system.nodes.iter().filter_map(|node| node.zone.as_ref()).any(stands_in);
            let empty = || Note::new(key, format!("no node stands at site `{name}`"), "name a site that holds nodes");
            note.or_else(|| is_empty.then(empty))
        })
        .collect()
}

fn cut_nodes(scenario: &Scenario, system: &System) -> Vec<Note> {
    let named = each_cut(scenario).flat_map(|(key, cut)| {
        cut.refuses.iter().flat_map(move |(node, from)| {
            let key = format!("{key}.{node}");
            let from: Vec<_> = from.iter().enumerate().map(|(index, name)| (format!("{key}[{index}]"), name)).collect();
            std::iter::once((key, node)).chain(from)
        })
    });
    named.filter_map(|(key, name)| unknown_node(key, name, system)).collect()
}

fn slow_links(scenario: &Scenario, system: &System) -> Vec<Note> {
    each_condition(scenario)
        .filter_map(|(key, condition)| Some((format!("{key}.slow_link"), condition.slow_link.as_ref()?)))
        .flat_map(|(key, link)| {
            let from = unknown_node(format!("{key}.from"), &link.from, system);
            let to = unknown_node(format!("{key}.to"), &link.to, system);
            let itself = (link.from == link.to)
                .then(|| Note::new(format!("{key}.to"), "a link leads from one node to another", "name another node"));
            [from, to, itself].into_iter().flatten()
        })
        .collect()
}
