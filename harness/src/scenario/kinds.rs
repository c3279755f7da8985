//! Of several kinds exactly one: the form of faults, conditions, steps and checks.
//!
//! In a file a kind is a key of its own (`kill: {node: db-a}`), and what all kinds have in common stands beside it. In the
//! program it is an enum, so that whoever asks for the kind has an answer for each of them, or does not compile. The macros
//! make enum, list of keys, schema and reading from one list of kinds. A file with no kind, or with several, is refused by
//! its schema ([`shape`](super::shape)), which knows the lines.

use schemars::Schema;
use serde_json::json;

/// An enum of kinds: `Enum of Trait { /// What it is. key: Variant, ... }`, where each variant holds the type of its name.
macro_rules! kinds {
    (
        $(#[$about:meta])+
        $Kind:ident of $Trait:ident { $($(#[$doc:meta])+ $key:ident: $Variant:ident,)+ }
    ) => {
        $(#[$about])+
        #[derive(Debug, Clone, PartialEq)]
        pub enum $Kind {
            $($(#[$doc])+ $Variant($Variant),)+
        }

        impl $Kind {
            /// The key of every kind.
            pub const KEYS: &[&str] = &[$(stringify!($key)),+];

            /// Its key in a file.
            pub const fn key(&self) -> &'static str {
                match self {
                    $(Self::$Variant(_) => stringify!($key),)+
                }
            }

            /// What it declares of itself.
            pub fn declared(&self) -> &dyn $Trait {
                match self {
                    $(Self::$Variant(it) => it,)+
                }
            }

            /// The same, to be changed.
            pub fn declared_mut(&mut self) -> &mut dyn $Trait {
                match self {
                    $(Self::$Variant(it) => it,)+
                }
            }
        }

        $(impl From<$Variant> for $Kind {
            fn from(it: $Variant) -> Self {
                Self::$Variant(it)
            }
        })+
    };
}

/// What is written with exactly one kind: `"a fault", Fault { common fields } Enum { key: Variant, ... }`.
macro_rules! one_of_kinds {
    (
        $(#[$about:meta])+
        $what:literal, $Whole:ident {
            $($(#[doc = $field_doc:literal])+ $(#[serde($($attribute:tt)*)])? $field:ident: $Field:ty,)*
        }
        $Kind:ident { $($(#[$doc:meta])+ $key:ident: $Variant:ident,)+ }
    ) => {
        $(#[$about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Whole {
            $($(#[doc = $field_doc])+ pub $field: $Field,)*
            /// Its kind.
            pub kind: $Kind,
        }

        const _: () = {
            // As it is written. It is used for nothing but reading and writing.
            $(#[$about])+
            #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
            #[serde(deny_unknown_fields)]
            struct Written {
                $($(#[doc = $field_doc])+ $(#[serde($($attribute)*)])? $field: $Field,)*
                $($(#[$doc])+ $key: Option<$Variant>,)+
            }

            impl<'de> serde::Deserialize<'de> for $Whole {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let written = Written::deserialize(deserializer)?;
                    let mut kinds = Vec::new();
                    $(kinds.extend(written.$key.map($Kind::$Variant));)+
                    let kind = $crate::scenario::kinds::only(kinds, $what).map_err(serde::de::Error::custom)?;
                    Ok(Self { $($field: written.$field,)* kind })
                }
            }

            impl serde::Serialize for $Whole {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let mut written = Written { $($field: self.$field.clone(),)* $($key: None,)+ };
                    match self.kind.clone() {
                        $($Kind::$Variant(it) => written.$key = Some(it),)+
                    }
                    written.serialize(serializer)
                }
            }

            impl schemars::JsonSchema for $Whole {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($Whole).into()
                }

                fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    let written = <Written as schemars::JsonSchema>::json_schema(generator);
                    $crate::scenario::kinds::demand_one(written, $what, &[$(stringify!($key)),+])
                }
            }
        };
    };
}

pub(super) use {kinds, one_of_kinds};

/// The only kind of several that may be given.
pub(super) fn only<T>(mut kinds: Vec<T>, what: &str) -> Result<T, String> {
    match (kinds.pop(), kinds.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(format!("{what} has several kinds at once")),
        (None, _) => Err(format!("{what} has none of its kinds")),
    }
}

/// A schema that demands exactly one of several keys. Its title is what a refusal calls it.
pub(super) fn demand_one(mut schema: Schema, what: &str, keys: &[&str]) -> Schema {
    let each: Vec<_> = keys.iter().map(|key| json!({ "required": [key] })).collect();
    schema.insert("title".to_owned(), what.into());
    schema.insert("oneOf".to_owned(), each.into());
    schema
}

/// The keys of which a schema demands exactly one, in the order in which they are declared; none where it demands nothing.
pub(super) fn demanded(schema: &serde_json::Value) -> Vec<&str> {
    let each = schema.get("oneOf").and_then(serde_json::Value::as_array).into_iter().flatten();
    each.filter_map(|one| one.pointer("/required/0")).filter_map(serde_json::Value::as_str).collect()
}
