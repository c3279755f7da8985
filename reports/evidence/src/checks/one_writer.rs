//! Exactly one of a database's servers takes writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evaluate, Evaluation};

/// Exactly one of a database's servers takes writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneWriterCheck {
    /// The database, by the name given under `databases`.
    pub database: String,
}

/// What the servers of a database said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneWriterAnswer {
    /// Those that take writes.
    pub takes: Vec<String>,
    /// Those that answer, and take none.
    pub takes_none: Vec<String>,
    /// Those that do not answer.
    pub silent: Vec<Silent>,
}

/// A server that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// The node.
    pub node: String,
    /// Why.
    pub why: String,
    /// Whether the drill left it down or paused.
    pub is_left_down: bool,
}

impl Evaluate for OneWriterCheck {
    type Answer = OneWriterAnswer;

    /// More or fewer than one that takes writes; and every server that should answer and does not, since it might be another.
    /// What the drill left down or paused cannot write, and may be silent.
    fn evaluate(&self, answer: &OneWriterAnswer) -> Evaluation {
        let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let silent: Vec<String> = answer.silent.iter().map(|it| format!("{} ({})", it.node, it.why)).collect();
        let detail = format!(
            "takes writes: {}; takes none: {}; silent: {}",
            listed(&answer.takes),
            listed(&answer.takes_none),
            listed(&silent)
        );
        let unheard = answer.silent.iter().filter(|server| !server.is_left_down).count();
        Evaluation { deviations: (answer.takes.len().abs_diff(1) + unheard) as u64, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_should_answer_and_does_not_may_be_a_second_writer() {
        let check = OneWriterCheck { database: "orders".into() };
        let evaluated = |takes: &[&str], silent: &[(&str, bool)]| {
            let silent = silent.iter().map(|(node, is_left_down)| {
                let (node, why) = ((*node).to_owned(), "no answer".to_owned());
                Silent { node, why, is_left_down: *is_left_down }
            });
            let takes = takes.iter().map(|node| (*node).to_owned()).collect();
            check.evaluate(&OneWriterAnswer { takes, takes_none: Vec::new(), silent: silent.collect() }).deviations
        };
        assert_eq!(evaluated(&["db-a"], &[]), 0);
        assert_eq!(evaluated(&["db-a"], &[("db-b", true)]), 0);
        assert_eq!(evaluated(&["db-a"], &[("db-b", false)]), 1);
        assert_eq!(evaluated(&["db-a", "db-b"], &[]), 1);
        assert_eq!(evaluated(&[], &[]), 1);
    }
}
