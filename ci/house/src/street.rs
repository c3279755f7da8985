//! The one-way street: a module imports only what stands above it in the order of the rooms.

use crate::{File, Violation, source};

/// The modules of a crate, in order; an import from one of them to one that stands below it breaks the rule.
pub fn wrong_way(order: &[&str], files: &[File]) -> Vec<Violation> {
    files.iter().flat_map(|file| wrong_way_of(order, file)).collect()
}

/// Imports that go the wrong way, as pairs of importer and imported.
pub fn pairs(order: &[&str], file: &File) -> Vec<(String, String, usize)> {
    let Some(own) = module_of(&file.path) else { return Vec::new() };
    let place = |name: &str| order.iter().position(|module| *module == name);
    let Some(own_place) = place(&own) else { return vec![(own, "nothing: it has no place in the order".into(), 1)] };
    let imports = imports(&file.text);
    let wrong = imports.into_iter().filter(|(name, _)| place(name).is_some_and(|place| place > own_place));
    wrong.map(|(name, line)| (own.clone(), name, line)).collect()
}

fn wrong_way_of(order: &[&str], file: &File) -> Vec<Violation> {
    let say = |(own, name, line): (String, String, usize)| {
        Violation::new(&file.path, line, format!("`{own}` imports `{name}`, which stands below it"))
    };
    pairs(order, file).into_iter().map(say).collect()
}

/// The top module that a file under `src` belongs to; the roots of the crate belong to none.
fn module_of(path: &str) -> Option<String> {
    let (_, inside) = path.split_once("src/")?;
    let first = inside.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

/// The top modules that a file names after `crate::`, each with its line.
fn imports(text: &str) -> Vec<(String, usize)> {
    let code = source::code(text).join("\n");
    let mut found = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            None => found.push((word(rest), line)),
            Some(group) => found.extend(heads(group).into_iter().map(|(name, lines)| (name, line + lines))),
        }
    }
    found.retain(|(name, _)| !name.is_empty());
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first word of each item of a `{...}` group, with how many lines below its beginning it stands.
fn heads(group: &str) -> Vec<(String, usize)> {
    let (mut depth, mut item, mut heads) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        let is_end = depth == 0 && matches!(c, ',' | '}');
        if is_end {
            let skipped = group[item..at].len() - group[item..at].trim_start().len();
            heads.push((word(group[item..at].trim_start()), group[..item + skipped].matches('\n').count()));
            item = at + 1;
        }
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [&str; 3] = ["clock", "plan", "drill"];

    fn found(path: &str, text: &str) -> Vec<String> {
        wrong_way(&ORDER, &[File::new(path, text)]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_import_upwards_is_fine() {
        assert!(found("harness/src/drill/mod.rs", "use crate::{clock::Clock, plan::{self, Plan}};\n").is_empty());
        assert!(found("harness/src/lib.rs", "use crate::drill::run;\n").is_empty());
    }

    #[test]
    fn an_import_downwards_is_found_in_every_form() {
        let says =
            |line: usize| format!("harness/src/plan/text.rs:{line}: `plan` imports `drill`, which stands below it");
        assert_eq!(found("harness/src/plan/text.rs", "// why\nuse crate::drill::run;\n"), [says(2)]);
        let group = "use crate::{\n    clock::{Clock, drill},\n    drill::{self, run},\n};\n";
        assert_eq!(found("harness/src/plan/text.rs", group), [says(3)]);
        assert_eq!(found("harness/src/plan/text.rs", "fn f() { crate::drill::run() }\n"), [says(1)]);
    }

    #[test]
    fn tests_and_comments_may_name_what_they_like() {
        let text = "//! See crate::drill.\n#[cfg(test)]\nmod tests {\n    use crate::drill::run;\n}\n";
        assert!(found("harness/src/plan/mod.rs", text).is_empty());
    }

    #[test]
    fn a_module_that_nobody_placed_is_found() {
        assert_eq!(found("harness/src/extra.rs", "fn f() {}\n").len(), 1);
    }
}
