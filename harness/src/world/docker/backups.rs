//! Backups and restores: the system's own commands, and what they print.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use bollard::Docker;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{
    DockerWorld,
    exec::{Running, last_json},
};
use crate::world::{Backups, CommandOutput, Commands, HalfDone, Point, Result, Taken, WorldError, WorldErrorKind};

/// What a command that takes a backup must print, as the last line that is JSON.
#[derive(Debug, Deserialize)]
struct Printed {
    label: String,
    bytes: u64,
}

#[async_trait]
impl Backups for DockerWorld {
    async fn back_up(&self, id: &str, node: &str, command: &[String], within: Duration) -> Result<Taken> {
        let doing = format!("take backup {id} on {node}");
        let output = self.run(node, command, within).await?.success(&doing)?;
        let Printed { label, bytes } = last_json(&output).ok_or_else(|| {
            let happened = format!("it printed no line of JSON with `label` and `bytes`: {output}");
            WorldError::new(WorldErrorKind::Answered, &doing, happened)
        })?;
        Ok(Taken { id: id.to_owned(), label, bytes, disks: BTreeMap::new() })
    }

    async fn begin_back_up(&self, id: &str, node: &str, command: &[String], within: Duration) -> Result<HalfDone> {
        self.begin(node, &format!("take backup {id} on {node}"), command, within).await
    }

    async fn begin_restore(&self, node: &str, command: &[String], within: Duration) -> Result<HalfDone> {
        self.sql.forget(node);
        self.begin(node, &format!("restore {node}"), command, within).await
    }

    async fn restore(
        &self,
        node: &str,
        _: &Taken,
        _: &Point,
        command: &[String],
        within: Duration,
    ) -> Result<CommandOutput> {
        // The server is another one afterwards, whatever its address.
        self.sql.forget(node);
        let output = self.run(node, command, within).await;
        self.sql.forget(node);
        output
    }
}

/// What a command prints that stands still half-way.
#[derive(Debug, Deserialize)]
struct HalfWay {
    half_way: String,
}

impl DockerWorld {
    /// Runs a command until it stands still.
    async fn begin(&self, node: &str, doing: &str, command: &[String], within: Duration) -> Result<HalfDone> {
        let deadline = Instant::now() + within;
        let late = move |doing: &str| {
            WorldError::new(WorldErrorKind::TimedOut, doing, format!("it took longer than {within:?}"))
        };
        let doing = self.redact(doing);
        let container = self.run.container(node);
        let begun = timeout_at(deadline, until_half_way(&self.docker, &container, &doing, command)).await;
        let begun = begun.map_err(|_| late(&doing))?;
        let (mut running, seen) = begun.map_err(|error| error.told_as(|happened| self.redact(happened)))?;
        let rest = async move {
            running.send_line().await;
            let to_end = async {
                while running.hear().await? {}
                running.ended().await
            };
            timeout_at(deadline, to_end).await.map_err(|_| late(&doing))?
        };
        Ok(HalfDone { seen: self.redact(&seen), rest: Box::pin(rest) })
    }
}

async fn until_half_way(
    docker: &Docker,
    container: &str,
    doing: &str,
    command: &[String],
) -> Result<(Running, String)> {
    let mut running = Running::start(docker, container, doing, command, true).await?;
    while running.hear().await? {
        if let Some(HalfWay { half_way }) = last_json(&running.printed()) {
            return Ok((running, half_way));
        }
    }
    let CommandOutput { status, output } = running.ended().await?;
    let happened = format!("it ended before it stood still half-way: exit status {status}: {}", output.trim());
    Err(WorldError::new(WorldErrorKind::WithoutEffect, doing, happened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_json_counts() {
        let printed = "WARN: something\n{\"command\":\"backup\",\"label\":\"20261122F\",\"bytes\":12}\n";
        let printed: Printed = last_json(printed).unwrap();
        assert_eq!((printed.label.as_str(), printed.bytes), ("20261122F", 12));
        assert!(last_json::<Printed>("{\"label\":\"without a size\"}").is_none());
        assert!(last_json::<Printed>("").is_none());
    }
}
