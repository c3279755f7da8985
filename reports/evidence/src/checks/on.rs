//! Where a question goes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};

/// Where a question goes: a node, a list of nodes, `writer`, or `every`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// Whichever server takes writes.
    Writer,
    /// Every server of the database.
    Every,
    /// These nodes.
    Nodes(Vec<String>),
}

impl On {
    /// A single node.
    pub fn node(name: impl Into<String>) -> Self {
        Self::Nodes(vec![name.into()])
    }

    /// The nodes that it names.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::Nodes(nodes) => nodes.iter().map(String::as_str).collect(),
            Self::Writer | Self::Every => Vec::new(),
        }
    }
}

impl From<&str> for On {
    fn from(name: &str) -> Self {
        match name {
            "writer" => Self::Writer,
            "every" => Self::Every,
            node => Self::node(node),
        }
    }
}

impl std::fmt::Display for On {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Writer => f.write_str("the writer"),
            Self::Every => f.write_str("every server"),
            Self::Nodes(nodes) => f.write_str(&nodes.join(", ")),
        }
    }
}

impl Serialize for On {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Writer => serializer.serialize_str("writer"),
            Self::Every => serializer.serialize_str("every"),
            Self::Nodes(nodes) => match nodes.as_slice() {
                [only] => serializer.serialize_str(only),
                several => several.serialize(serializer),
            },
        }
    }
}

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;
        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = On;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a node, a list of nodes, `writer` or `every`")
            }

            fn visit_str<E>(self, name: &str) -> Result<On, E> {
                Ok(On::from(name))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, nodes: A) -> Result<On, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(nodes)).map(On::Nodes)
            }
        }
        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl JsonSchema for On {
    fn schema_name() -> Cow<'static, str> {
        "On".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A node, a list of nodes, `writer` for whichever takes writes, or `every` for every server of the database.",
            "oneOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}
