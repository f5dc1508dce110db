//! A bounded pool of connections.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio_postgres::{Config, NoTls};

use super::bound::TIMEOUT_DEFAULT_MS;
use super::measure::{ConnectionState, PoolName};
use super::{Connection, Error};
use crate::task::spawn_joined;
use crate::telemetry::metrics::Metrics;

/// How many connections a service's pool opens where it says nothing else.
pub const CONNECTIONS_MAX_DEFAULT: u32 = 8;
/// How long a caller waits for a free connection.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may leave what was sent unacknowledged before it counts as gone.
const PEER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long opening one may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Every statement a service runs goes through a key. A plan that was made and kept while a table was still empty must
/// not scan it whole once it has grown.
const THROUGH_KEYS: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// A bounded pool; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool(bb8::Pool<Manager>);

impl Pool {
    /// A connection, as soon as one is free.
    ///
    /// # Errors
    /// Where none becomes free in time, or none can be opened.
    pub async fn get(&self) -> Result<bb8::PooledConnection<'_, Manager>, bb8::RunError<Error>> {
        waited(self.0.get()).await
    }

    /// The same, to be kept apart from the pool.
    ///
    /// # Errors
    /// As [`Pool::get`].
    pub async fn get_owned(&self) -> Result<PooledConnection, bb8::RunError<Error>> {
        waited(self.0.get_owned()).await
    }
}

/// Says how long a connection was waited for.
async fn waited<C>(free: impl Future<Output = Result<C, bb8::RunError<Error>>>) -> Result<C, bb8::RunError<Error>> {
    let metrics = Metrics::get();
    let began = Instant::now();
    let got = free.await;
    metrics.db_connection_waits.of((PoolName::Pooled,)).observe(began.elapsed());
    if matches!(got, Err(bb8::RunError::TimedOut)) {
        metrics.db_connection_timeouts.of((PoolName::Pooled,)).add(1);
    }
    got
}

/// How long a connection is silent before it is asked whether it is still there, how often then, and how many times.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// A connection out of the pool; goes back when dropped.
pub type PooledConnection = bb8::PooledConnection<'static, Manager>;

/// Parses a database URL, with our own timeouts where it gives none.
///
/// # Errors
/// Where it is not a URL of PostgreSQL's.
pub(crate) fn parse_url(url: &str) -> Result<Config, Error> {
    let mut config: Config = url.parse().map_err(Error::Url)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(PEER_TIMEOUT);
    }
    // Said in the URL or not, a peer that is gone without a word is noticed; sockets of the file system have none.
    config
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES);
    if config.get_application_name().is_none() {
        config.application_name("holdfast");
    }
    Ok(config)
}

/// Opens one connection outside any pool.
///
/// # Errors
/// Where the URL is not one, or the server cannot be reached.
pub async fn connect(url: &str) -> Result<Connection, Error> {
    open(&parse_url(url)?).await
}

/// A pool of at most `connections_max`; opens them as they are needed.
///
/// # Errors
/// Where the URL is not one.
pub async fn pool(url: &str, connections_max: u32) -> Result<Pool, Error> {
    let manager = Manager { config: parse_url(url)? };
    let pool = bb8::Pool::builder()
        .max_size(connections_max)
        .min_idle(Some(0))
        .test_on_check_out(true)
        .connection_timeout(CHECKOUT_TIMEOUT)
        .build(manager)
        .await?;
    Ok(Pool(pool))
}

async fn open(config: &Config) -> Result<Connection, Error> {
    // The driver bounds connecting the socket alone: a server that accepts and says nothing would hold us for ever.
    let per_host = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
    let timeout = per_host * u32::try_from(config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
    let opened = tokio::time::timeout(timeout, config.connect(NoTls)).await;
    let opened = opened.map_err(|_| Error::Unreachable(format!("no answer within {timeout:?}")))?;
    let (client, driver) = opened.map_err(|error| Error::Unreachable(super::describe(&error)))?;
    // The driver ends when the client is dropped or the server goes away: it needs no owner of its own.
    drop(spawn_joined(async move {
        if let Err(error) = driver.await {
            tracing::debug!(%error, "database connection ended");
        }
    }));
    Ok(Connection::new(client))
}

/// Tells the server to stop what it does on a connection that is given up.
fn cancel(connection: &Connection) {
    let token = connection.client().cancel_token();
    // Where that is not heard, the statement's own timeout ends it.
    drop(spawn_joined(async move {
        let cancelled = tokio::time::timeout(CONNECT_TIMEOUT, token.cancel_query(NoTls)).await;
        tracing::debug!(?cancelled, "a statement was given up");
    }));
}

/// Opens and checks the pool's connections.
#[derive(Debug)]
pub struct Manager {
    config: Config,
}

impl bb8::ManageConnection for Manager {
    type Connection = Connection;
    type Error = Error;

    async fn connect(&self) -> Result<Connection, Error> {
        let connection = open(&self.config).await?;
        let timeout = format!("SET statement_timeout = {TIMEOUT_DEFAULT_MS}");
        connection.client().batch_execute(&format!("{THROUGH_KEYS}; {timeout}")).await?;
        Ok(connection.pooled())
    }

    /// Costs no round trip: a connection whose server went away knows it, and one that is lost unnoticed would be lost
    /// just as well between a question and the statement.
    async fn is_valid(&self, connection: &mut Connection) -> Result<(), Error> {
        if connection.is_closed() {
            return Err(Error::Unreachable("the connection was closed while it was idle".to_owned()));
        }
        connection.becomes(ConnectionState::Used);
        Ok(())
    }

    /// Asked of every connection that comes back. One that still works for somebody who has gone is not kept: its
    /// statement is cancelled, which nobody else can be hit by.
    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.becomes(ConnectionState::Idle);
        let is_owed_answers = connection.is_owed_answers();
        if is_owed_answers && Handle::try_current().is_ok() {
            cancel(connection);
        }
        is_owed_answers || connection.is_closed()
    }
}

impl From<bb8::RunError<Error>> for Error {
    fn from(error: bb8::RunError<Error>) -> Self {
        match error {
            bb8::RunError::User(error) => error,
            bb8::RunError::TimedOut => Self::PoolTimeout,
        }
    }
}
