//! A new request is carried out to its end.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{Evaluate, Evaluation};

/// A new request is carried out to its end, as far as the status of it depends on that.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct InvocationCheck {
    /// The request, by the name given under `service`.
    pub request: String,
    /// What must then be found; without it, the acknowledgement itself is the end.
    #[serde(default)]
    pub then: Option<IgnoredAny>,
}

/// What came of a request of the check's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationAnswer {
    /// The request, by its name.
    pub request: String,
    /// Its token.
    pub token: String,
    /// Whether it was acknowledged.
    pub is_acknowledged: bool,
    /// What was answered.
    pub reply: String,
    /// Whether its end was found.
    pub has_ended: bool,
    /// How long it took, to its end where that was found.
    pub took_ms: u64,
}

impl Evaluate for InvocationCheck {
    type Answer = InvocationAnswer;

    fn evaluate(&self, answer: &InvocationAnswer) -> Evaluation {
        answer.evaluate(&self.request, self.then.is_some())
    }
}

impl InvocationAnswer {
    /// What it amounts to for a check of this request, which has an end of its own or not.
    pub fn evaluate(&self, demanded: &str, has_end: bool) -> Evaluation {
        let Self { request, token, is_acknowledged, reply, has_ended, took_ms } = self;
        let (deviations, found) = if demanded != *request {
            (1, format!("was sent in place of {demanded}"))
        } else if !is_acknowledged {
            (1, format!("was not acknowledged: {reply}"))
        } else if !has_end {
            (0, format!("was acknowledged in {took_ms} ms"))
        } else if *has_ended {
            (0, format!("was carried out to its end in {took_ms} ms"))
        } else {
            (1, "was acknowledged, and its end was not found".to_owned())
        };
        Evaluation { deviations, detail: format!("{request} {token} {found}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(has_then: bool, request: &str, is_acknowledged: bool, has_ended: bool) -> u64 {
        let check = InvocationCheck { request: "place".into(), then: has_then.then_some(IgnoredAny) };
        let (request, token, reply) = (request.to_owned(), "check-1".to_owned(), "200".to_owned());
        check.evaluate(&InvocationAnswer { request, token, is_acknowledged, reply, has_ended, took_ms: 3 }).deviations
    }

    #[test]
    fn an_acknowledgement_is_the_end_only_where_no_other_is_declared() {
        assert_eq!(evaluated(false, "place", true, false), 0);
        assert_eq!(evaluated(true, "place", true, false), 1);
        assert_eq!(evaluated(true, "place", true, true), 0);
        assert_eq!(evaluated(true, "place", false, true), 1);
        assert_eq!(evaluated(false, "cancel", true, true), 1);
    }
}
