//! Where a key stands in a file.
//!
//! The typed reading knows nothing of lines. So a file is also read into a [`Tree`] of positions, in which a key path
//! such as `faults[0].zone_outage.zone` leads to a [`Place`]. The tree keeps duplicate keys, so that they can be refused.

use std::{fmt, ops::Range};

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Options, Spanned};

/// A place in a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The bytes, ending with the first line of what stands there.
    pub bytes: Range<usize>,
}

impl Place {
    /// The place of a byte of the text, with as much of its line as `length` allows.
    pub fn at(text: &str, byte: usize, length: Option<usize>) -> Self {
        let start = text.floor_char_boundary(byte);
        let before = text.get(..start).unwrap_or_default();
        let rest = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default().trim_end();
        let end = rest.floor_char_boundary(length.unwrap_or(rest.len()));
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            bytes: start..start + end,
        }
    }

    /// The place that the YAML reader names. Not all of its locations know their byte.
    pub(super) fn of(text: &str, location: Location) -> Self {
        let length = location.span().byte_len().map(|bytes| bytes as usize);
        Self::at(text, beginning(text, location), length)
    }
}

fn beginning(text: &str, location: Location) -> usize {
    let byte = location.span().byte_offset().map(|byte| byte as usize);
    byte.unwrap_or_else(|| byte_at(text, location))
}

fn byte_at(text: &str, location: Location) -> usize {
    let (line, column) = (location.line() as usize, location.column() as usize);
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let current = text.get(before..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let inside = current.char_indices().nth(column.saturating_sub(1));
    before + inside.map_or(current.len(), |(offset, _)| offset)
}

/// A value with its position.
pub type Node = Spanned<Value>;

/// What stands in a file, before it has a type.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing.
    Null,
    /// A text, a number, a truth value.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values, in the order of the file, duplicates included.
    Map(Vec<(Spanned<String>, Node)>),
}

impl Value {
    /// What it is, in words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> de::Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry::<Spanned<String>, Node>()? {
            if entry.0.value.len() > MOST_KEY_BYTES {
                let long = format!("a key has {} bytes; a key has at most {MOST_KEY_BYTES}", entry.0.value.len());
                return Err(de::Error::custom(long));
            }
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

/// The most bytes of all texts together, those that aliases repeat included.
const MOST_SCALAR_BYTES: usize = 4 * 1024 * 1024;
/// The most bytes of a key. Paths are made of keys, for everything below them.
const MOST_KEY_BYTES: usize = 256;

/// How declarations are read, here and into their types: one small document, no tags, no aliases that multiply.
pub(super) fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: 100_000,
            max_aliases: 1000,
            max_total_scalar_bytes: MOST_SCALAR_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
    }
}

/// The positions of everything in a file.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    text: &'a str,
    root: Node,
}

impl<'a> Tree<'a> {
    /// Reads the positions of a file's text.
    ///
    /// # Errors
    /// When the text is no YAML.
    pub fn read(text: &'a str) -> Result<Self, serde_saphyr::Error> {
        let mut options = options();
        options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
        serde_saphyr::from_str_with_options(text, options).map(|root| Self { text, root })
    }

    /// What the file holds.
    pub const fn root(&self) -> &Node {
        &self.root
    }

    /// Where a value stands.
    pub fn place(&self, node: &Node) -> Place {
        let place = Place::of(self.text, node.referenced);
        match node.value {
            Value::Null | Value::Scalar(_) => place,
            // The reader knows where these begin only; the rest of the line is marked.
            Value::List(_) | Value::Map(_) => Place::at(self.text, place.bytes.start, None),
        }
    }

    /// Where a key stands.
    pub fn place_of_key(&self, key: &Spanned<String>) -> Place {
        Place::of(self.text, key.referenced)
    }

    /// Where the value of a key path stands; where the path leads nowhere, as of a key that is missing, the nearest
    /// value that would hold it.
    pub fn locate(&self, path: &str) -> Place {
        let mut node = &self.root;
        let mut rest = path;
        while let Some((next, further)) = step(&node.value, rest) {
            (node, rest) = (next, further);
        }
        self.place(node)
    }

    /// The single value at a key of the top.
    pub fn scalar(&self, key: &str) -> Option<&str> {
        match step(&self.root.value, key) {
            Some((Spanned { value: Value::Scalar(text), .. }, "")) => Some(text),
            _ => None,
        }
    }

    /// The path of the innermost value that begins at or before a byte, and closest to it.
    pub fn path_to(&self, byte: usize) -> String {
        let mut best = (0, String::new());
        self.nearest(&self.root, String::new(), byte, &mut best);
        best.1
    }

    fn nearest(&self, node: &Node, path: String, byte: usize, best: &mut (usize, String)) {
        let start = beginning(self.text, node.referenced);
        if start > byte {
            return;
        }
        if start >= best.0 {
            *best = (start, path.clone());
        }
        match &node.value {
            Value::Null | Value::Scalar(_) => {}
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.nearest(item, format!("{path}[{index}]"), byte, best);
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let inner = if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
                    self.nearest(value, inner, byte, best);
                }
            }
        }
    }
}

/// One step along a path. Names may hold dots of their own, so that the longest that fits is taken.
fn step<'n, 'p>(value: &'n Value, path: &'p str) -> Option<(&'n Node, &'p str)> {
    match value {
        Value::Map(entries) => {
            let path = path.strip_prefix('.').unwrap_or(path);
            let is_end = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
            entries
                .iter()
                .filter_map(|(key, node)| Some((node, path.strip_prefix(key.value.as_str())?)))
                .filter(|(_, rest)| !path.is_empty() && is_end(rest))
                .min_by_key(|(_, rest)| rest.len())
        }
        Value::List(items) => {
            let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
            Some((items.get(index.parse::<usize>().ok()?)?, rest))
        }
        Value::Null | Value::Scalar(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "faults:\n  - at: 3s\n    kill: {node: db-a}\nmix:\n  a.b: 1\n  a: {b: 2}\n";

    fn found(path: &str) -> (usize, usize, &'static str) {
        let place = Tree::read(TEXT).unwrap().locate(path);
        (place.line, place.column, &TEXT[place.bytes])
    }

    #[test]
    fn a_path_leads_to_its_value() {
        assert_eq!(found("faults[0].kill.node"), (3, 18, "db-a"));
        assert_eq!(found("mix.a.b"), (5, 8, "1"));
    }

    #[test]
    fn a_missing_key_is_shown_where_it_would_stand() {
        assert_eq!(found("faults[0].heal_after"), (2, 5, "at: 3s"));
        assert_eq!(found("faults[7].at"), (2, 3, "- at: 3s"));
    }

    #[test]
    fn a_place_beyond_the_text_is_drawn_in() {
        assert_eq!(Place::at("ab\n", 9, Some(4)), Place { line: 2, column: 1, bytes: 3..3 });
        assert_eq!(Place::at("é", 1, Some(1)), Place { line: 1, column: 1, bytes: 0..0 });
    }
}
