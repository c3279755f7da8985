//! A command as a question: what it prints is its answer, whole or not at all.

use std::time::Duration;

use bollard::{Docker, container::LogOutput};
use tokio::time::timeout;

use super::{
    exec::Running,
    sql::{MOST_ANSWERED, too_late, too_much},
};
use crate::world::{CommandOutput, Result};

/// How much of what it prints beside its answer is kept, for when it fails.
const COMPLAINT_BYTES: usize = 4 * 1024;

/// What a command prints, and where it fails, what it complains of too.
///
/// # Errors
/// When it takes too long or prints too much: half an answer would tell of rows that are not there.
pub(super) async fn read(
    docker: &Docker,
    container: &str,
    doing: &str,
    command: &[String],
    within: Duration,
) -> Result<CommandOutput> {
    timeout(within, to_its_end(docker, container, doing, command))
        .await
        .unwrap_or_else(|_| Err(too_late(doing, within)))
}

async fn to_its_end(docker: &Docker, container: &str, doing: &str, command: &[String]) -> Result<CommandOutput> {
    let mut running = Running::start(docker, container, doing, command, false).await?;
    let (mut answer, mut complaint) = (Vec::new(), Vec::new());
    while let Some(piece) = running.next().await? {
        match piece {
            LogOutput::StdErr { message } => {
                complaint.extend_from_slice(&message);
                complaint.drain(..complaint.len().saturating_sub(COMPLAINT_BYTES));
            }
            piece => answer.extend_from_slice(&piece.into_bytes()),
        }
        if answer.len() > MOST_ANSWERED {
            return Err(too_much(doing));
        }
    }
    let status = running.ended().await?.status;
    if status != 0 {
        answer.extend_from_slice(&complaint);
    }
    Ok(CommandOutput { status, output: String::from_utf8_lossy(&answer).into_owned() })
}
