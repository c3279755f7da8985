//! The JSON schema of what a user declares: for editors, for `blackstart schema`, and for the structural refusals.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::{Scenario, System};

/// The two kinds of files that a user writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A drill.
    Scenario,
    /// A topology with its checks.
    System,
}

impl Kind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::System => "system",
        }
    }
}

/// The JSON schema (draft 2020-12) of a kind of file.
pub fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Scenario => schema_of::<Scenario>("blackstart scenario"),
        Kind::System => schema_of::<System>("blackstart system"),
    }
}

fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_are_stable() {
        for kind in [Kind::Scenario, Kind::System] {
            let text = serde_json::to_string_pretty(&schema(kind)).unwrap();
            insta::assert_snapshot!(kind.name(), text);
        }
    }
}
