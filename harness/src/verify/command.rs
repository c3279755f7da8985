//! A command and what it must print.

use super::{ASK_WITHIN, Examiner, Finding};
use crate::{scenario::system::CommandCheck, world::Result};

pub(super) async fn ask(examiner: &Examiner, check: &CommandCheck) -> Result<Finding> {
    let done = examiner.world.run(&check.on, &check.run, ASK_WITHIN).await?;
    let missing = check.contains.iter().find(|text| !done.output.contains(*text));
    let command = check.run.join(" ");
    let (deviations, detail) = match (done.status, missing) {
        (0, None) => (0, format!("{command} on {}: as it must be", check.on)),
        (0, Some(missing)) => (1, format!("{command} on {}: the output lacks `{missing}`", check.on)),
        (status, _) => (1, format!("{command} on {}: exit status {status}", check.on)),
    };
    Ok(Finding { deviations, detail, raw: done.output })
}
