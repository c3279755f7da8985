//! Questions: the one way in which anything is asked of a system.
//!
//! A question goes to one node, to several, or to whichever takes writes, changes nothing, and gives rows. Readiness, checks, both
//! sides of an agreement, survivors, the end of an invocation, alerts and who takes writes are all questions. One file per
//! kind: what is written of it, and its rules. How it is asked stands in the file of the same name in
//! `harness/src/question/`. [`questions!`] lists all of them; a kind that lacks either half does not compile.

pub use blackstart_evidence::checks::{Expected, On, RowsAre};

use super::{
    System,
    kinds::{kinds, one_of_kinds},
    system::Database,
    units::Span,
    validate::{
        Note,
        names::{not_empty, place_of_writer, unknown, unknown_database, unknown_node},
    },
};

/// The registry.
macro_rules! questions {
    ($then:ident) => {
        $then! {
            /// A query to a database, in a transaction that may only read.
            sql: SqlQuestion,
            /// A path over HTTP, which must answer 200.
            http: HttpQuestion,
            /// A command that changes nothing and must exit with 0. Each line that it prints is a row, its cells separated by tabs.
            command: CommandQuestion,
        }
    };
}
pub(crate) use questions;

macro_rules! declare {
    ($($(#[$doc:meta])+ $key:ident: $Question:ident,)+) => {
        $(mod $key;)+
        $(pub use $key::$Question;)+

        kinds! {
            /// What is asked.
            Question of Asks { $($(#[$doc])+ $key: $Question,)+ }
        }

        one_of_kinds! {
            /// A question. Exactly one kind.
            "a question", Asked {}
            Question { $($(#[$doc])+ $key: $Question,)+ }
        }

        one_of_kinds! {
            /// A question, and what its answer must be. Exactly one kind.
            "a question", Criterion {
                /// What the rows must be.
                expect: Option<Expected>,
            }
            Question { $($(#[$doc])+ $key: $Question,)+ }
        }

        one_of_kinds! {
            /// A question that a node answers once it is ready. It goes to the node itself. Exactly one kind.
            "readiness", Ready {
                /// What the rows must be; any answer will do where nothing is said.
                expect: Option<Expected>,
                /// How long it may take; 30 s where nothing is said.
                within: Option<Span>,
            }
            Question { $($(#[$doc])+ $key: $Question,)+ }
        }

        one_of_kinds! {
            /// How damage is detected that no request shows: a question about what must not be. Exactly one kind.
            "an alert", Alert {
                /// What the rows are once there is damage; any row where nothing is said.
                expect: Option<Expected>,
                /// How often it is asked.
                every: Span,
            }
            Question { $($(#[$doc])+ $key: $Question,)+ }
        }

        one_of_kinds! {
            /// A question and what its answer must be. Exactly one kind.
            "a question", QuestionCheck {
                /// What the rows must be, at each node that is asked. A command that exits with 0, or a path that answers 200, may do
                /// without.
                expect: Option<Expected>,
            }
            Question { $($(#[$doc])+ $key: $Question,)+ }
        }
    };
}
questions!(declare);

/// What every kind of question declares of itself.
pub trait Asks {
    /// Where it goes; none where the place is left to what asks.
    fn on(&self) -> Option<&On>;

    /// The database of which it speaks.
    fn database(&self) -> Option<&str>;

    /// What is wrong with it, its place apart. `key` is its own, such as `checks[0].question.sql`; `nodes` are those that it goes
    /// to, and `database` the one of which it speaks, as far as they are known.
    fn notes(&self, key: &str, nodes: &[&str], database: Option<(&str, &Database)>, system: &System) -> Vec<Note>;

    /// The query that may stand in a file of its own, with its key.
    fn query_mut(&mut self) -> Option<(&'static str, &mut String)> {
        None
    }

    /// The texts in which a value may be put in for `${...}`.
    fn texts_mut(&mut self) -> Vec<&mut String>;

    /// It, in one line, for a plan.
    fn in_words(&self) -> String;
}

/// What stands in where a question does not say it.
#[derive(Clone, Copy, Default)]
pub(in crate::scenario) struct Own<'a> {
    /// The nodes that it goes to; whichever takes writes where there are none.
    pub nodes: Option<&'a [&'a str]>,
    /// The database of which it speaks; the only one of the system where there is none.
    pub database: Option<&'a str>,
}

impl Question {
    /// What is wrong with it. `key` is the mapping that holds it.
    pub(in crate::scenario) fn notes(&self, key: &str, own: Own<'_>, system: &System) -> Vec<Note> {
        let key = format!("{key}.{}", self.key());
        let declared = self.declared();
        let place = match (declared.on(), own.nodes) {
            (None, Some(_)) => Vec::new(),
            (on, _) => self.place_notes(&format!("{key}.on"), on, system),
        };
        let nodes = declared.on().map_or_else(|| own.nodes.unwrap_or_default().to_vec(), On::nodes);
        let misnamed = declared.database().and_then(|name| unknown_database(format!("{key}.database"), name, system));
        let database = database_of(declared.database().or(own.database), system);
        place.into_iter().chain(misnamed).chain(declared.notes(&key, &nodes, database, system)).collect()
    }

    /// What is wrong with the place that it names. What goes to the writer needs a database that says which that is.
    fn place_notes(&self, key: &str, on: Option<&On>, system: &System) -> Vec<Note> {
        let named = self.declared().database();
        let database = database_of(named, system);
        match (on, database) {
            (Some(On::Nodes(nodes)), Some((name, database)))
                if matches!(self, Self::SqlQuestion(_)) || named.is_some() =>
            {
                let holders = database.nodes.iter().map(String::as_str).chain(["writer", "every"]);
                let what = format!("node that holds database `{name}`");
                keys_of(key, nodes).filter_map(|(key, node)| unknown(key, &what, node, holders.clone())).collect()
            }
            (Some(On::Nodes(nodes)), _) => {
                keys_of(key, nodes).filter_map(|(key, node)| unknown_node(key, node, system)).collect()
            }
            (Some(On::Every), Some(_)) => Vec::new(),
            (Some(On::Writer) | None, Some((name, database))) => {
                place_of_writer(key, name, database).into_iter().collect()
            }
            // A database that is named and not there is told by its own key.
            (_, None) if named.is_some() => Vec::new(),
            (_, None) => {
                let problem = "it does not say of which database, and the system does not have exactly one";
                vec![Note::new(key, problem, "add `database`, or name the nodes under `on`")]
            }
        }
    }
}

/// The database of which a question speaks: the one that it names, or the only one that there is.
pub fn database_of<'s>(named: Option<&str>, system: &'s System) -> Option<(&'s str, &'s Database)> {
    match named {
        Some(name) => system.databases.get_key_value(name).map(|(name, database)| (name.as_str(), database)),
        None => {
            let mut all = system.databases.iter();
            let only = all.next().filter(|_| all.next().is_none());
            only.map(|(name, database)| (name.as_str(), database))
        }
    }
}

impl Alert {
    /// What it tells of, in words.
    pub fn in_words(&self) -> String {
        let question = self.kind.declared().in_words();
        match &self.expect {
            Some(expected) => format!("`{question}` gives {}", expected.in_words()),
            None => format!("`{question}` gives a row"),
        }
    }
}

/// What is wrong with an expectation, where there is one. `key` is the mapping that holds it.
pub(in crate::scenario) fn expectation_notes(key: &str, expect: Option<&Expected>) -> Vec<Note> {
    let Some(Expected::Contains(texts)) = expect else { return Vec::new() };
    let key = format!("{key}.expect.contains");
    let none = not_empty(&key, texts.is_empty(), "name the texts that must be there");
    let nothing = texts.iter().position(String::is_empty);
    let empty = nothing.and_then(|index| not_empty(format!("{key}[{index}]"), true, "every answer contains it"));
    none.into_iter().chain(empty).collect()
}

/// The key of each node of those under `key`: a single one stands there itself.
fn keys_of<'n>(key: &str, nodes: &'n [String]) -> impl Iterator<Item = (String, &'n str)> {
    let is_single = nodes.len() == 1;
    nodes
        .iter()
        .enumerate()
        .map(move |(index, node)| (if is_single { key.to_owned() } else { format!("{key}[{index}]") }, node.as_str()))
}
