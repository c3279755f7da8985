//! A new request is carried out to its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Declares;
use crate::scenario::{
    System,
    question::{Criterion, Own, Question, expectation_notes},
    validate::{Note, names::unknown_request, templates::not_filled_in},
};

/// A new request is carried out to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvocationCheck {
    /// The request, by the name given under `service`.
    pub request: String,
    /// What must then be found, with `${token}` for the request's token; any row where nothing is expected. Without a question the
    /// acknowledgement itself is the end.
    pub then: Option<Criterion>,
}

impl Declares for InvocationCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let request = unknown_request(format!("{key}.request"), &self.request, system);
        let then = self.then.iter().flat_map(|then| end_notes(then, &format!("{key}.then"), system));
        request.into_iter().chain(then).collect()
    }

    fn questions_mut(&mut self) -> Vec<(&'static str, &mut Question)> {
        self.then.iter_mut().map(|then| ("then.", &mut then.kind)).collect()
    }
}

fn end_notes(end: &Criterion, key: &str, system: &System) -> Vec<Note> {
    let mut kind = end.kind.clone();
    let texts: Vec<String> = kind.declared_mut().texts_mut().into_iter().map(|text| text.clone()).collect();
    let own = format!("{key}.{}", end.kind.key());
    let token = (!texts.iter().any(|text| text.contains("${token}"))).then(|| {
        let problem = "it does not look for the token of this request: it would find any other's work";
        Note::new(own.clone(), problem, "compare with `${token}`")
    });
    let left = texts.iter().flat_map(|text| not_filled_in(&own, text, &["token"]));
    let asked =
        end.kind.notes(key, Own::default(), system).into_iter().chain(expectation_notes(key, end.expect.as_ref()));
    asked.chain(token).chain(left).collect()
}
