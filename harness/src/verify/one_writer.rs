//! Exactly one of a database's servers takes writes.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Examiner, Finding};
use crate::{
    scenario::system::OneWriterCheck,
    world::{Result, SqlTarget},
};

/// How long a server may take to say whether it takes writes; one that is cut off or frozen never does.
const ASK_WITHIN: Duration = Duration::from_secs(1);

/// What the servers of a database say.
pub(super) struct Writers {
    /// Those that take writes.
    pub takes: Vec<String>,
    /// Those that answer, and take none.
    pub takes_none: Vec<String>,
    /// Those that do not answer, with the reason.
    pub silent: Vec<String>,
}

/// Asks every server of a database.
pub(super) async fn writers(examiner: &Examiner, database: &str) -> Result<Writers> {
    let access = examiner.access(database)?;
    let asked = join_all(access.nodes.iter().map(|node| async move {
        let target = SqlTarget { node: node.clone(), database: database.to_owned(), access: access.clone() };
        (node.clone(), examiner.world.is_writer(&target, ASK_WITHIN).await)
    }))
    .await;
    let mut writers = Writers { takes: Vec::new(), takes_none: Vec::new(), silent: Vec::new() };
    for (node, answer) in asked {
        match answer {
            Ok(true) => writers.takes.push(node),
            Ok(false) => writers.takes_none.push(node),
            Err(error) => {
                writers.silent.push(format!("{node} ({})", error.happened.lines().next().unwrap_or_default()))
            }
        }
    }
    Ok(writers)
}

pub(super) async fn ask(examiner: &Examiner, check: &OneWriterCheck) -> Result<Finding> {
    let writers = writers(examiner, &check.database).await?;
    let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let detail = format!(
        "takes writes: {}; takes none: {}; silent: {}",
        listed(&writers.takes),
        listed(&writers.takes_none),
        listed(&writers.silent)
    );
    let deviations = writers.takes.len().abs_diff(1) as u64;
    Ok(Finding { deviations, raw: detail.clone(), detail })
}
