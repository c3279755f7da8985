//! What a node is made from, and how it is reached.

use std::collections::BTreeMap;

use super::Limits;
use crate::scenario::rights::Capability;

/// A port of a node that the harness reaches through the relay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayTarget {
    /// The node.
    pub node: String,
    /// The last part of its address.
    pub host: u8,
    /// Its port.
    pub port: u16,
}

/// A node to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSpec {
    /// Its name and host name.
    pub name: String,
    /// The name of its image in the declaration.
    pub image: String,
    /// The command, where it is not the image's own.
    pub command: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// The last part of its address.
    pub host: u8,
    /// The other nodes and the last part of their addresses.
    pub neighbours: Vec<(String, u8)>,
    /// Where its volume is mounted.
    pub data: Option<String>,
    /// Files to copy in: where to, and what.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where the run's password goes.
    pub password_file: Option<String>,
    /// A port that clients outside reach.
    pub published: Option<u16>,
    /// The rights of root that its programs have.
    pub capabilities: Vec<Capability>,
    /// What it may take of its machine.
    pub limits: Limits,
}
