//! Failures of the world itself, on demand: a test makes any call fail, and looks what the drill makes of it.

use std::collections::BTreeSet;

use super::draws::Draws;
use crate::world::{Result, WorldError, WorldErrorKind};

/// Which calls fail. None, as a rule.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// The calls of these names.
    pub(super) steps: BTreeSet<String>,
    /// The call of this number.
    pub(super) number: Option<usize>,
    /// Any call but a removal, with this probability.
    pub(super) probability: f64,
    /// The calls so far.
    pub(super) calls: Vec<String>,
    /// What is to be done when the call of a number comes.
    pub(super) then: Option<(usize, Then)>,
}

/// Something that a test does in the middle of a drill.
pub(super) struct Then(pub(super) Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Then {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Then")
    }
}

impl Failures {
    /// Notes a call, and refuses it if it is to fail.
    pub(super) fn enter(&mut self, call: &str, draws: &mut Draws) -> Result<()> {
        let is_meant = self.steps.contains(call) || self.number == Some(self.calls.len());
        if let Some((_, then)) = self.then.take_if(|(number, _)| *number == self.calls.len()) {
            (then.0)();
        }
        let may_happen = self.probability > 0.0 && !call.starts_with("remove ");
        self.calls.push(call.to_owned());
        if is_meant || (may_happen && draws.happens(self.probability)) {
            return Err(WorldError::new(WorldErrorKind::Other, call, "the simulated world was told to fail here"));
        }
        Ok(())
    }
}
