//! A new request is carried out to its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declares, empty_query};
use crate::scenario::{
    System,
    validate::{
        Note,
        names::{database_on, unknown_request},
        templates::not_filled_in,
    },
};

/// A new request is carried out to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvocationCheck {
    /// The request, by the name given under `service`.
    pub request: String,
    /// What must then be found; without it, the acknowledgement itself is the end.
    pub then: Option<InvocationEnd>,
}

/// What must be found after a request: a query that gives a row. `${token}` stands for the request's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvocationEnd {
    /// The node that is asked, or `writer`.
    pub on: String,
    /// The database, by the name given under `databases`.
    pub database: String,
    /// The query. It succeeds once it gives a row.
    pub query: String,
}

impl Declares for InvocationCheck {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let request = unknown_request(format!("{key}.request"), &self.request, system);
        let then = self.then.iter().flat_map(|then| then.notes(&format!("{key}.then"), system));
        request.into_iter().chain(then).collect()
    }
}

impl InvocationEnd {
    fn notes(&self, key: &str, system: &System) -> Vec<Note> {
        let query = format!("{key}.query");
        let found = [database_on(key, &self.on, &self.database, system), empty_query(key, &self.query)];
        let token = (!self.query.contains("${token}")).then(|| {
            let problem = "the query does not look for the token of this request: it would find any other's work";
            Note::new(query.clone(), problem, "compare with '${token}'")
        });
        found.into_iter().flatten().chain(token).chain(not_filled_in(&query, &self.query, &["token"])).collect()
    }
}
