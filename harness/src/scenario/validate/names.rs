//! Names that refer to something, and what was probably meant where they do not; and the rule of exactly one kind.

use super::Note;
use crate::scenario::{System, system::Database};

/// How many single-letter changes turn one text into the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        row[0] = left;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            left = change.min(diagonal + 1).min(left + 1);
            row[j + 1] = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The most letters of a name that is compared; longer ones are no slip of the pen.
const MOST_LETTERS: usize = 64;

/// What was probably meant, as a question.
pub(in crate::scenario) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?"))
}

/// The known name that was probably meant.
pub(in crate::scenario) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = (name.chars().count() / 3).max(2);
    let short = known.filter(|known| known.len() <= MOST_LETTERS && name.len() <= MOST_LETTERS);
    let nearest = short.map(|known| (edit_distance(name, known), known)).min()?;
    (nearest.0 <= near && nearest.0 < nearest.1.chars().count()).then_some(nearest.1)
}

/// Names in a row, the first dozen of them.
pub(in crate::scenario) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = names.collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => shown.join(", "),
    }
}

/// A note where a name is not among those known. `what` says what it should be: `node of this system`.
pub(in crate::scenario) fn unknown<'a>(
    key: impl Into<String>,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<Note> {
    if known.clone().any(|known| known == name) {
        return None;
    }
    let mend = did_you_mean(name, known.clone()).unwrap_or_else(|| format!("known are: {}", list(known)));
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Some(Note::new(key, format!("`{name}` is not {article} {what}"), mend))
}

/// A note where a name is no node's.
pub(in crate::scenario) fn unknown_node(key: impl Into<String>, name: &str, system: &System) -> Option<Note> {
    unknown(key, "node of this system", name, node_names(system))
}

/// A note where a name is no database's.
pub(in crate::scenario) fn unknown_database(key: impl Into<String>, name: &str, system: &System) -> Option<Note> {
    unknown(key, "database of this system", name, system.databases.keys().map(String::as_str))
}

/// A note where a name is no request's.
pub(in crate::scenario) fn unknown_request(key: impl Into<String>, name: &str, system: &System) -> Option<Note> {
    unknown(key, "request of this system's service", name, system.service.requests.keys().map(String::as_str))
}

/// The names of a system's nodes.
pub(in crate::scenario) fn node_names(system: &System) -> impl Iterator<Item = &str> + Clone {
    system.nodes.iter().map(|node| node.name.as_str())
}

/// What is wrong with asking a database on a node, or on its `writer`. `key` is the mapping with `on` and `database`.
pub(in crate::scenario) fn database_on(key: &str, on: &str, database: &str, system: &System) -> Option<Note> {
    let Some(asked) = system.databases.get(database) else {
        return unknown_database(format!("{key}.database"), database, system);
    };
    let key = format!("{key}.on");
    if on == "writer" {
        return place_of_writer(key, database, asked);
    }
    let holders = asked.nodes.iter().map(String::as_str).chain(["writer"]);
    unknown(key, &format!("node that holds database `{database}`"), on, holders)
}

/// What is wrong with asking a database where it takes writes: of one server nothing is.
pub(in crate::scenario) fn place_of_writer(key: impl Into<String>, name: &str, database: &Database) -> Option<Note> {
    (database.nodes.len() > 1).then(|| needs_is_writer(key, name, database)).flatten()
}

/// What is wrong with demanding that a server takes writes: it must be able to say so.
pub(in crate::scenario) fn needs_is_writer(key: impl Into<String>, name: &str, database: &Database) -> Option<Note> {
    database.is_writer.is_none().then(|| {
        let problem = format!("database `{name}` does not say how its writer is recognised");
        Note::new(key, problem, format!("give `databases.{name}` an `is_writer`"))
    })
}

/// What is wrong with looking for the replicas of a database. `key` is the mapping with `on` and `database`.
pub(in crate::scenario) fn needs_is_replica(key: &str, name: &str, system: &System) -> Option<Note> {
    let Some(database) = system.databases.get(name) else {
        return unknown_database(format!("{key}.database"), name, system);
    };
    database.is_replica.is_none().then(|| {
        let problem = format!("database `{name}` does not say how its replicas are recognised");
        Note::new(format!("{key}.on"), problem, format!("give `databases.{name}` an `is_replica`"))
    })
}

/// Notes where a name stands twice.
pub(in crate::scenario) fn twice<'a>(what: &str, names: impl Iterator<Item = (String, &'a str)>) -> Vec<Note> {
    let mut seen = std::collections::BTreeMap::new();
    let mut notes = Vec::new();
    for (key, name) in names {
        if let Some(first) = seen.get(name) {
            let problem = format!("{what} `{name}` stands twice; the first is `{first}`");
            notes.push(Note::new(key, problem, "give each a name of its own"));
        } else {
            seen.insert(name, key);
        }
    }
    notes
}

/// A note where not exactly one of several keys is there.
pub(in crate::scenario) fn exactly_one(key: &str, what: &str, kinds: &[(&str, bool)]) -> Option<Note> {
    let given: Vec<&str> = kinds.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
    let all = list(kinds.iter().map(|(name, _)| *name));
    match given.as_slice() {
        [_] => None,
        [] => Some(Note::new(key, format!("{what} has none of its kinds"), format!("write exactly one of {all}"))),
        [_, second, ..] => {
            let problem = format!("{what} has several kinds at once: {}", list(given.iter().copied()));
            Some(Note::new(format!("{key}.{second}"), problem, "keep one of them, and declare the others apart"))
        }
    }
}

/// A note where a span or a number that must be more than nothing is nothing.
pub(in crate::scenario) fn more_than_nothing(key: impl Into<String>, is_nothing: bool) -> Option<Note> {
    is_nothing.then(|| Note::new(key, "this is zero", "write more than zero"))
}

/// A note where a text or a list says nothing.
pub(in crate::scenario) fn not_empty(key: impl Into<String>, is_empty: bool, mend: &str) -> Option<Note> {
    is_empty.then(|| Note::new(key, "this is empty", mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_proposed_and_far_ones_are_not() {
        let known = ["db-a", "db-b", "balancer"];
        assert_eq!(did_you_mean("balancr", known.into_iter()).unwrap(), "did you mean `balancer`?");
        assert_eq!(did_you_mean("monitoring", known.into_iter()), None);
    }

    #[test]
    fn distance_counts_single_changes() {
        assert_eq!(edit_distance("kill", "kil"), 1);
        assert_eq!(edit_distance("zone", "node"), 2);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
