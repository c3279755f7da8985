//! Two questions give the same rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Declares;
use crate::scenario::{
    System,
    question::{Asked, Own, Question},
    validate::Note,
};

/// Two questions give the same rows: the first cell is the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementCheck {
    /// One side.
    pub left: Asked,
    /// The other side.
    pub right: Asked,
}

impl Declares for AgreementCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let same = (self.left == self.right)
            .then(|| Note::new(format!("{key}.right"), "both sides ask the same", "let each ask a store of its own"));
        let sides = [("left", &self.left), ("right", &self.right)].into_iter();
        let notes = sides.flat_map(|(name, side)| side.kind.notes(&format!("{key}.{name}"), Own::default(), system));
        notes.chain(same).collect()
    }

    fn questions_mut(&mut self) -> Vec<(&'static str, &mut Question)> {
        vec![("left.", &mut self.left.kind), ("right.", &mut self.right.kind)]
    }
}
