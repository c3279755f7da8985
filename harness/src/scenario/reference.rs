//! The reference of a kind of file, as a page of Markdown: every key, what it takes, and what it means.
//!
//! It is made from the JSON schema, so it cannot say anything else than what is read and refused.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Map, Value};

use super::{
    kinds::demanded,
    schema::{Kind, schema},
};

/// The page of a kind of file.
pub fn page(kind: Kind) -> String {
    let schema = schema(kind);
    let empty = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    let mut out = head(kind);
    out.push_str(&section(&format!("A {} file", kind.name()), &schema));
    for name in in_order(&schema, definitions) {
        out.push_str(&section(name, &definitions[name]));
    }
    out
}

fn head(kind: Kind) -> String {
    let name = kind.name();
    let arguments = if kind == Kind::Scenario { "--text" } else { "--text system" };
    format!(
        "# Reference: {name} files\n\n\
         Made by `blackstart schema {arguments}` from the JSON schema; do not edit it. A key that is not listed is refused. A key that \
         is not marked as required may be left out.\n"
    )
}

/// The definitions that a schema leads to, each after the one that names it first.
fn in_order<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> Vec<&'a str> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    let mut waiting: Vec<&str> = named(schema).into_iter().rev().collect();
    while let Some(name) = waiting.pop() {
        let Some((name, definition)) = definitions.get_key_value(name) else { continue };
        if seen.insert(name.as_str()) {
            order.push(name.as_str());
            waiting.extend(named(definition).into_iter().rev());
        }
    }
    order
}

/// The definitions that a part of a schema names, but for those of `$defs` itself.
fn named(part: &Value) -> Vec<&str> {
    match part {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"));
            let inner = map.iter().filter(|(key, _)| *key != "$defs").flat_map(|(_, value)| named(value));
            own.into_iter().chain(inner).collect()
        }
        Value::Array(list) => list.iter().flat_map(named).collect(),
        _ => Vec::new(),
    }
}

fn section(name: &str, schema: &Value) -> String {
    let mut out = format!("\n## {name}\n\n");
    out.push_str(&sentence(schema));
    let kinds = demanded(schema);
    if !kinds.is_empty() {
        let keys: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = write!(out, " It takes exactly one of {}.", keys.join(", "));
    }
    out.push('\n');
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        out.push_str(&keys(schema, properties));
    } else if let Some(words) = alternatives(schema) {
        out.push_str(&words);
    } else if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let _ = writeln!(out, "\nPattern: `{}`", pattern.replace('|', "\\|"));
    }
    out
}

fn keys(schema: &Value, properties: &Map<String, Value>) -> String {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut out = "\n| key | takes | meaning |\n|---|---|---|\n".to_owned();
    for (name, of) in properties {
        let mark = if required.contains(&name.as_str()) { " (required)" } else { "" };
        let default = of.get("default").filter(|it| !is_empty(it)).map(|it| format!(" Default: `{it}`."));
        let meaning = format!("{}{}", sentence(of), default.unwrap_or_default());
        let _ = writeln!(out, "| `{name}`{mark} | {} | {} |", takes(of), meaning.replace('|', "\\|"));
    }
    out
}

/// What a key takes, in a few words, with a link where it has a section of its own.
fn takes(of: &Value) -> String {
    if let Some(name) = of.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/")) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(branches) = of.get("anyOf").and_then(Value::as_array) {
        let named: Vec<String> =
            branches.iter().filter(|branch| branch.get("type").is_none_or(|it| it != "null")).map(takes).collect();
        return named.join(" or ");
    }
    let is = |name: &str| match of.get("type") {
        Some(Value::Array(several)) => several.iter().any(|it| it == name),
        Some(only) => only == name,
        None => false,
    };
    match () {
        () if is("array") => format!("list of {}", of.get("items").map_or_else(|| "anything".to_owned(), takes)),
        () if is("object") => {
            let of = of.get("additionalProperties").filter(|it| it.is_object());
            of.map_or_else(|| "mapping".to_owned(), |of| format!("mapping of names to {}", takes(of)))
        }
        () if is("boolean") => "`true` or `false`".to_owned(),
        () if is("integer") => "whole number".to_owned(),
        () => "text".to_owned(),
    }
}

/// The words, or other forms, of which one is written.
fn alternatives(schema: &Value) -> Option<String> {
    let branches = schema.get("oneOf").or_else(|| schema.get("enum"))?.as_array()?;
    let mut out = "\n".to_owned();
    for branch in branches {
        let word = branch.get("const").unwrap_or(branch).as_str().map(|word| format!("`{word}`"));
        let form = || match branch.get("properties").and_then(Value::as_object) {
            Some(properties) => {
                let keys: Vec<String> = properties.iter().map(|(key, of)| format!("{key}: {}", takes(of))).collect();
                format!("{{{}}}", keys.join(", "))
            }
            None => takes(branch),
        };
        let about = Some(sentence(branch)).filter(|about| !about.is_empty());
        let about = about.map_or_else(String::new, |about| format!(": {about}"));
        let _ = writeln!(out, "- {}{about}", word.unwrap_or_else(form));
    }
    Some(out)
}

/// What a part of a schema says of itself, on one line, ended as a sentence.
fn sentence(of: &Value) -> String {
    let text = of.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', ':', ')']) { text.to_owned() } else { format!("{text}.") }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_every_word_of_the_schema_is_on_the_page() {
        for kind in [Kind::Scenario, Kind::System] {
            let (page, schema) = (page(kind), schema(kind));
            let definitions = schema["$defs"].as_object().expect("definitions");
            for (name, definition) in definitions.iter().chain([(&"itself".to_owned(), &schema)]) {
                let properties = definition.get("properties").and_then(Value::as_object);
                for key in properties.into_iter().flat_map(Map::keys) {
                    assert!(page.contains(&format!("| `{key}`")), "{name}.{key}");
                }
                let branches = definition.get("oneOf").and_then(Value::as_array).into_iter().flatten();
                for word in branches.filter_map(|branch| branch.get("const")?.as_str()) {
                    assert!(page.contains(&format!("- `{word}`")), "{name}: {word}");
                }
            }
        }
    }

    #[test]
    fn every_link_leads_to_a_section() {
        for kind in [Kind::Scenario, Kind::System] {
            let page = page(kind);
            let sections: BTreeSet<String> =
                page.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
            for target in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
                assert!(sections.contains(target), "#{target}");
            }
        }
    }
}
