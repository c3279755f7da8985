//! Questions that change nothing, asked through the relay.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::error::SqlState;

use super::{
    DockerWorld,
    errors::chain,
    reading::read,
    sql::{Connection, MOST_ANSWERED, Trouble, too_late, too_much, words},
};
use crate::{
    scenario::system::Property,
    world::{CommandOutput, ModelAnswer, Questions, Result, Rows, SqlTarget, WorldError, WorldErrorKind, WriteAttempt},
};

/// Whether a server's refusal says that this role may not write here. Anything else proves nothing: a table that is
/// not there, a wrong password, a server that is only starting.
fn says_no_to_writes(code: &SqlState) -> bool {
    [
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
    ]
    .contains(code)
}

fn evaluate_refusal(trouble: Trouble, doing: &str) -> Result<WriteAttempt> {
    let refusal = match &trouble {
        Trouble::Theirs(error) => error.as_db_error().filter(|said| says_no_to_writes(said.code())).map(words),
        Trouble::Ours(_) => None,
    };
    refusal.map(WriteAttempt::Refused).ok_or_else(|| trouble.explain(doing))
}

impl DockerWorld {
    async fn try_to_write(
        &self,
        target: &SqlTarget,
        user: &str,
        statement: &str,
        within: Duration,
    ) -> std::result::Result<(), Trouble> {
        let mut connection = Connection::open(self, target, user).await?;
        connection.bound(within).await?;
        connection.client.batch_execute("BEGIN").await?;
        connection.client.simple_query(statement).await?;
        // The connection goes with everything that it did, whether or not this is heard.
        connection.client.batch_execute("ROLLBACK").await?;
        Ok(())
    }
}

/// Status and body; no body where there is too much of it.
async fn get_over_http(
    client: &reqwest::Client,
    url: &str,
) -> std::result::Result<(u16, Option<String>), reqwest::Error> {
    let mut response = client.get(url).send().await?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > MOST_ANSWERED {
            return Ok((status, None));
        }
    }
    Ok((status, Some(String::from_utf8_lossy(&body).into_owned())))
}

#[async_trait]
impl Questions for DockerWorld {
    async fn query(&self, target: &SqlTarget, query: &str, within: Duration) -> Result<Rows> {
        let rows = self.ask(target, query, within).await?;
        let redacted = |cell: Option<String>| cell.map(|text| self.redact(&text));
        Ok(rows.into_iter().map(|row| row.into_iter().map(redacted).collect()).collect())
    }

    async fn read(&self, node: &str, command: &[String], within: Duration) -> Result<CommandOutput> {
        let doing = self.redact(&format!("ask node {node} by `{}`", command.join(" ")));
        let mut answer = read(&self.docker, &self.run.container(node), &doing, command, within).await?;
        answer.output = self.redact(&answer.output);
        Ok(answer)
    }

    async fn get(&self, node: &str, port: u16, path: &str, within: Duration) -> Result<(u16, String)> {
        let doing = format!("get {path} from {node}:{port}");
        let relayed = self.relayed(node, port, &doing)?;
        let url = format!("http://127.0.0.1:{relayed}{path}");
        match timeout_at(Instant::now() + within, get_over_http(&self.fresh_http, &url)).await {
            Ok(Ok((status, Some(body)))) => Ok((status, self.redact(&body))),
            Ok(Ok((_, None))) => Err(too_much(&doing)),
            Ok(Err(error)) => {
                Err(WorldError::new(WorldErrorKind::Other, doing, chain(&error)).caused_by(error.without_url()))
            }
            Err(_) => Err(too_late(&doing, within)),
        }
    }

    async fn attempt_write(
        &self,
        target: &SqlTarget,
        user: &str,
        statement: &str,
        within: Duration,
    ) -> Result<WriteAttempt> {
        let doing = format!("try to write as {user} to database {} on {}", target.database, target.node);
        match timeout(within, self.try_to_write(target, user, statement, within)).await {
            Ok(Ok(())) => Ok(WriteAttempt::Accepted),
            Ok(Err(trouble)) => evaluate_refusal(trouble, &doing),
            Err(_) => Err(too_late(&doing, within)),
        }
    }

    fn model(&self, _: Property) -> Option<ModelAnswer> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_to_write_proves_anything() {
        assert!(says_no_to_writes(&SqlState::from_code("25006")));
        assert!(says_no_to_writes(&SqlState::from_code("42501")));
        assert!(says_no_to_writes(&SqlState::from_code("28000")));
        for unclear in ["28P01", "42P01", "57P03", "53300", "XX000"] {
            assert!(!says_no_to_writes(&SqlState::from_code(unclear)), "{unclear}");
        }
    }
}
