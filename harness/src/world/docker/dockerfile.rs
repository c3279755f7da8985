//! As much of a Dockerfile as its tag depends on: the images that it starts from. Pure.

use std::collections::BTreeMap;

/// The images named in `FROM`, without stages of its own; defaults of `ARG` are filled in.
pub(super) fn bases(dockerfile: &str) -> Vec<String> {
    let mut stages: Vec<String> = vec!["scratch".to_owned()];
    let mut arguments = BTreeMap::new();
    let mut bases = Vec::new();
    for line in dockerfile.lines() {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        match words.as_slice() {
            [word, argument, ..] if word.eq_ignore_ascii_case("ARG") => {
                arguments.extend(argument.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            [word, image, rest @ ..] if word.eq_ignore_ascii_case("FROM") => {
                let image = fill_in(image, &arguments);
                if !stages.contains(&image.to_lowercase()) && !bases.contains(&image) {
                    bases.push(image);
                }
                stages.extend(rest.get(1).map(|stage| stage.to_lowercase()));
            }
            _ => {}
        }
    }
    bases
}

fn fill_in(image: &str, arguments: &BTreeMap<String, String>) -> String {
    arguments.iter().fold(image.to_owned(), |image, (name, value)| {
        image.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    })
}

/// Whether an image is named with a tag: a colon after the last slash, since a registry may have a port.
pub(super) fn has_tag(image: &str) -> bool {
    image.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_no_bases() {
        let text = "ARG SUITE=trixie\n# FROM comment\nFROM --platform=linux/amd64 debian:${SUITE}-slim AS build\n\
                    from build as next\nFROM scratch\nFROM debian:$SUITE-slim\nFROM registry:5000/x\n";
        assert_eq!(bases(text), ["debian:trixie-slim", "registry:5000/x"]);
        assert!(!has_tag("registry:5000/x") && has_tag("registry:5000/x:1") && has_tag("x:1"));
    }
}
