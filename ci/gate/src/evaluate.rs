//! How the end of a drill is evaluated: by its exit status, and by the words of its record where it must fail.

use crate::scenario::Ending;

/// What the end of a drill comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluated {
    AsDeclared,
    /// Something else, in words.
    Otherwise(String),
    /// Inconclusive, or it could not run: that is about us and this machine, and says nothing about the system.
    NoVerdict(i32),
}

/// Evaluates an exit status; none where a signal ended it.
pub fn evaluate(status: Option<i32>, ending: &Ending) -> Evaluated {
    match status {
        Some(status) if status == ending.exit_status() => Evaluated::AsDeclared,
        Some(status @ (3 | 4)) => Evaluated::NoVerdict(status),
        Some(status) => Evaluated::Otherwise(format!("exit status {status}, not {}", ending.exit_status())),
        None => Evaluated::Otherwise("a signal ended it".to_owned()),
    }
}

/// Whether a record shows that the drill failed for its reason; none where the drill need not fail. Gives what was seen.
pub fn reason(ending: &Ending, record: &str) -> Option<Result<String, String>> {
    let Ending::Failed { shown_by } = ending else { return None };
    let Some(words) = shown_by else {
        return Some(Err("its head has no line `# Shown by:` with words of its record".to_owned()));
    };
    // As the words stand in JSON.
    let quoted = words.replace('\\', "\\\\").replace('"', "\\\"");
    Some(if record.contains(&quoted) { Ok(words.clone()) } else { Err(format!("its record does not say `{words}`")) })
}

/// The folder of the evidence, as a drill says on its last lines.
pub fn evidence(said: &str) -> Option<&str> {
    said.lines().rev().find_map(|line| line.strip_prefix("evidence: ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Ending = Ending::Failed { shown_by: None };

    fn by(words: &str) -> Ending {
        Ending::Failed { shown_by: Some(words.to_owned()) }
    }

    #[test]
    fn each_ending_has_its_status() {
        for (ending, status) in [(Ending::Passed, 0), (FAILED, 1), (Ending::Refused, 2)] {
            assert_eq!(evaluate(Some(status), &ending), Evaluated::AsDeclared);
        }
    }

    #[test]
    fn a_verdict_that_is_another_one_is_never_asked_for_twice() {
        assert_eq!(evaluate(Some(1), &Ending::Passed), Evaluated::Otherwise("exit status 1, not 0".into()));
        assert_eq!(evaluate(Some(0), &FAILED), Evaluated::Otherwise("exit status 0, not 1".into()));
        assert!(matches!(evaluate(Some(5), &Ending::Passed), Evaluated::Otherwise(_)), "it left something behind");
        assert!(matches!(evaluate(None, &Ending::Passed), Evaluated::Otherwise(_)));
    }

    #[test]
    fn what_says_nothing_about_the_system_is_no_verdict() {
        for status in [3, 4] {
            assert_eq!(evaluate(Some(status), &Ending::Passed), Evaluated::NoVerdict(status));
            assert_eq!(evaluate(Some(status), &FAILED), Evaluated::NoVerdict(status));
        }
    }

    #[test]
    fn a_failure_is_one_for_its_reason_only_if_its_record_says_so() {
        let record = r#"{"reasons":["takes writes: db-a, db-b", "column \"a\" is gone"]}"#;
        assert_eq!(reason(&by("takes writes: db-a, db-b"), record), Some(Ok("takes writes: db-a, db-b".into())));
        assert_eq!(reason(&by("column \"a\" is gone"), record), Some(Ok("column \"a\" is gone".into())));
        assert!(reason(&by("the RTO target was missed"), record).is_some_and(|seen| seen.is_err()));
        assert!(reason(&FAILED, record).is_some_and(|seen| seen.is_err()), "nothing is to be shown");
        assert_eq!(reason(&Ending::Passed, record), None);
    }

    #[test]
    fn the_evidence_is_where_the_drill_says() {
        assert_eq!(evidence("evidence: runs/a\nmore\nevidence: runs/b\n"), Some("runs/b"));
        assert_eq!(evidence("no evidence: none\n"), None);
    }
}
