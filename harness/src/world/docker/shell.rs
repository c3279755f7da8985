//! A shell that waits in a helper. Starting a command anew costs the engine some 50 ms, and more where several start at
//! once; a partition that takes 5 ms leaves less doubt about when it was put in place.

use std::{pin::Pin, time::Duration};

use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures_util::{Stream, StreamExt};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::errors::Doing;
use crate::world::{CommandOutput, Result, WorldError, WorldErrorKind};

/// What ends the output of a script. The status follows.
const END: &str = "\n--blackstart-end--";
const OUTPUT_BYTES: usize = 64 * 1024;

/// A shell in a container, one script at a time. After an error it is of no more use.
pub(super) struct Shell {
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: Pin<Box<dyn Stream<Item = std::result::Result<LogOutput, Error>> + Send>>,
}

impl Shell {
    /// Starts one as root.
    pub(super) async fn start(docker: &Docker, container: &str, doing: &str) -> Result<Self> {
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            user: Some("0".to_owned()),
            cmd: Some(vec!["sh".to_owned()]),
            ..Default::default()
        };
        let id = docker.create_exec(container, options).await.doing(doing)?.id;
        match docker.start_exec(&id, None::<StartExecOptions>).await.doing(doing)? {
            StartExecResults::Attached { output, input } => Ok(Self { input, output }),
            StartExecResults::Detached => Err(WorldError::new(WorldErrorKind::Other, doing, "the shell is detached")),
        }
    }

    /// Runs a script in a shell of its own below this one, so that nothing of it stays; it ends at the first error.
    pub(super) async fn run(&mut self, script: &str, within: Duration, doing: &str) -> Result<CommandOutput> {
        let late = || WorldError::new(WorldErrorKind::TimedOut, doing, format!("it took longer than {within:?}"));
        timeout(within, self.run_to_end(script, doing)).await.map_err(|_| late())?
    }

    async fn run_to_end(&mut self, script: &str, doing: &str) -> Result<CommandOutput> {
        let framed = frame(script);
        let written = async {
            self.input.write_all(framed.as_bytes()).await?;
            self.input.flush().await
        };
        written.await.map_err(Error::from).doing(doing)?;
        let mut said = Vec::new();
        while let Some(piece) = self.output.next().await {
            said.extend_from_slice(&piece.doing(doing)?.into_bytes());
            if let Some(output) = read_end(&said) {
                return Ok(output);
            }
            if said.len() > OUTPUT_BYTES {
                break;
            }
        }
        Err(WorldError::new(WorldErrorKind::Other, doing, "the helper's shell ended"))
    }
}

fn frame(script: &str) -> String {
    format!("( set -e\n{script}\n) </dev/null 2>&1; printf '\\n--blackstart-end-- %s\\n' $?\n")
}

/// What a script gave, once its end is there.
fn read_end(said: &[u8]) -> Option<CommandOutput> {
    let said = String::from_utf8_lossy(said);
    let (output, rest) = said.rsplit_once(END)?;
    let status = rest.strip_suffix('\n')?.trim().parse().ok()?;
    Some(CommandOutput { status, output: output.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_seen_once_it_is_whole() {
        assert_eq!(read_end(b"some\n--blackstart-end-- 1"), None, "more digits may follow");
        assert_eq!(read_end(b"some\n--blackst"), None);
        let whole = CommandOutput { status: 12, output: "some".to_owned() };
        assert_eq!(read_end(b"some\n--blackstart-end-- 12\n"), Some(whole));
    }
}
