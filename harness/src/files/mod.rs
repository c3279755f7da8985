//! Which files a declaration may name, and reading them. What it holds for every file stands in [`blackstart_reports::files`].

mod reach;
mod tree;

use std::path::{Component, Path};

pub use blackstart_reports::files::{HISTORY, JOURNAL, LEDGER, MANIFEST, RECORD, RESOLVED};
pub use blackstart_reports::files::{Limit, Lines, from_json, lines, open, read, read_text};
use blackstart_reports::files::{MIB, NEVER_WAIT, all_of, demand_regular};
pub use reach::{Reach, ReachError};
pub use tree::{Content, Item};

/// A scenario or a system.
pub const DECLARATION: Limit = Limit { what: "a declaration", most_bytes: MIB };
/// A query in a file of its own.
pub const QUERY: Limit = Limit { what: "a query", most_bytes: MIB / 4 };
/// A file that is copied into a node.
pub const COPIED: Limit = Limit { what: "a file for a node", most_bytes: 64 * MIB };
/// A program that is put into a build context.
pub const PROGRAM: Limit = Limit { what: "a program", most_bytes: 512 * MIB };
/// All of what an image is built from.
pub const CONTEXT: Limit = Limit { what: "a build context", most_bytes: 512 * MIB };
/// Whether a name is that of a file alone, without a folder.
pub fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(one)), None) if one.to_str() == Some(name))
}

#[cfg(test)]
mod tests;
