//! Rules of a system's places, images, nodes and databases.

use std::collections::BTreeSet;

use super::{
    Note, SystemRule,
    names::{exactly_one, more_than_nothing, not_empty, twice, unknown, unknown_node},
};
use crate::scenario::{
    System,
    question::{Criterion, Own, expectation_notes},
    system::{Database, Node, Role, Site},
};

pub(super) const RULES: &[SystemRule] = &[
    names_of_nodes,
    number_of_nodes,
    names_of_sites_and_zones,
    zones_of_nodes,
    images,
    images_of_nodes,
    standbys,
    replication,
    residency,
    absolute_paths,
    readiness,
    observed_ports,
    databases,
    commands,
];

/// The most nodes that one network of a run holds: their addresses are 10 to 209.
const MOST_NODES: usize = 200;

fn each_node(system: &System) -> impl Iterator<Item = (String, &Node)> {
    system.nodes.iter().enumerate().map(|(index, node)| (format!("nodes[{index}]"), node))
}

fn names_of_nodes(system: &System) -> Vec<Note> {
    let invalid = each_node(system).filter(|(_, node)| !is_host_name(&node.name)).map(|(key, node)| {
        let problem = format!("`{}` cannot be a host name", node.name);
        Note::new(format!("{key}.name"), problem, "use at most 63 small letters, digits and hyphens, a letter first")
    });
    let reserved = each_node(system).filter(|(_, node)| node.name == "writer").map(|(key, _)| {
        let problem = "`writer` stands for whichever node takes writes";
        Note::new(format!("{key}.name"), problem, "give the node another name")
    });
    let named = each_node(system).map(|(key, node)| (format!("{key}.name"), node.name.as_str()));
    invalid.chain(reserved).chain(twice("node", named)).collect()
}

fn is_host_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(is_letter)
}

fn number_of_nodes(system: &System) -> Vec<Note> {
    match system.nodes.len() {
        0 => vec![Note::new("nodes", "the system has no nodes", "declare at least one")],
        count if count > MOST_NODES => {
            let problem = format!("the system has {count} nodes; the most is {MOST_NODES}");
            vec![Note::new("nodes", problem, "drill a smaller stand-in of the same shape")]
        }
        _ => Vec::new(),
    }
}

fn names_of_sites_and_zones(system: &System) -> Vec<Note> {
    let sites = || system.sites.iter().enumerate();
    let site_names = sites().map(|(index, site)| (format!("sites[{index}].name"), site.name.as_str()));
    let zones = sites().flat_map(|(index, site)| {
        let key = move |zone| format!("sites[{index}].zones[{zone}]");
        site.zones.iter().enumerate().map(move |(zone, name)| (key(zone), name.as_str()))
    });
    let regions = sites().map(|(index, site)| (format!("sites[{index}].region"), site.region.as_str()));
    let all: Vec<_> = site_names.clone().chain(zones.clone()).chain(regions).collect();
    let empty = all.into_iter().filter_map(|(key, name)| not_empty(key, name.is_empty(), "give it a name"));
    let none = not_empty("sites", system.sites.is_empty(), "declare at least one site");
    empty.chain(twice("site", site_names)).chain(twice("zone", zones)).chain(none).collect()
}

/// The names of a system's zones.
pub(in crate::scenario) fn zones(system: &System) -> impl Iterator<Item = &str> + Clone {
    system.sites.iter().flat_map(|site| site.zones.iter().map(String::as_str))
}

fn zones_of_nodes(system: &System) -> Vec<Note> {
    let zoned = each_node(system).filter_map(|(key, node)| Some((key, node.zone.as_deref()?)));
    zoned.filter_map(|(key, zone)| unknown(format!("{key}.zone"), "zone of this system", zone, zones(system))).collect()
}

fn images(system: &System) -> Vec<Note> {
    let kinds = system.images.iter().filter_map(|(name, image)| {
        let kinds = [("build", image.build.is_some()), ("existing", image.existing.is_some())];
        exactly_one(&format!("images.{name}"), "an image", &kinds)
    });
    let programs = system.images.iter().flat_map(|(name, image)| {
        let is_path = |program: &str| program.is_empty() || program.contains(['/', '\\']) || program == "..";
        image.programs.iter().enumerate().filter(move |(_, program)| is_path(program)).map(move |(index, program)| {
            let problem = format!("`{program}` is not a name of a program");
            Note::new(format!("images.{name}.programs[{index}]"), problem, "write its name only, without a folder")
        })
    });
    kinds.chain(programs).collect()
}

fn images_of_nodes(system: &System) -> Vec<Note> {
    let known = system.images.keys().map(String::as_str);
    each_node(system)
        .filter_map(|(key, node)| unknown(format!("{key}.image"), "image of this system", &node.image, known.clone()))
        .collect()
}

fn standbys(system: &System) -> Vec<Note> {
    let primaries = system.nodes.iter().filter(|node| node.role == Role::Primary).map(|node| node.name.as_str());
    each_node(system)
        .filter_map(|(key, node)| match (node.role, &node.of) {
            (Role::Standby, Some(of)) => unknown(format!("{key}.of"), "primary of this system", of, primaries.clone()),
            (Role::Standby, None) => {
                let problem = format!("`{}` is a standby without a primary", node.name);
                Some(Note::new(format!("{key}.of"), problem, "add `of` with the name of the primary that it follows"))
            }
            (_, Some(_)) => {
                let problem = format!("`{}` follows another node, and is not a standby", node.name);
                Some(Note::new(format!("{key}.of"), problem, "drop `of`, or make the role `standby`"))
            }
            (_, None) => None,
        })
        .collect()
}

fn replication(system: &System) -> Vec<Note> {
    each_node(system)
        .filter_map(|(key, node)| match (node.role, node.replication) {
            (Role::Standby, None) => {
                let problem = format!("standby `{}` does not say whether its primary waits for it", node.name);
                Some(Note::new(format!("{key}.replication"), problem, "add `replication`: synchronous or asynchronous"))
            }
            (role, Some(_)) if role != Role::Standby => {
                let problem = format!("`{}` is not a standby, so that nobody replicates to it", node.name);
                Some(Note::new(format!("{key}.replication"), problem, "say it at the standby"))
            }
            _ => None,
        })
        .collect()
}

/// Every node that holds data stands in the declared region. A node without a zone counts as standing in the first site.
fn residency(system: &System) -> Vec<Note> {
    let Some(residency) = &system.residency else { return Vec::new() };
    let region = &residency.region;
    let regions = system.sites.iter().map(|site| site.region.as_str());
    let nowhere = unknown("residency.region", "region of a site", region, regions);
    let outside = each_node(system).filter(|(_, node)| node.data.is_some()).filter_map(|(key, node)| {
        let site = site_of(system, node)?;
        let zone = node.zone.as_deref();
        let place = zone.map_or("no zone, and so".to_owned(), |zone| format!("zone `{zone}`, site"));
        let problem = format!(
            "`{}` holds data and stands in {place} `{}`, region `{}`; the data may not leave `{region}`",
            node.name, site.name, site.region
        );
        let key = if zone.is_some() { format!("{key}.zone") } else { format!("{key}.data") };
        (site.region != *region).then(|| Note::new(key, problem, mend_of_residency(system, region)))
    });
    nowhere.into_iter().chain(outside).collect()
}

fn site_of<'a>(system: &'a System, node: &Node) -> Option<&'a Site> {
    match &node.zone {
        Some(zone) => system.sites.iter().find(|site| site.zones.contains(zone)),
        None => system.sites.first(),
    }
}

fn mend_of_residency(system: &System, region: &str) -> String {
    let inside = system.sites.iter().filter(|site| site.region == region);
    let zones: Vec<&str> = inside.flat_map(|site| site.zones.iter().map(String::as_str)).collect();
    match zones.as_slice() {
        [] => format!("declare a site in `{region}`, and place it there"),
        zones => format!("place it in a zone of `{region}`: {}", super::names::list(zones.iter().copied())),
    }
}

fn absolute_paths(system: &System) -> Vec<Note> {
    let paths = each_node(system).flat_map(|(key, node)| {
        let data = node.data.as_deref().map(|path| (format!("{key}.data"), path));
        let password = node.password_file.as_deref().map(|path| (format!("{key}.password_file"), path));
        let files = node.files.iter().enumerate();
        let files = files.map(move |(index, file)| (format!("{key}.files[{index}].to"), file.to.as_str()));
        data.into_iter().chain(password).chain(files)
    });
    let is_fine = |path: &str| path.starts_with('/') && path.len() > 1 && !path.split('/').any(|part| part == "..");
    paths
        .filter(|(_, path)| !is_fine(path))
        .map(|(key, path)| {
            Note::new(
                key,
                format!("`{path}` is not an absolute path"),
                "write the whole path within the node, from `/`",
            )
        })
        .collect()
}

fn readiness(system: &System) -> Vec<Note> {
    each_node(system)
        .filter_map(|(key, node)| Some((format!("{key}.ready"), node, node.ready.as_ref()?)))
        .flat_map(|(key, node, ready)| {
            let own = ready.kind.notes(&key, Own { nodes: Some(&[node.name.as_str()]), database: None }, system);
            let elsewhere = ready.kind.declared().on().map(|_| {
                let problem = "readiness is asked of the node itself";
                Note::new(format!("{key}.{}.on", ready.kind.key()), problem, "drop `on`")
            });
            let within = ready.within.and_then(|span| more_than_nothing(format!("{key}.within"), span.ms() == 0.0));
            let expected = expectation_notes(&key, ready.expect.as_ref());
            own.into_iter().chain(elsewhere).chain(within).chain(expected)
        })
        .collect()
}

/// A note where a port is none that the harness may reach.
pub(in crate::scenario) fn not_observed(key: impl Into<String>, port: u16, node: &Node) -> Option<Note> {
    (!node.observe.contains(&port)).then(|| {
        let problem = format!("port {port} of `{}` cannot be reached by the harness", node.name);
        Note::new(key, problem, format!("add {port} to the node's `observe`"))
    })
}

/// A note where the path of a URL does not start as one.
pub(in crate::scenario) fn not_a_path(key: impl Into<String>, path: &str) -> Option<Note> {
    let is_fine = path.starts_with('/') && !path.contains(char::is_whitespace);
    (!is_fine).then(|| Note::new(key, format!("`{path}` is not a path of a URL"), "start it with `/`, without blanks"))
}

fn observed_ports(system: &System) -> Vec<Note> {
    each_node(system)
        .flat_map(|(key, node)| {
            let mut seen = BTreeSet::new();
            node.observe.iter().enumerate().filter_map(move |(index, port)| {
                let key = format!("{key}.observe[{index}]");
                if *port == 0 {
                    return Some(Note::new(key, "0 is not a port", "write 1 to 65535"));
                }
                (!seen.insert(*port)).then(|| Note::new(key, format!("port {port} stands twice"), "name it once"))
            })
        })
        .collect()
}

fn databases(system: &System) -> Vec<Note> {
    system
        .databases
        .iter()
        .flat_map(|(name, database)| {
            let key = format!("databases.{name}");
            let holders =
                || database.nodes.iter().enumerate().map(|(i, node)| (format!("{key}.nodes[{i}]"), node.as_str()));
            let unknown: Vec<Note> = holders().filter_map(|(key, node)| unknown_node(key, node, system)).collect();
            let none = not_empty(format!("{key}.nodes"), database.nodes.is_empty(), "name the nodes that may hold it");
            let user = not_empty(format!("{key}.user"), database.user.is_empty(), "name the role that reads");
            let port = more_than_nothing(format!("{key}.port"), database.port == 0);
            let twice = twice("node", holders());
            let roles = [("is_writer", &database.is_writer), ("is_replica", &database.is_replica)];
            let roles = roles.into_iter().flat_map(|(role, criterion)| {
                role_notes(&format!("{key}.{role}"), criterion.as_ref(), name, database, system)
            });
            unknown
                .into_iter()
                .chain(twice)
                .chain([none, user, port].into_iter().flatten())
                .chain(roles)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What is wrong with the question by which a server's role is recognised: it goes to each server of its own database.
fn role_notes(key: &str, criterion: Option<&Criterion>, name: &str, database: &Database, system: &System) -> Vec<Note> {
    let Some(criterion) = criterion else { return Vec::new() };
    let nodes: Vec<&str> = database.nodes.iter().map(String::as_str).collect();
    let (kind, declared) = (criterion.kind.key(), criterion.kind.declared());
    let elsewhere = declared
        .on()
        .map(|_| Note::new(format!("{key}.{kind}.on"), "it goes to each server of its own database", "drop `on`"));
    let other = declared.database().filter(|other| *other != name).map(|other| {
        let problem = format!("it asks `{other}` about a server of `{name}`");
        Note::new(format!("{key}.{kind}.database"), problem, format!("write `{name}`"))
    });
    let own = criterion.kind.notes(key, Own { nodes: Some(&nodes), database: Some(name) }, system);
    own.into_iter().chain(elsewhere).chain(other).chain(expectation_notes(key, criterion.expect.as_ref())).collect()
}

fn commands(system: &System) -> Vec<Note> {
    let setup = system.setup.iter().enumerate().flat_map(|(index, command)| {
        let key = format!("setup[{index}]");
        let on = unknown_node(format!("{key}.on"), &command.on, system);
        [on, no_command(&key, &command.run)].into_iter().flatten()
    });
    let operations = system.operations.iter().flat_map(|(name, operation)| {
        let key = format!("operations.{name}");
        let within = more_than_nothing(format!("{key}.within"), operation.within.ms() == 0.0);
        [no_command(&key, &operation.run), within].into_iter().flatten()
    });
    setup.chain(operations).collect()
}

/// A note where a command does not even name its program.
pub(in crate::scenario) fn no_command(key: &str, run: &[String]) -> Option<Note> {
    let is_empty = run.first().is_none_or(|program| program.trim().is_empty());
    not_empty(format!("{key}.run"), is_empty, "write the program, then its arguments")
}
