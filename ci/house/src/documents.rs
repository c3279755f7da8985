//! What the pages for people name must exist: paths of the repository in `code` or as the target of a link.

use crate::{File, Violation};

/// Paths that a page names and that do not exist. `tops` are the names at the top of the repository; a word in code
/// counts as a path if it starts with one of them, and a link if it leads into the repository.
pub fn dead_paths(page: &File, tops: &[String], exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut is_block = false;
    for (index, line) in page.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        }
        let words = if is_block { line.split_whitespace().map(str::to_owned).collect() } else { inline(line) };
        let paths =
            words.iter().filter_map(|word| path_in(word, tops)).chain(if is_block { Vec::new() } else { links(line) });
        let dead = paths.filter(|path| !exists(path));
        found.extend(
            dead.map(|path| Violation::new(&page.path, index + 1, format!("names `{path}`, which does not exist"))),
        );
    }
    found
}

/// The words in code spans of a line.
fn inline(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// The path that a word names, up to the first part that stands for several.
fn path_in(word: &str, tops: &[String]) -> Option<String> {
    let word = word.trim_matches(|c: char| matches!(c, ',' | ';' | ':' | '(' | ')' | '.' | '\'' | '"'));
    let word = word.strip_prefix("./").unwrap_or(word);
    let names_file = word.contains('/') || word.ends_with(".md");
    let first = word.split('/').next()?;
    if !names_file || !tops.iter().any(|top| top == first) {
        return None;
    }
    let stands_for_several = |part: &&str| part.contains(['*', '<', '{', '$', '…']) || part.starts_with("KEY");
    let certain = word.split('/').take_while(|part| !stands_for_several(part));
    let path = certain.collect::<Vec<_>>().join("/");
    Some(path.trim_end_matches('/').to_owned())
}

/// The targets of links that lead into the repository.
fn links(line: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inner = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    inner.map(|target| target.split('#').next().unwrap_or_default().trim_end_matches('/').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(text: &str) -> Vec<String> {
        let tops = ["harness", "scenarios", "README.md"].map(str::to_owned);
        let exists = |path: &str| ["harness/src", "scenarios", "README.md", "harness"].contains(&path);
        dead_paths(&File::new("README.md", text), &tops, exists)
            .into_iter()
            .map(|violation| violation.to_string())
            .collect()
    }

    #[test]
    fn a_path_that_does_not_exist_is_found_wherever_it_is_named() {
        assert_eq!(dead("See `harness/lost`.\n"), ["README.md:1: names `harness/lost`, which does not exist"]);
        assert_eq!(dead("[x](scenarios/gone.yaml#a)\n").len(), 1);
        assert_eq!(dead("```\nblackstart run scenarios/gone.yaml\n```\n").len(), 1);
    }

    #[test]
    fn what_exists_and_what_is_no_path_of_ours_is_fine() {
        let text = "`harness/src/`, `scenarios/*/x.yaml`, `harness/src/KEY.rs`, `README.md`, `and/or`, `runs/1`, [a](https://x/y) [b](#c)\n";
        assert!(dead(text).is_empty(), "{:?}", dead(text));
    }
}
