//! Scenarios say why they exist, and which requirements they exercise; both are read as plain text, so that a scenario
//! which must be refused is held to the same rules.

use std::collections::BTreeSet;

use crate::{File, Violation};

/// Scenarios that do not open with a comment.
pub fn without_reason(files: &[File]) -> Vec<Violation> {
    let says_why = |line: &str| line.strip_prefix('#').is_some_and(|text| !text.trim().is_empty());
    let gives = |file: &&File| file.text.lines().next().is_some_and(says_why);
    let silent = files.iter().filter(|file| !gives(file));
    silent.map(|file| Violation::new(&file.path, 1, "opens without a comment that says why it exists")).collect()
}

/// Scenarios that name no requirement, or one that does not exist.
pub fn covering(files: &[File], known: &BTreeSet<String>) -> Vec<Violation> {
    files.iter().flat_map(|file| covering_of(file, known)).collect()
}

fn covering_of(file: &File, known: &BTreeSet<String>) -> Vec<Violation> {
    let named = covers(&file.text);
    if named.is_empty() {
        return vec![Violation::new(&file.path, 0, "names no requirement under `covers`")];
    }
    let unknown = named.into_iter().filter(|(_, id)| !known.contains(id));
    unknown.map(|(line, id)| Violation::new(&file.path, line, format!("covers `{id}`, which does not exist"))).collect()
}

/// The identifiers under `covers`, in either form of YAML, each with its line.
pub fn covers(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let Some(start) = lines.iter().position(|line| line.starts_with("covers:")) else { return Vec::new() };
    let belongs = |line: &&&str| line.starts_with([' ', '-', ']']) || line.trim().is_empty();
    let count = 1 + lines[start + 1..].iter().take_while(belongs).count();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(start).take(count) {
        let value = line.strip_prefix("covers:").unwrap_or(line);
        let value = value.split('#').next().unwrap_or_default();
        let words = value.split(|c: char| !(c.is_alphanumeric() || c == '-')).map(|word| word.trim_start_matches('-'));
        found.extend(words.filter(|word| !word.is_empty()).map(|word| (index + 1, word.to_owned())));
    }
    found
}

/// The identifiers in the first column of the tables of a Markdown page.
pub fn identifiers(page: &str) -> BTreeSet<String> {
    let first = |line: &str| line.strip_prefix("| ")?.split(" |").next().map(str::to_owned);
    page.lines().filter_map(first).filter(|word| word.contains('-') && !word.contains("--")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> BTreeSet<String> {
        identifiers("| id | requirement |\n|---|---|\n| OM-1 | Three zones. |\n| OM-2 | A zone. |\n")
    }

    #[test]
    fn a_scenario_without_a_reason_is_found() {
        assert_eq!(without_reason(&[File::new("a.yaml", "scenario: a\n"), File::new("b.yaml", "#\n")]).len(), 2);
        assert!(without_reason(&[File::new("a.yaml", "# Why: it hurts.\nscenario: a\n")]).is_empty());
    }

    #[test]
    fn a_requirement_that_does_not_exist_is_found_in_both_forms() {
        let found =
            |text: &str| covering(&[File::new("a.yaml", text)], &known()).iter().map(|f| f.line).collect::<Vec<_>>();
        assert_eq!(found("# why\ncovers: [OM-1, OM-9]\nload:\n  rate: 1/s\n"), [2]);
        assert_eq!(found("covers:\n  - OM-2\n  - XX-1  # odd\nload: {}\n"), [3]);
        assert_eq!(found("covers: []\n"), [0]);
        assert_eq!(found("load: {}\n"), [0]);
        assert!(found("covers: [OM-1,\n  OM-2]\n").is_empty());
    }

    #[test]
    fn identifiers_are_those_of_the_tables() {
        assert_eq!(known().into_iter().collect::<Vec<_>>(), ["OM-1", "OM-2"]);
    }
}
