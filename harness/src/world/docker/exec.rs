//! Commands in containers, with a deadline: the management path, which no fault touches.

use std::{pin::Pin, time::Duration};

use async_trait::async_trait;
use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, timeout_at},
};

use super::{DockerWorld, errors::Doing};
use crate::{
    scenario::system::ClusterChange,
    world::{CommandOutput, Commands, Result, WorldError, WorldErrorKind},
};

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

/// What a command printed as its last line of JSON of this form: before it, programs may warn of anything.
pub(super) fn last_json<T: DeserializeOwned>(output: &str) -> Option<T> {
    output.lines().rev().find_map(|line| serde_json::from_str(line.trim()).ok())
}

async fn exec_to_end(docker: &Docker, container: &str, doing: &str, command: &[String]) -> Result<CommandOutput> {
    let mut running = Running::start(docker, container, doing, command, false).await?;
    while running.hear().await? {}
    running.ended().await
}

/// A command that runs in a container, and what it has printed so far.
pub(super) struct Running {
    docker: Docker,
    id: String,
    doing: String,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: Pin<Box<dyn Stream<Item = std::result::Result<LogOutput, Error>> + Send>>,
    kept: Vec<u8>,
}

impl Running {
    /// Starts a command as root, which may be sent lines where it is to listen.
    pub(super) async fn start(
        docker: &Docker,
        container: &str,
        doing: &str,
        command: &[String],
        listens: bool,
    ) -> Result<Self> {
        let options = CreateExecOptions {
            attach_stdin: Some(listens),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            user: Some("0".to_owned()),
            cmd: Some(command.to_vec()),
            ..Default::default()
        };
        let id = docker.create_exec(container, options).await.doing(doing)?.id;
        let (docker, doing, kept) = (docker.clone(), doing.to_owned(), Vec::new());
        match docker.start_exec(&id, None::<StartExecOptions>).await.doing(&doing)? {
            StartExecResults::Attached { output, input } => Ok(Self { docker, id, doing, input, output, kept }),
            StartExecResults::Detached => Err(WorldError::new(WorldErrorKind::Other, doing, "the command is detached")),
        }
    }

    /// Waits until it prints something more; false once it prints nothing any more.
    pub(super) async fn hear(&mut self) -> Result<bool> {
        let Some(piece) = self.next().await? else { return Ok(false) };
        self.kept.extend_from_slice(&piece.into_bytes());
        // The last of it tells how it ended.
        self.kept.drain(..self.kept.len().saturating_sub(OUTPUT_BYTES));
        Ok(true)
    }

    /// The next that it prints, which is not kept; none once it prints nothing any more.
    pub(super) async fn next(&mut self) -> Result<Option<LogOutput>> {
        self.output.next().await.transpose().doing(&self.doing)
    }

    /// What it has printed so far.
    pub(super) fn printed(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }

    /// Sends it a line. Whoever has ended meanwhile hears nothing, and its status tells.
    pub(super) async fn send_line(&mut self) {
        if self.input.write_all(b"\n").await.is_ok() {
            let _ = self.input.flush().await;
        }
    }

    /// What came of it, once it prints nothing any more.
    pub(super) async fn ended(self) -> Result<CommandOutput> {
        let status = exit_status(&self.docker, &self.id, &self.doing).await?;
        Ok(CommandOutput { status, output: self.printed() })
    }
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

    async fn operate(
        &self,
        _: Option<ClusterChange>,
        node: &str,
        command: &[String],
        within: Duration,
    ) -> Result<CommandOutput> {
        self.run(node, command, within).await
    }
}
