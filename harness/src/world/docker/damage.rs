//! Damage to data: a volume is emptied, a change is committed.

use std::time::Duration;

use async_trait::async_trait;
use bollard::{
    models::{ContainerCreateBody, HostConfig},
    query_parameters::StartContainerOptions,
};
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use super::{
    DockerWorld,
    errors::Doing,
    exec::{exec, last_json},
    limits,
    nodes::volume_mount,
    sql::{Connection, Trouble, too_late},
};
use crate::world::{
    Commands, Corrupted, Damage, Moment, NodeState, Power, Result, SqlTarget, Taken, WorldError, WorldErrorKind,
};

/// How long the removal of everything on a volume may take.
const WIPE_WITHIN: Duration = Duration::from_secs(30);

/// Counts, removes, and counts again.
const WIPE: &str = "find /volume -mindepth 1 -type f | wc -l; find /volume -mindepth 1 -delete; \
                    find /volume -mindepth 1 | wc -l";

#[async_trait]
impl Damage for DockerWorld {
    async fn wipe(&self, node: &str) -> Result<(u64, u64)> {
        let doing = format!("empty the volume of {node}");
        if self.state(node).await? != NodeState::Down {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, "the node still runs"));
        }
        let command = ["sh", "-c", WIPE].map(str::to_owned);
        let done = exec(&self.docker, &self.run.wiper(node), &doing, &command, WIPE_WITHIN).await?;
        let output = done.success(&doing)?;
        read_counts(&output).ok_or_else(|| WorldError::new(WorldErrorKind::Answered, doing, output))
    }

    async fn corrupt(&self, node: &str, backup: &Taken, command: &[String], within: Duration) -> Result<Corrupted> {
        let doing = format!("corrupt backup {} on {node}", backup.id);
        let output = self.run(node, command, within).await?.success(&doing)?;
        last_json(&output).ok_or_else(|| {
            let happened = format!("it printed no line of JSON with `what`, `before` and `after`: {output}");
            WorldError::new(WorldErrorKind::Answered, doing, happened)
        })
    }

    async fn change(&self, target: &SqlTarget, user: &str, statement: &str, within: Duration) -> Result<(Moment, u64)> {
        let doing = format!("change database {} on {} as {user}", target.database, target.node);
        match timeout(within, self.commit_change(target, user, statement, within)).await {
            Ok(changed) => changed.map_err(|trouble| trouble.explain(&doing)),
            Err(_) => Err(too_late(&doing, within)),
        }
    }
}

impl DockerWorld {
    /// A container of ours that waits with nothing but the volume of a node. It is made beforehand: a disaster does not
    /// take as long as the start of a container.
    pub(super) async fn make_wiper(&self, node: &str) -> Result<()> {
        let doing = format!("make the wiper of {node}");
        let image = self.tools_image(&|_| {}).await?.tag.clone();
        let body = ContainerCreateBody {
            image: Some(image),
            labels: Some(self.run.labels("wiper", Some(node))),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(vec![volume_mount(self.run.volume(node), "/volume")]),
                // What lies there belongs to anybody.
                cap_add: Some(["DAC_OVERRIDE", "FOWNER"].map(str::to_owned).to_vec()),
                readonly_rootfs: Some(true),
                ..self.host_config(limits::OWN)
            }),
            ..Default::default()
        };
        let container = self.run.wiper(node);
        self.make_container(&container, body).await?;
        self.docker.start_container(&container, None::<StartContainerOptions>).await.doing(doing)
    }

    async fn commit_change(
        &self,
        target: &SqlTarget,
        user: &str,
        statement: &str,
        within: Duration,
    ) -> std::result::Result<(Moment, u64), Trouble> {
        let missing = |what: &str| {
            Trouble::Ours(WorldError::new(
                WorldErrorKind::NotFound,
                format!("ask {} for its moment", target.node),
                what,
            ))
        };
        let question = target.access.moment.as_deref();
        let question = question.ok_or_else(|| missing("the database declares no `moment`"))?;
        let mut connection = Connection::open(self, target, user).await?;
        connection.bound(within).await?;
        let answer = connection.client.simple_query(question).await?;
        let moment = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.len() == 2 => {
                Some(Moment { time: row.get(0)?.to_owned(), position: row.get(1)?.to_owned() })
            }
            _ => None,
        });
        let moment = moment.ok_or_else(|| missing("`moment` must give one row: a time and a position"))?;
        let changed = connection.client.simple_query(&format!("BEGIN; {statement}\n; COMMIT")).await?;
        let rows = changed.iter().map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => *rows,
            _ => 0,
        });
        Ok((moment, rows.sum()))
    }
}

/// The two numbers that the removal prints.
fn read_counts(output: &str) -> Option<(u64, u64)> {
    let mut numbers = output.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(before)), Some(Ok(after)), None) => Some((before, after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_and_nothing_else() {
        assert_eq!(read_counts("1432\n0\n"), Some((1432, 0)));
        assert_eq!(read_counts("1432\n"), None);
        assert_eq!(read_counts("1432\nfind: no\n0\n"), None);
    }
}
