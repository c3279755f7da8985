//! Manners of every source file: a head comment, no panics and no printing by the way, and nothing in a module that does not
//! belong there.

use crate::{File, Violation, source};

/// Files without a head comment.
pub fn without_head(files: &[File]) -> Vec<Violation> {
    let has_head = |file: &&File| file.text.lines().find(|line| !line.trim().is_empty()).is_some_and(is_head);
    let silent = files.iter().filter(|file| !has_head(file));
    silent.map(|file| Violation::new(&file.path, 1, "opens without a `//!` that says what it is for")).collect()
}

fn is_head(line: &str) -> bool {
    line.strip_prefix("//!").is_some_and(|text| !text.trim().is_empty())
}

/// Words that must not stand in the code of files, as where a print or a panic would. Tests may.
pub fn naming(files: &[File], words: &[&str], why: &str) -> Vec<Violation> {
    let program = files.iter().filter(|file| !source::is_test_file(&file.path));
    program.flat_map(|file| words.iter().flat_map(|word| naming_one(file, word, why)).collect::<Vec<_>>()).collect()
}

fn naming_one(file: &File, word: &str, why: &str) -> Vec<Violation> {
    let lines = source::lines_with(&file.text, word).into_iter();
    lines.map(|line| Violation::new(&file.path, line, format!("names `{word}`: {why}"))).collect()
}

/// Libraries that a manifest depends on and must not.
pub fn depending(manifest: &File, libraries: &[&str]) -> Vec<Violation> {
    let mut is_dependencies = false;
    let mut found = Vec::new();
    for (index, line) in manifest.text.lines().enumerate() {
        if line.starts_with('[') {
            is_dependencies = line.contains("dependencies");
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if is_dependencies && libraries.contains(&name) {
            found.push(Violation::new(&manifest.path, index + 1, format!("depends on `{name}`")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_comment_is_found() {
        let silent = [File::new("a.rs", "\nuse x;\n"), File::new("b.rs", "//!\n"), File::new("c.rs", "// not one\n")];
        assert_eq!(without_head(&silent).len(), 3);
        assert!(without_head(&[File::new("d.rs", "//! What it is for.\n")]).is_empty());
    }

    #[test]
    fn an_unwrap_and_a_print_are_found_outside_tests_only() {
        let text =
            "fn f() {\n    x.unwrap();\n    println!();\n}\n#[cfg(test)]\nmod tests {\n    fn g() { x.unwrap() }\n}\n";
        let words = [".unwrap()", "println!"];
        let lines =
            |path: &str| naming(&[File::new(path, text)], &words, "no").iter().map(|f| f.line).collect::<Vec<_>>();
        assert_eq!(lines("harness/src/a.rs"), [2, 3]);
        assert!(lines("harness/src/a/tests.rs").is_empty() && lines("harness/tests/a.rs").is_empty());
    }

    #[test]
    fn a_library_that_does_not_belong_is_found() {
        let text = "[package]\nname = \"tokio\"\n[dependencies]\ntokio.workspace = true\nserde = \"1\"\n[dev-dependencies]\nrand = \"0\"\n";
        let found = depending(&File::new("reports/Cargo.toml", text), &["tokio", "rand", "bollard"]);
        assert_eq!(found.iter().map(|violation| violation.line).collect::<Vec<_>>(), [4, 7]);
    }
}
