//! The checks: what is demanded by each kind, what came back, and what that amounts to.
//!
//! A run keeps what came back, and evaluates it here; an audit evaluates it again by the same demands. One file per kind: how it is
//! asked stands in the file of the same name in `harness/src/verify/`.

use blackstart_reports::record::Status;
use serde::{Deserialize, Serialize};

mod agreement;
mod content_hash;
mod expected;
mod history;
mod invocation;
mod on;
mod one_writer;
mod question;

pub use self::{
    agreement::{AgreementAnswer, AgreementCheck, Differences, Side, compare},
    content_hash::{Content, ContentHashAnswer, ContentHashCheck, ContentSide, Look, Replica, TableOfTwo},
    expected::{Expected, Rows, RowsAre},
    history::{HistoryAnswer, HistoryCheck},
    invocation::{InvocationAnswer, InvocationCheck},
    on::On,
    one_writer::{OneWriterAnswer, OneWriterCheck, Silent},
    question::{QuestionAnswer, QuestionCheck, Told, name_of},
};

/// The folder of a run in which answers are kept, a file for each check.
pub const FOLDER: &str = "checks";

/// The first level at which deviations may be tolerated: below it an abnormal state makes a recovery invalid, whatever a
/// scenario declares.
const TOLERATES_FROM: u8 = 3;

/// The name of the file in which the answer to a check is kept.
pub fn file_of(id: &str) -> String {
    format!("{FOLDER}/{id}.json")
}

/// An answer as it is kept.
pub fn kept(answer: &Answer) -> String {
    // Texts, numbers and lists are written, which cannot fail.
    let text = serde_json::to_string_pretty(answer).unwrap_or_default();
    format!("{text}\n")
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// How many things deviate; none means that it holds.
    pub deviations: u64,
    /// What it looked at and what it found, in one line.
    pub detail: String,
}

/// How a kind of check evaluates what came back.
pub trait Evaluate {
    /// What comes back.
    type Answer;

    /// What it amounts to.
    fn evaluate(&self, answer: &Self::Answer) -> Evaluation;
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $key:ident: $Kind:ident, $Check:ident, $Answer:ident,)+) => {
        /// What came back for a check, as it is kept. It holds keys and states, and of other rows what the query gave.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Answer {
            $($(#[$doc])+ $Kind($Answer),)+
            /// There was nothing to look at, which is neither good nor bad.
            Nothing {
                /// Why.
                why: String,
            },
            /// The system itself turned the question down, or was silent.
            Refused {
                /// What it said.
                why: String,
            },
            /// The question could not be asked, which is about us.
            Error {
                /// What happened.
                why: String,
            },
            /// The simulated world told what its model knows.
            Modelled {
                /// How many things deviate.
                deviations: u64,
                /// In words.
                said: String,
            },
        }

        $(impl From<$Answer> for Answer {
            fn from(answer: $Answer) -> Self {
                Self::$Kind(answer)
            }
        })+

        /// A check as far as its status depends on it.
        #[derive(Debug, Clone, Default, Deserialize)]
        pub struct Check {
            /// Its identifier.
            pub id: String,
            /// Its level.
            pub level: u8,
            /// What a pass does not prove.
            pub cannot_prove: Option<String>,
            /// Whether it is asked only of a copy.
            #[serde(default)]
            pub isolated: bool,
            $($(#[$doc])+ pub $key: Option<$Check>,)+
        }

        impl Check {
            /// What an answer of its own kind amounts to.
            fn find(&self, answer: &Answer) -> Option<Evaluation> {
                match answer {
                    $(Answer::$Kind(answer) => Some(self.$key.as_ref()?.evaluate(answer)),)+
                    Answer::Modelled { deviations, said } => {
                        Some(Evaluation { deviations: *deviations, detail: said.clone() })
                    }
                    Answer::Nothing { .. } | Answer::Refused { .. } | Answer::Error { .. } => None,
                }
            }
        }
    };
}

kinds! {
    /// A question and what its answer must be.
    question: Question, QuestionCheck, QuestionAnswer,
    /// Exactly one of a database's servers takes writes.
    one_writer: OneWriter, OneWriterCheck, OneWriterAnswer,
    /// Two queries give the same rows.
    agreement: Agreement, AgreementCheck, AgreementAnswer,
    /// Two servers hold the same rows.
    content_hash: ContentHash, ContentHashCheck, ContentHashAnswer,
    /// The history of the clients and the rows that survived fit together.
    history: History, HistoryCheck, HistoryAnswer,
    /// A new request is carried out to its end.
    invocation: Invocation, InvocationCheck, InvocationAnswer,
}

/// The status of a check, in words too. `evaluation` is what an answer of its kind amounts to.
pub fn status(level: u8, tolerated: u64, answer: &Answer, evaluation: Option<Evaluation>) -> (Status, String) {
    let evaluation = match (answer, evaluation) {
        // Whoever found nothing to ask has not passed.
        (Answer::Nothing { why }, _) => return (Status::NotDeclared, why.clone()),
        (Answer::Refused { why }, _) => return (Status::Failed, why.clone()),
        (Answer::Error { why }, _) => return (Status::Error, why.clone()),
        (Answer::Modelled { deviations, said }, None) => Evaluation { deviations: *deviations, detail: said.clone() },
        (_, Some(evaluation)) => evaluation,
        (_, None) => return (Status::Error, "what came back answers another kind of check".to_owned()),
    };
    match evaluation.deviations {
        0 => (Status::Passed, evaluation.detail),
        some if level >= TOLERATES_FROM && some <= tolerated => {
            (Status::Tolerated, format!("{} (up to {tolerated} are declared tolerable)", evaluation.detail))
        }
        _ => (Status::Failed, evaluation.detail),
    }
}

impl Check {
    /// The status that an answer earns, in words too.
    ///
    /// # Errors
    /// In words, where this check cannot have been answered so.
    pub fn status(&self, tolerated: u64, answer: &Answer) -> Result<(Status, String), String> {
        let evaluation = self.find(answer);
        let is_possible = match answer {
            Answer::Refused { .. } | Answer::Error { .. } => true,
            // Only replicas may all be away.
            Answer::Nothing { .. } => self.content_hash.is_some(),
            _ => evaluation.is_some(),
        };
        if !is_possible {
            return Err("the kept answer is not one to what this check demands".to_owned());
        }
        Ok(status(self.level, tolerated, answer, evaluation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(deviations: u64) -> Option<Evaluation> {
        Some(Evaluation { deviations, detail: "found".to_owned() })
    }

    #[test]
    fn below_level_three_nothing_is_tolerated() {
        let answer = Answer::Modelled { deviations: 2, said: String::new() };
        assert_eq!(status(2, 5, &answer, evaluation(2)).0, Status::Failed);
        assert_eq!(status(3, 1, &answer, evaluation(2)).0, Status::Failed);
        let tolerated = (Status::Tolerated, "found (up to 2 are declared tolerable)".to_owned());
        assert_eq!(status(3, 2, &answer, evaluation(2)), tolerated);
        assert_eq!(status(1, 0, &answer, evaluation(0)), (Status::Passed, "found".to_owned()));
    }

    #[test]
    fn an_answer_of_another_kind_earns_no_status() {
        let question = QuestionCheck::expecting(Expected::Rows(RowsAre::None));
        let check = Check { id: "rows".into(), level: 3, question: Some(question), ..Check::default() };
        let other = OneWriterAnswer::default();
        assert!(check.status(0, &other.into()).is_err());
        assert!(check.status(0, &Answer::Nothing { why: String::new() }).is_err());
        assert_eq!(check.status(0, &Answer::Refused { why: "no".into() }), Ok((Status::Failed, "no".to_owned())));
    }
}
