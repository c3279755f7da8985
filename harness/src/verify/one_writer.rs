//! Exactly one of a database's servers takes writes.

use super::{Answer, Ask, Evaluation, Examiner, Turn};
use crate::{scenario::check::OneWriterCheck, world::Result};

/// What the servers of a database say.
pub(super) struct Writers {
    /// Those that take writes.
    pub takes: Vec<String>,
    /// Those that answer, and take none.
    pub takes_none: Vec<String>,
    /// Those that do not answer, with the reason.
    pub silent: Vec<(String, String)>,
}

/// Asks every server of a database.
pub(super) async fn writers(examiner: &Examiner, database: &str) -> Result<Writers> {
    let mut writers = Writers { takes: Vec::new(), takes_none: Vec::new(), silent: Vec::new() };
    for (node, answer) in examiner.asker().writers(database).await? {
        match answer {
            Ok(true) => writers.takes.push(node),
            Ok(false) => writers.takes_none.push(node),
            Err(error) => {
                writers.silent.push((node, error.happened.lines().next().unwrap_or_default().to_owned()));
            }
        }
    }
    Ok(writers)
}

#[async_trait::async_trait]
impl Ask for OneWriterCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let writers = writers(examiner, &self.database).await?;
        let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let silent: Vec<String> = writers.silent.iter().map(|(node, why)| format!("{node} ({why})")).collect();
        let detail = format!(
            "takes writes: {}; takes none: {}; silent: {}",
            listed(&writers.takes),
            listed(&writers.takes_none),
            listed(&silent)
        );
        let deviations = deviations(&writers, &examiner.down);
        Ok(Evaluation { deviations, raw: detail.clone(), detail }.into())
    }
}

/// More or fewer than one that takes writes; and every server that should answer and does not, since it might be another.
/// What the drill left down or paused cannot write, and may be silent.
fn deviations(writers: &Writers, down: &[String]) -> u64 {
    let unheard = writers.silent.iter().filter(|(node, _)| !down.contains(node)).count();
    (writers.takes.len().abs_diff(1) + unheard) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_should_answer_and_does_not_may_be_a_second_writer() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let writers = |takes: &[&str], silent: &[&str]| Writers {
            takes: names(takes),
            takes_none: Vec::new(),
            silent: names(silent).into_iter().map(|node| (node, "no answer".to_owned())).collect(),
        };
        assert_eq!(deviations(&writers(&["db-a"], &[]), &[]), 0);
        assert_eq!(deviations(&writers(&["db-a"], &["db-b"]), &names(&["db-b"])), 0);
        assert_eq!(deviations(&writers(&["db-a"], &["db-b"]), &[]), 1);
        assert_eq!(deviations(&writers(&["db-a", "db-b"], &[]), &[]), 1);
        assert_eq!(deviations(&writers(&[], &[]), &[]), 1);
    }
}
