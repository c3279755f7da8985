//! What `ci/test` has to know of a scenario: its system, and how it must end. Both are read as plain text, so that a scenario
//! which must be refused is known as well.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A scenario of this repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its path from the top of the repository.
    pub file: String,
    /// The name of its system's file, without the ending.
    pub system: String,
    pub ending: Ending,
}

/// How a drill must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Passed,
    /// Failed, and for its reason: its record says these words.
    Failed {
        shown_by: Option<String>,
    },
    Refused,
}

impl Ending {
    pub const fn exit_status(&self) -> i32 {
        match self {
            Self::Passed => 0,
            Self::Failed { .. } => 1,
            Self::Refused => 2,
        }
    }
}

impl Scenario {
    /// A scenario by its path and text.
    pub fn of(file: &str, text: &str) -> Self {
        let system = after(text, "system:").unwrap_or_default();
        let system = Path::new(&system).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { file: file.to_owned(), system, ending: ending(file, text) }
    }
}

/// A scenario says by its file's name how it must end.
fn ending(file: &str, text: &str) -> Ending {
    match file.rsplit('/').next().unwrap_or_default() {
        name if name.starts_with("refused-") => Ending::Refused,
        name if name.starts_with("fails-") => Ending::Failed { shown_by: after(text, "# Shown by:") },
        _ => Ending::Passed,
    }
}

/// What follows a word at the beginning of a line.
fn after(text: &str, word: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(word)).map(|rest| rest.trim().to_owned()).filter(|it| !it.is_empty())
}

/// Every scenario, in order: the files of the folders under `scenarios`.
///
/// # Errors
/// Where a folder or a file cannot be read.
pub fn all(top: &Path) -> io::Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for folder in entries(&top.join("scenarios"))?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&folder)?.iter().filter(|path| is_yaml(path)) {
            let name = file.strip_prefix(top).unwrap_or(file).to_string_lossy().into_owned();
            all.push(Scenario::of(&name, &fs::read_to_string(file)?));
        }
    }
    Ok(all)
}

/// The names of the systems of this repository that declare a self-test.
///
/// # Errors
/// Where a file cannot be read.
pub fn self_tests(top: &Path) -> io::Result<Vec<String>> {
    let mut systems = Vec::new();
    for file in entries(&top.join("fixtures/systems"))?.iter().filter(|path| is_yaml(path)) {
        if fs::read_to_string(file)?.lines().any(|line| line.starts_with("selftest:")) {
            systems.push(file.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    Ok(systems)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml")
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Why: it hurts.\n# Shown by: takes writes: db-a, db-b\nsystem: ../../fixtures/systems/shop.yaml\n";

    #[test]
    fn a_scenario_says_its_system_and_by_its_name_how_it_must_end() {
        let passes = Scenario::of("scenarios/shop/zone-lost.yaml", TEXT);
        assert_eq!((passes.system.as_str(), passes.ending), ("shop", Ending::Passed));
        assert_eq!(Scenario::of("scenarios/broken/refused-typo.yaml", TEXT).ending, Ending::Refused);
        let shown_by = Some("takes writes: db-a, db-b".to_owned());
        assert_eq!(Scenario::of("scenarios/broken/fails-late.yaml", TEXT).ending, Ending::Failed { shown_by });
    }

    #[test]
    fn what_is_to_show_a_failure_must_be_said() {
        let silent = Scenario::of("scenarios/broken/fails-late.yaml", "# Shown by:\nsystem: shop.yaml\n");
        assert_eq!(silent.ending, Ending::Failed { shown_by: None });
    }

    #[test]
    fn the_scenarios_of_this_repository_are_found() {
        let all = all(&crate::stages::top()).unwrap();
        let mut endings: Vec<i32> = all.iter().map(|scenario| scenario.ending.exit_status()).collect();
        endings.sort_unstable();
        endings.dedup();
        assert_eq!(endings, [0, 1, 2]);
        assert!(all.iter().all(|scenario| !scenario.system.is_empty()), "{all:?}");
        assert!(!self_tests(&crate::stages::top()).unwrap().is_empty());
    }
}
