//! The shape of a file against its schema: unknown, missing and duplicate keys, wrong kinds of values, missing units.
//!
//! serde stops at the first of these, and a user wants them all. The typed reading keeps the last word: what it
//! refuses beyond this is refused too.

use std::{collections::BTreeSet, str::FromStr};

use serde_json::Value as Schema;
use serde_saphyr::Spanned;

use super::{
    kinds::demanded,
    locate::{Node, Place, Tree, Value},
    renamed::{self, Form, successor},
    units::{Bandwidth, Moment, Rate, Share, Size, Span},
    validate::names::{did_you_mean, exactly_one, list, nearest},
};

/// The most bytes that a text may have.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// The most entries that a list or a mapping may have.
pub(super) const MOST_ENTRIES: usize = 1000;

/// The most that is collected of one file: to place each is a walk through the text.
const MOST_FOUND: usize = 1000;

/// Something that does not have the shape that the schema demands.
#[derive(Debug)]
pub(super) struct Misshape {
    pub key: String,
    pub place: Place,
    pub problem: String,
    pub mend: String,
}

/// Everything in a file that does not have the shape that the schema demands.
pub(super) fn misshapes(tree: &Tree<'_>, schema: &Schema) -> Vec<Misshape> {
    let mut walk = Walk { tree, root: schema, found: Vec::new() };
    walk.node(schema, tree.root(), "");
    walk.found
}

struct Walk<'a> {
    tree: &'a Tree<'a>,
    root: &'a Schema,
    found: Vec<Misshape>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, schema: &'a Schema, node: &Node, path: &str) {
        if self.found.len() >= MOST_FOUND {
            return;
        }
        let (name, schema) = self.resolve(schema);
        if let Some(problem) = too_large(&node.value) {
            return self.refuse(
                node,
                path,
                problem,
                "keep declarations small; put what is large into files of its own",
            );
        }
        if matches!(node.value, Value::Null) && allows_null(schema) {
            return;
        }
        match &node.value {
            Value::Scalar(text) if is_unit(name) => self.unit(name, schema, node, text, path),
            Value::Scalar(text) => self.scalar(schema, node, text, path),
            Value::List(items) => match schema.get("items").or_else(|| branch(schema, "array")?.get("items")) {
                Some(of) => {
                    for (index, item) in items.iter().enumerate() {
                        self.node(of, item, &format!("{path}[{index}]"));
                    }
                }
                None => self.wrong_kind(schema, node, path),
            },
            Value::Map(entries) if is_of_type(schema, "object") => self.map(schema, node, entries, path),
            Value::Map(entries) => match branch(schema, "object") {
                Some(schema) => self.map(schema, node, entries, path),
                None => self.wrong_kind(schema, node, path),
            },
            Value::Null => self.wrong_kind(schema, node, path),
        }
    }

    /// Follows references and drops the branch that only says that nothing may stand here.
    fn resolve(&self, schema: &'a Schema) -> (&'a str, &'a Schema) {
        if let Some(name) = schema.get("$ref").and_then(Schema::as_str).and_then(|text| text.strip_prefix("#/$defs/")) {
            return (name, self.root.get("$defs").and_then(|defs| defs.get(name)).unwrap_or(schema));
        }
        let branches = schema.get("anyOf").and_then(Schema::as_array);
        match branches.and_then(|all| all.iter().find(|branch| !is_of_type(branch, "null"))) {
            Some(branch) => self.resolve(branch),
            None => ("", schema),
        }
    }

    fn map(&mut self, schema: &'a Schema, node: &Node, entries: &[(Spanned<String>, Node)], path: &str) {
        let known = schema.get("properties").and_then(Schema::as_object);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let mut seen = BTreeSet::new();
        let mut misspelt = Vec::new();
        for (key, value) in entries {
            let name = key.value.as_str();
            if !seen.insert(name) {
                let problem = format!("duplicate key `{name}`");
                self.refuse_key(key, path, problem, "keep one of the two".to_owned());
            } else if let Some(schema) = known.and_then(|known| known.get(name)).or(others) {
                self.node(schema, value, &join(path, name));
            } else {
                let names = || known.into_iter().flat_map(|known| known.keys().map(String::as_str));
                misspelt.extend(self.unknown_key(key, path, names));
            }
        }
        self.kinds(schema, entries, &misspelt, path);
        // What is only misspelt is not missing too.
        seen.extend(misspelt);
        self.missing(schema, node, &seen, path);
    }

    /// Refuses a key that is not known. Gives the one that is probably meant.
    fn unknown_key<N: Iterator<Item = &'a str>>(
        &mut self,
        key: &Spanned<String>,
        path: &str,
        names: impl Fn() -> N,
    ) -> Option<&'a str> {
        let name = key.value.as_str();
        if let Some(now) = successor(Form::Key, name, names()) {
            let (problem, mend) = renamed::refusal(name, now);
            self.refuse_key(key, path, problem, mend);
            return Some(now);
        }
        if let Some(within) = successor(Form::Moved, name, names()) {
            let (problem, mend) = renamed::moved(name, within);
            self.refuse_key(key, path, problem, mend);
            return Some(within);
        }
        let meant = nearest(name, names());
        let mend = meant.map(|meant| format!("did you mean `{meant}`?"));
        let mend = mend.unwrap_or_else(|| format!("known here are {}", list(names())));
        self.refuse_key(key, path, format!("unknown key `{name}`"), mend);
        meant
    }

    /// Where the schema demands exactly one of several keys, one of them stands here. A key without a value is none.
    fn kinds(&mut self, schema: &Schema, entries: &[(Spanned<String>, Node)], misspelt: &[&str], path: &str) {
        let is_given =
            |kind: &&str| entries.iter().any(|(key, it)| key.value == **kind && !matches!(it.value, Value::Null));
        let kinds = demanded(schema);
        if kinds.iter().any(|kind| misspelt.contains(kind)) {
            return;
        }
        let what = schema.get("title").and_then(Schema::as_str).unwrap_or("this");
        let given: Vec<(&str, bool)> = kinds.iter().map(|kind| (*kind, is_given(kind))).collect();
        let note = (!given.is_empty()).then(|| exactly_one(path, what, &given)).flatten();
        self.found.extend(note.map(|note| {
            let place = self.tree.locate(&note.key);
            Misshape { key: note.key, place, problem: note.problem, mend: note.mend }
        }));
    }

    fn missing(&mut self, schema: &Schema, node: &Node, seen: &BTreeSet<&str>, path: &str) {
        let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten();
        for name in required.filter_map(Schema::as_str).filter(|name| !seen.contains(name)) {
            let about = schema.pointer(&format!("/properties/{name}/description")).and_then(Schema::as_str);
            let mend = format!("add `{name}`: {}", about.map_or("it is required".to_owned(), first_sentence));
            self.refuse(node, &join(path, name), format!("`{name}` is missing"), mend);
        }
    }

    fn unit(&mut self, name: &str, schema: &Schema, node: &Node, text: &str, path: &str) {
        let about = || format!("write {}", schema.get("description").and_then(Schema::as_str).unwrap_or(name));
        if let Err(problem) = read_unit(name, text) {
            match problem.split_once("; ") {
                Some((problem, mend)) => self.refuse(node, path, problem.to_owned(), mend),
                None => self.refuse(node, path, problem, about()),
            }
        }
    }

    fn scalar(&mut self, schema: &Schema, node: &Node, text: &str, path: &str) {
        let words = words(schema);
        if !words.is_empty() {
            if let Some(now) = successor(Form::Word, text, words.iter().copied()) {
                let (problem, mend) = renamed::refusal(text, now);
                self.refuse(node, path, problem, mend);
            } else if !words.contains(&text) {
                let mend = did_you_mean(text, words.iter().copied())
                    .unwrap_or_else(|| format!("write one of {}", list(words.iter().copied())));
                self.refuse(node, path, format!("unknown value `{text}`"), mend);
            }
        } else if is_of_type(schema, "integer") {
            self.integer(schema, node, text, path);
        } else if is_of_type(schema, "boolean") {
            if !matches!(text, "true" | "false") {
                self.refuse(node, path, format!("`{text}` is neither true nor false"), "write true or false");
            }
        } else if !is_of_type(schema, "string") && branch(schema, "string").is_none() {
            self.wrong_kind(schema, node, path);
        }
    }

    fn integer(&mut self, schema: &Schema, node: &Node, text: &str, path: &str) {
        let bound = |name| schema.get(name).and_then(Schema::as_f64);
        let (least, most) = integer_bounds(schema, bound("minimum"), bound("maximum"));
        let fits = text.parse::<i128>().is_ok_and(|number| (least..=most).contains(&number));
        if !fits {
            let problem = format!("`{text}` is not a whole number from {least} to {most}");
            self.refuse(node, path, problem, "write such a number, without quotes and without a unit");
        }
    }

    fn wrong_kind(&mut self, schema: &Schema, node: &Node, path: &str) {
        let mend = schema
            .get("description")
            .and_then(Schema::as_str)
            .map_or_else(|| format!("write {}", expected(schema)), |about| format!("what belongs here: {about}"));
        let problem = format!("expected {}, found {}", expected(schema), node.value.kind());
        self.refuse(node, path, problem, mend);
    }

    fn refuse_key(&mut self, key: &Spanned<String>, path: &str, problem: String, mend: String) {
        let place = self.tree.place_of_key(key);
        self.found.push(Misshape { key: join(path, &key.value), place, problem, mend });
    }

    fn refuse(&mut self, node: &Node, key: &str, problem: String, mend: impl Into<String>) {
        let place = self.tree.place(node);
        self.found.push(Misshape { key: key.to_owned(), place, problem, mend: mend.into() });
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    text.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

fn too_large(value: &Value) -> Option<String> {
    match value {
        Value::Scalar(text) if text.len() > MOST_BYTES => {
            Some(format!("this text has {} bytes; the most is {MOST_BYTES}", text.len()))
        }
        Value::List(items) if items.len() > MOST_ENTRIES => {
            Some(format!("this list has {} entries; the most is {MOST_ENTRIES}", items.len()))
        }
        Value::Map(entries) if entries.len() > MOST_ENTRIES => {
            Some(format!("this mapping has {} keys; the most is {MOST_ENTRIES}", entries.len()))
        }
        _ => None,
    }
}

fn is_of_type(schema: &Schema, name: &str) -> bool {
    match schema.get("type") {
        Some(Schema::String(only)) => only == name,
        Some(Schema::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn allows_null(schema: &Schema) -> bool {
    is_of_type(schema, "null")
}

/// The alternative of a type, where a schema has alternatives.
fn branch<'s>(schema: &'s Schema, name: &str) -> Option<&'s Schema> {
    schema.get("oneOf")?.as_array()?.iter().find(|branch| is_of_type(branch, name))
}

/// The words of an enumeration, documented (`oneOf` with `const`) or not (`enum`).
fn words(schema: &Schema) -> Vec<&str> {
    let documented = schema.get("oneOf").and_then(Schema::as_array).into_iter().flatten();
    let plain = schema.get("enum").and_then(Schema::as_array).into_iter().flatten();
    documented.filter_map(|branch| branch.get("const")).chain(plain).filter_map(Schema::as_str).collect()
}

fn integer_bounds(schema: &Schema, least: Option<f64>, most: Option<f64>) -> (i128, i128) {
    let by_format = match schema.get("format").and_then(Schema::as_str) {
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint64") => (0, i128::from(u64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    (least.map_or(by_format.0, |least| least as i128), most.map_or(by_format.1, |most| most as i128))
}

fn expected(schema: &Schema) -> &'static str {
    let kinds = [
        ("object", "a mapping"),
        ("array", "a list"),
        ("string", "a text"),
        ("integer", "a number"),
        ("boolean", "true or false"),
    ];
    let found = kinds.iter().find(|(name, _)| is_of_type(schema, name) || branch(schema, name).is_some());
    found.map_or("something else", |(_, words)| *words)
}

fn is_unit(name: &str) -> bool {
    matches!(name, "Span" | "Size" | "Rate" | "Share" | "Bandwidth" | "Moment")
}

fn read_unit(name: &str, text: &str) -> Result<(), String> {
    fn read<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
        text.parse()
    }
    match name {
        "Span" => read::<Span>(text).map(drop),
        "Size" => read::<Size>(text).map(drop),
        "Moment" => read::<Moment>(text).map(drop),
        "Rate" => read::<Rate>(text).map(drop),
        "Share" => read::<Share>(text).map(drop),
        "Bandwidth" => read::<Bandwidth>(text).map(drop),
        _ => Ok(()),
    }
}
