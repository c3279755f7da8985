//! The line that each run leaves: which commit, clean or dirty, how long, passed or failed.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::scope::Scope;

/// What was tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The full hash, or `unknown` where this is no git checkout.
    commit: String,
    /// `clean`, `dirty` or `unknown`.
    state: &'static str,
}

impl Tested {
    /// What is in a folder now.
    pub fn now(top: &Path) -> Self {
        Self::of(git(top, &["rev-parse", "HEAD"]), git(top, &["status", "--porcelain"]))
    }

    fn of(commit: Option<String>, changes: Option<String>) -> Self {
        match (commit, changes) {
            (Some(commit), Some(changes)) => Self { commit, state: if changes.is_empty() { "clean" } else { "dirty" } },
            _ => Self { commit: "unknown".to_owned(), state: "unknown" },
        }
    }

    /// What was tested, where this was there before and that afterwards: something that changed meanwhile is no commit.
    pub fn between(before: Self, after: &Self) -> Self {
        if before == *after { before } else { Self { state: "dirty", ..before } }
    }

    /// The line of a run. One that is not the gate says so in a fifth word.
    pub fn line(&self, took: Duration, is_passed: bool, scope: &Scope) -> String {
        let (commit, state, outcome) = (&self.commit, self.state, if is_passed { "passed" } else { "failed" });
        let name = scope.name().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{commit} {state} {} {outcome}{name}\n", took.as_secs())
    }
}

fn git(top: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(top).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where the lines are kept, by `XDG_STATE_HOME` and `HOME`; none where neither is set.
pub fn file(state: Option<&Path>, home: Option<&Path>) -> Option<PathBuf> {
    let state = state.filter(|state| state.is_absolute()).map(Path::to_owned);
    Some(state.or_else(|| home.map(|home| home.join(".local/state")))?.join("blackstart/gate"))
}

/// Adds a line.
///
/// # Errors
/// Where it cannot be written.
pub fn append(file: &Path, line: &str) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tested(changes: &str) -> Tested {
        Tested::of(Some("0f".repeat(20)), Some(changes.to_owned()))
    }

    #[test]
    fn a_line_is_commit_state_seconds_and_outcome() {
        let took = Duration::from_millis(612_900);
        let hash = "0f".repeat(20);
        assert_eq!(tested("").line(took, true, &Scope::Gate), format!("{hash} clean 612 passed\n"));
        assert_eq!(tested("?? a").line(took, false, &Scope::Gate), format!("{hash} dirty 612 failed\n"));
    }

    #[test]
    fn what_is_not_the_gate_says_so() {
        let line = tested("").line(Duration::from_secs(9), true, &Scope::WithoutDrills);
        assert!(line.ends_with(" clean 9 passed no-drills\n"), "{line}");
        let line = tested("").line(Duration::from_secs(9), true, &Scope::System("shop".into()));
        assert!(line.ends_with(" passed system:shop\n"), "{line}");
    }

    #[test]
    fn what_is_no_checkout_is_unknown() {
        let line = Tested::of(None, None).line(Duration::from_secs(9), true, &Scope::Gate);
        assert_eq!(line, "unknown unknown 9 passed\n");
    }

    #[test]
    fn what_changed_while_it_was_tested_is_dirty() {
        let (clean, other) = (tested(""), Tested { commit: "1e".repeat(20), state: "clean" });
        assert_eq!(Tested::between(clean.clone(), &clean), clean);
        assert_eq!(Tested::between(clean.clone(), &other).state, "dirty");
        assert_eq!(Tested::between(clean, &tested(" M a")).state, "dirty");
    }

    #[test]
    fn the_file_is_where_state_is_kept() {
        let path = Path::new;
        assert_eq!(file(Some(path("/state")), Some(path("/home"))).unwrap(), path("/state/blackstart/gate"));
        assert_eq!(file(Some(path("")), Some(path("/home"))).unwrap(), path("/home/.local/state/blackstart/gate"));
        assert_eq!(file(None, None), None);
    }

    #[test]
    fn lines_are_added() {
        let folder = std::env::temp_dir().join(format!("gate-log-{}", std::process::id()));
        let file = folder.join("blackstart/gate");
        append(&file, "one\n").unwrap();
        append(&file, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "one\ntwo\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
