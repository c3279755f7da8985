//! Run a command of one's own on a node.

use super::{Declares, SHORT, Words};
pub use crate::scenario::system::Command;
use crate::scenario::{
    Scenario, System,
    validate::{
        Note,
        names::{more_than_nothing, unknown_node},
        templates::left_as_it_stands,
        topology::no_command,
    },
};

impl Command {
    /// What it is called where it says nothing of itself.
    pub(super) fn name(&self) -> String {
        self.about.clone().unwrap_or_else(|| self.what())
    }

    /// What it runs, and where.
    fn what(&self) -> String {
        format!("{} on {}", self.run.join(" "), self.on)
    }
}

impl Declares for Command {
    fn words(&self, _: Option<&str>, _: &Scenario, _: &System) -> Result<Words, String> {
        let within = self.within.map_or(SHORT, |within| within.duration());
        Ok(Words { how: self.what(), ..Words::of(self.name(), within) })
    }

    fn notes(&self, key: &str, _: &Scenario) -> Vec<Note> {
        let run = self.run.iter().enumerate();
        let left = run.flat_map(|(index, text)| left_as_it_stands(&format!("{key}.run[{index}]"), text));
        let within = self.within.is_some_and(|within| within.ms() == 0.0);
        let within = more_than_nothing(format!("{key}.within"), within);
        no_command(key, &self.run).into_iter().chain(left).chain(within).collect()
    }

    fn notes_together(&self, key: &str, _: &Scenario, system: &System) -> Vec<Note> {
        unknown_node(format!("{key}.on"), &self.on, system).into_iter().collect()
    }
}
