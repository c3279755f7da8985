//! A path over HTTP.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asks, On};
use crate::scenario::{
    System,
    system::Database,
    validate::{
        Note,
        names::not_empty,
        topology::{not_a_path, not_observed},
    },
};

/// A path over HTTP, which must answer 200. The whole answer is one row with one cell, unless `rows` says where rows are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpQuestion {
    /// Where it is asked; nodes that the drill left down are passed over, and said to be. Readiness asks the node itself.
    pub on: Option<On>,
    /// The database of whose servers `on` speaks, where it says `writer` or `every`; the only one where nothing is said.
    pub database: Option<String>,
    /// The port, one of the nodes' `observe`.
    pub port: u16,
    /// The path.
    pub path: String,
    /// A JSON pointer (RFC 6901) to the rows: each element of a list there is a row, anything else is one row.
    pub rows: Option<String>,
    /// The members of each row that make its cells, where rows are objects; the whole object where nothing is said.
    #[serde(default)]
    pub columns: Vec<String>,
}

impl Asks for HttpQuestion {
    fn on(&self) -> Option<&On> {
        self.on.as_ref()
    }

    fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn notes(&self, key: &str, nodes: &[&str], _: Option<(&str, &Database)>, system: &System) -> Vec<Note> {
        let asked = nodes.iter().filter_map(|name| system.nodes.iter().find(|node| node.name == *name));
        let unseen = asked.filter_map(|node| not_observed(format!("{key}.port"), self.port, node));
        let path = not_a_path(format!("{key}.path"), &self.path);
        let pointer = self.rows.as_ref().filter(|rows| !rows.is_empty() && !rows.starts_with('/')).map(|rows| {
            let problem = format!("`{rows}` is no JSON pointer");
            Note::new(format!("{key}.rows"), problem, "start it with `/`, such as `/items`")
        });
        let none = self.on.as_ref().filter(|on| **on == On::Nodes(Vec::new()));
        let nobody = not_empty(format!("{key}.on"), none.is_some(), "name the nodes that are asked");
        unseen.chain(path).chain(pointer).chain(nobody).collect()
    }

    fn texts_mut(&mut self) -> Vec<&mut String> {
        vec![&mut self.path]
    }

    fn in_words(&self) -> String {
        format!("GET :{}{}", self.port, self.path)
    }
}
