//! Connections to databases, through the relay. One is kept for each node, database and role, and dropped on any error:
//! a kept connection only saves time, it never stands for a server's health.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::TryStreamExt;
use tokio::{
    task::AbortHandle,
    time::{Instant, timeout_at},
};
use tokio_postgres::{
    Client, Config, Error, NoTls, SimpleQueryMessage, SimpleQueryRow, config::SslMode, error::SqlState,
};

use super::{DockerWorld, errors::chain};
use crate::world::{Result, Rows, SqlTarget, WorldError, WorldErrorKind};

/// The name by which servers know us.
const APPLICATION: &str = "blackstart";
/// What a row and a cell take beside their text.
const ROW_BYTES: usize = size_of::<Option<String>>();

/// Who asks what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    node: String,
    port: u16,
    database: String,
    user: String,
}

impl From<&SqlTarget> for Key {
    fn from(target: &SqlTarget) -> Self {
        Self {
            node: target.node.clone(),
            port: target.access.port,
            database: target.database.clone(),
            user: target.access.user.clone(),
        }
    }
}

/// Connections that nobody uses at this moment.
#[derive(Default)]
pub(super) struct Connections(Mutex<HashMap<Key, Connection>>);

impl Connections {
    /// Drops what is kept for a node.
    pub(super) fn forget(&self, node: &str) {
        self.kept().retain(|key, _| key.node != node);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection and the task that drives it.
pub(super) struct Connection {
    pub(super) client: Client,
    driver: AbortHandle,
    statement_timeout: Option<Duration>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects.
    pub(super) async fn open(
        world: &DockerWorld,
        target: &SqlTarget,
        user: &str,
    ) -> std::result::Result<Self, Trouble> {
        let doing = format!("connect to database {} on {}", target.database, target.node);
        let port = world.relayed(&target.node, target.access.port, &doing).map_err(Trouble::Ours)?;
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(port)
            .user(user)
            .password(&world.password)
            .dbname(&target.database)
            .application_name(APPLICATION)
            .ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await?;
        let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { client, driver, statement_timeout: None })
    }

    /// Lets the server itself end what takes too long.
    pub(super) async fn bound(&mut self, within: Duration) -> std::result::Result<(), Error> {
        if self.statement_timeout != Some(within) {
            let ms = within.as_millis().max(1);
            self.client.batch_execute(&format!("SET statement_timeout = {ms}")).await?;
            self.statement_timeout = Some(within);
        }
        Ok(())
    }

    async fn rows(&mut self, query: &str, within: Duration) -> std::result::Result<Rows, Trouble> {
        self.bound(within).await?;
        self.read(query, |row| (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()).await
    }

    /// Reads an answer row by row, as far as one may go: a server may send rows without end.
    pub(super) async fn read<T>(
        &self,
        query: &str,
        mut take: impl FnMut(&SimpleQueryRow) -> T,
    ) -> std::result::Result<Vec<T>, Trouble> {
        let mut messages = pin!(self.client.simple_query_raw(&read_only(query)).await?);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(message) = messages.try_next().await? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            bytes +=
                ROW_BYTES + (0..row.len()).map(|column| row.get(column).map_or(0, str::len) + ROW_BYTES).sum::<usize>();
            if bytes > MOST_ANSWERED {
                return Err(Trouble::Ours(too_much("read what a database answers")));
            }
            rows.push(take(&row));
        }
        Ok(rows)
    }
}

/// A query in a read-only transaction of its own. The session's default is left alone: whether a server is open for
/// writes is one of the things that it is asked.
pub(super) fn read_only(query: &str) -> String {
    format!("BEGIN READ ONLY; {query}\n; COMMIT")
}

/// What went wrong with a question.
pub(super) enum Trouble {
    /// The server or the way to it.
    Theirs(Error),
    /// Something of ours.
    Ours(WorldError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Theirs(error)
    }
}

impl Trouble {
    /// Whether the connection failed, rather than the server saying no.
    fn is_broken_connection(&self) -> bool {
        matches!(self, Self::Theirs(error) if error.as_db_error().is_none())
    }

    pub(super) fn explain(self, doing: &str) -> WorldError {
        let error = match self {
            Self::Ours(error) => return error,
            Self::Theirs(error) => error,
        };
        let (kind, happened) = match error.as_db_error() {
            Some(said) if *said.code() == SqlState::QUERY_CANCELED => (WorldErrorKind::TimedOut, words(said)),
            Some(said) => (WorldErrorKind::Answered, words(said)),
            None => (WorldErrorKind::Other, chain(&error)),
        };
        WorldError::new(kind, doing, happened).caused_by(error)
    }
}

/// A server's own words with their code.
pub(super) fn words(said: &tokio_postgres::error::DbError) -> String {
    format!("{} ({})", said.message(), said.code().code())
}

/// The most bytes of an answer. Half an answer would tell of rows that are not there, so more of it is an error.
pub(super) const MOST_ANSWERED: usize = 256 * 1024 * 1024;

/// An answer that is too large.
pub(super) fn too_much(doing: &str) -> WorldError {
    let happened = format!("the answer has more than {} MiB; ask for less", MOST_ANSWERED / 1024 / 1024);
    WorldError::new(WorldErrorKind::Answered, doing, happened)
}

/// A deadline that passed.
pub(super) fn too_late(doing: &str, within: Duration) -> WorldError {
    WorldError::new(WorldErrorKind::TimedOut, doing, format!("no answer within {within:?}"))
}

impl DockerWorld {
    /// Asks for rows: on the kept connection where there is one, and once more on a fresh one where that fails.
    pub(super) async fn ask(&self, target: &SqlTarget, query: &str, within: Duration) -> Result<Rows> {
        let doing = format!("ask database {} on {}", target.database, target.node);
        let deadline = Instant::now() + within;
        match timeout_at(deadline, self.ask_kept_or_fresh(target, query, within)).await {
            Ok(answer) => answer.map_err(|trouble| trouble.explain(&doing)),
            Err(_) => Err(too_late(&doing, within)),
        }
    }

    async fn ask_kept_or_fresh(
        &self,
        target: &SqlTarget,
        query: &str,
        within: Duration,
    ) -> std::result::Result<Rows, Trouble> {
        let key = Key::from(target);
        let kept = self.sql.kept().remove(&key);
        if let Some(mut connection) = kept {
            match connection.rows(query, within).await {
                Err(trouble) if trouble.is_broken_connection() => {}
                Err(trouble) => return Err(trouble),
                Ok(rows) => {
                    self.sql.kept().insert(key, connection);
                    return Ok(rows);
                }
            }
        }
        let mut connection = Connection::open(self, target, &target.access.user).await?;
        let rows = connection.rows(query, within).await?;
        self.sql.kept().insert(key, connection);
        Ok(rows)
    }
}
