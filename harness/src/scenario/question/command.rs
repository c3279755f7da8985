//! A command on a node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asks, On};
use crate::scenario::{
    System,
    system::Database,
    validate::{Note, templates::left_as_it_stands, topology::no_command},
};

/// A command that changes nothing and must exit with 0. Each line that it prints is a row, its cells separated by tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandQuestion {
    /// Where it runs. Readiness asks the node itself.
    pub on: Option<On>,
    /// The database of whose servers `on` speaks, where it says `writer` or `every`; the only one where nothing is said.
    pub database: Option<String>,
    /// The command and its arguments; no shell reads it.
    pub run: Vec<String>,
}

impl Asks for CommandQuestion {
    fn on(&self) -> Option<&On> {
        self.on.as_ref()
    }

    fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn notes(&self, key: &str, _: &[&str], _: Option<(&str, &Database)>, _: &System) -> Vec<Note> {
        let run = self.run.iter().enumerate();
        let is_token = |text: &str| text.replace("${token}", "");
        let left = run.flat_map(|(index, text)| left_as_it_stands(&format!("{key}.run[{index}]"), &is_token(text)));
        no_command(key, &self.run).into_iter().chain(left).collect()
    }

    fn texts_mut(&mut self) -> Vec<&mut String> {
        self.run.iter_mut().collect()
    }

    fn in_words(&self) -> String {
        self.run.join(" ")
    }
}
