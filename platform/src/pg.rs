//! PostgreSQL: connections that remember their prepared statements, the pool, transactions, migrations, and a
//! private server for development.

mod bound;
pub mod cluster;
mod connection;
pub mod measure;
pub mod migrate;
mod owed;
mod pool;
#[cfg(feature = "testing")]
pub mod testing;
mod url;

use std::time::Duration;

pub use connection::{Connection, Execute, Params, Transaction};
pub use pool::{CONNECTIONS_MAX_DEFAULT, Pool, PooledConnection, connect, pool};
pub use url::without_password;

/// When to call again where there was no connection.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database URL is not one: {0}")]
    Url(tokio_postgres::Error),
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    #[error("no database connection became free in time")]
    PoolTimeout,
    #[error("the call's time was up before the database was asked")]
    Late,
    #[error("the database refused: {}", describe(.0))]
    Statement(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Migration(#[from] migrate::MigrationError),
}

impl Error {
    /// The SQLSTATE, where the database answered at all.
    pub fn sql_state(&self) -> Option<&tokio_postgres::error::SqlState> {
        match self {
            Self::Statement(error) => error.code(),
            Self::Url(_) | Self::Unreachable(_) | Self::PoolTimeout | Self::Late | Self::Migration(_) => None,
        }
    }

    /// Whether the connection was lost, so that nobody knows if a commit under way took effect.
    pub fn is_connection_lost(&self) -> bool {
        use tokio_postgres::error::SqlState;
        match self {
            Self::Unreachable(_) | Self::PoolTimeout => true,
            Self::Statement(error) => {
                error.is_closed()
                    || match error.code() {
                        None => true,
                        Some(state) => {
                            *state == SqlState::ADMIN_SHUTDOWN
                                || *state == SqlState::CRASH_SHUTDOWN
                                || *state == SqlState::CANNOT_CONNECT_NOW
                                || matches!(state.code(), "25P03" | "57P05") // a session that idled too long
                            || state.code().starts_with("08")
                        }
                    }
            }
            Self::Url(_) | Self::Late | Self::Migration(_) => false,
        }
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

impl From<Error> for crate::status::Refusal {
    /// The cause is logged here, once; the caller is told only whether trying again helps.
    fn from(error: Error) -> Self {
        use holdfast_contracts::common::v1::Reason;
        if matches!(error, Error::PoolTimeout) {
            tracing::debug!(%error, "database overloaded");
            return Self::new(Reason::Overloaded, "more calls need the database than it can serve in good time")
                .retry_after(RETRY_AFTER);
        }
        if error.is_connection_lost() {
            tracing::warn!(%error, "database unreachable");
            return Self::new(Reason::Unavailable, "the database cannot be reached: repeat the call with the same id")
                .retry_after(RETRY_AFTER);
        }
        let is_cancelled = error.sql_state() == Some(&tokio_postgres::error::SqlState::QUERY_CANCELED);
        if is_cancelled || matches!(error, Error::Late) {
            tracing::debug!(%error, "a statement's time ran out");
            return Self::new(Reason::DeadlineExceeded, "the call's time ran out in the database");
        }
        tracing::error!(%error, "database error");
        Self::new(Reason::Internal, "something went wrong on our side")
    }
}
