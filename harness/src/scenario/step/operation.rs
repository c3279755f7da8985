//! An operation of the system's on a node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, Words};
use crate::scenario::{
    Scenario, System,
    system::Operation,
    validate::{
        Note,
        names::{unknown, unknown_node},
    },
};

/// An operation of the system's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationStep {
    /// Its name under the system's `operations`.
    pub name: String,
    /// The node on which it runs.
    pub node: String,
    /// What stands for `${argument}` in it.
    pub argument: Option<String>,
}

impl OperationStep {
    /// What the system declares of it; nothing where it does not know the operation.
    pub fn operation<'s>(&self, system: &'s System) -> Option<&'s Operation> {
        system.operations.get(&self.name)
    }

    /// The command that it runs; nothing where the system does not know the operation.
    pub fn command(&self, system: &System) -> Option<Vec<String>> {
        let argument = self.argument.as_deref().unwrap_or_default();
        let run = &self.operation(system)?.run;
        Some(run.iter().map(|text| text.replace("${argument}", argument)).collect())
    }

    fn argument_note(&self, key: String, takes_one: bool) -> Option<Note> {
        match (takes_one, &self.argument) {
            (true, None) => Some(Note::new(key, format!("`{}` takes an argument", self.name), "add `argument`")),
            (false, Some(_)) => Some(Note::new(key, format!("`{}` takes no argument", self.name), "drop `argument`")),
            _ => None,
        }
    }
}

impl Declares for OperationStep {
    fn words(&self, _: Option<&str>, _: &Scenario, system: &System) -> Result<Words, String> {
        let unknown = || format!("`{}` is not an operation of this system", self.name);
        let operation = self.operation(system).ok_or_else(unknown)?;
        let how = self.command(system).unwrap_or_default().join(" ");
        Ok(Words { how, ..Words::of(format!("{} {}", self.name, self.node), operation.within.duration()) })
    }

    fn milestone(&self, system: &System) -> Option<&'static str> {
        self.operation(system)?.does?.milestone()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        let known = system.operations.keys().map(String::as_str);
        let named = unknown(format!("{key}.name"), "operation of this system", &self.name, known);
        let operation = self.operation(system);
        let takes_one = operation.map(|operation| operation.run.iter().any(|text| text.contains("${argument}")));
        let argument = takes_one.and_then(|takes_one| self.argument_note(format!("{key}.argument"), takes_one));
        let node = unknown_node(format!("{key}.node"), &self.node, system);
        [named, argument, node].into_iter().flatten().collect()
    }
}
