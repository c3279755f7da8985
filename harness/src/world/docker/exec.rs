//! Commands in containers, with a deadline: the management path, which no fault touches.

use std::time::Duration;

use async_trait::async_trait;
use bollard::{
    Docker,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};

use super::{DockerWorld, errors::Doing};
use crate::world::{CommandOutput, Commands, Result, WorldError, WorldErrorKind};

/// How much of what a command prints is kept.
const OUTPUT_BYTES: usize = 64 * 1024;
/// How long after its last output the engine may take to tell a command's exit status.
const STATUS_POLL: Duration = Duration::from_millis(2);

/// Runs a command as root in a container. When the deadline passes it goes on running there, unheard.
pub(super) async fn exec(
    docker: &Docker,
    container: &str,
    doing: &str,
    command: &[String],
    within: Duration,
) -> Result<CommandOutput> {
    let deadline = Instant::now() + within;
    match timeout_at(deadline, exec_to_end(docker, container, doing, command)).await {
        Ok(result) => result,
        Err(_) => {
            let happened = format!("it took longer than {within:?}");
            Err(WorldError::new(WorldErrorKind::TimedOut, doing, happened))
        }
    }
}

async fn exec_to_end(docker: &Docker, container: &str, doing: &str, command: &[String]) -> Result<CommandOutput> {
    let options = CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        user: Some("0".to_owned()),
        cmd: Some(command.to_vec()),
        ..Default::default()
    };
    let id = docker.create_exec(container, options).await.doing(doing)?.id;
    let started = docker.start_exec(&id, None::<StartExecOptions>).await.doing(doing)?;
    let output = match started {
        StartExecResults::Attached { mut output, .. } => {
            let mut kept = Vec::new();
            while let Some(piece) = output.next().await {
                let piece = piece.doing(doing)?.into_bytes();
                let room = OUTPUT_BYTES - kept.len();
                kept.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            String::from_utf8_lossy(&kept).into_owned()
        }
        StartExecResults::Detached => String::new(),
    };
    Ok(CommandOutput { status: exit_status(docker, &id, doing).await?, output })
}

async fn exit_status(docker: &Docker, id: &str, doing: &str) -> Result<i64> {
    loop {
        let inspected = docker.inspect_exec(id).await.doing(doing)?;
        match inspected.exit_code {
            Some(status) if inspected.running != Some(true) => return Ok(status),
            _ => sleep(STATUS_POLL).await,
        }
    }
}

#[async_trait]
impl Commands for DockerWorld {
    async fn run(&self, node: &str, command: &[String], within: Duration) -> Result<CommandOutput> {
        let doing = format!("run `{}` on node {node}", command.join(" "));
        let container = self.run.container(node);
        let mut output = exec(&self.docker, &container, &self.redact(&doing), command, within).await?;
        output.output = self.redact(&output.output);
        Ok(output)
    }

    async fn operate(&self, _: &str, node: &str, command: &[String], within: Duration) -> Result<CommandOutput> {
        self.run(node, command, within).await
    }
}
