//! What a user declares of the checks of a system.
//!
//! One file per kind of check: what is written of it, and its rules. How it is asked and evaluated stands in the file of the same
//! name in `harness/src/verify/`. [`checks!`] lists all of them; a kind that lacks either half does not compile.

use super::{
    System,
    kinds::{kinds, one_of_kinds},
    question::Question,
    system::Property,
    units::Span,
    validate::Note,
};

/// The registry.
macro_rules! checks {
    ($then:ident) => {
        $then! {
            /// A question and what its answer must be.
            question: QuestionCheck,
            /// Exactly one of a database's servers takes writes.
            one_writer: OneWriterCheck,
            /// Two queries give the same rows.
            agreement: AgreementCheck,
            /// Two servers hold the same rows.
            content_hash: ContentHashCheck,
            /// The history of the clients and the rows that survived fit together.
            history: HistoryCheck,
            /// A new request is carried out to its end.
            invocation: InvocationCheck,
        }
    };
}
pub(crate) use checks;

macro_rules! declare {
    ($($(#[$doc:meta])+ $key:ident: $Check:ident,)+) => {
        $(mod $key;)+
        $(pub use $key::$Check;)+

        kinds! {
            /// What a check asks.
            CheckKind of Declares { $($(#[$doc])+ $key: $Check,)+ }
        }

        one_of_kinds! {
            /// A check: one question, read-only, bounded in time. Exactly one kind.
            "a check", Check {
                /// Its identifier; unique.
                id: String,
                /// The level that it belongs to, 1 to 6.
                level: u8,
                /// What it demands, in words.
                about: String,
                /// What a pass does not prove.
                cannot_prove: Option<String>,
                /// Whether it is asked only of a copy that was restored in isolation.
                #[serde(default)]
                isolated: bool,
                /// What this check means to the model of the simulated world; without it the model cannot answer.
                models: Option<Property>,
                /// How long it may take, asked again until it holds; 5 s where nothing is said.
                within: Option<Span>,
            }
            CheckKind { $($(#[$doc])+ $key: $Check,)+ }
        }
    };
}
checks!(declare);

pub use content_hash::{ContentSide, REPLICAS};

/// What every kind of check declares of itself.
pub trait Declares {
    /// What is wrong with it. `key` is its own, such as `checks[0].sql`.
    fn notes(&self, key: &str, system: &System) -> Vec<Note>;

    /// The questions of which a query may stand in a file of its own, with their keys.
    fn questions_mut(&mut self) -> Vec<(&'static str, &mut Question)> {
        Vec::new()
    }
}
