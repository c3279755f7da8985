//! What a user declares of a check that compares the rows of two servers by their hashes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Stands in `right.on` for every server that follows the writer.
pub const REPLICAS: &str = "replicas";

/// Two servers hold the same rows: each server hashes its own, and only the hashes are compared. Tables that differ are
/// looked into until the keys of rows are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentHashCheck {
    /// The server whose tables are listed.
    pub left: ContentSide,
    /// The server that is held against it.
    pub right: ContentSide,
    /// The tables, as the database itself writes their names; every table where nothing is said.
    #[serde(default)]
    pub tables: Vec<String>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentSide {
    /// The node that is asked, `writer`, or, on the right, `replicas` for every server that follows the writer; those that
    /// the drill left down are passed over.
    pub on: String,
    /// The database, by the name given under `databases`.
    pub database: String,
}
