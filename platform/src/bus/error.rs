//! What stops reading or publishing events.

use super::{Group, Offset, Topic};
use crate::pg;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] pg::Error),
    #[error("nobody publishes topic {0}: `holdfast migrate` makes the services' schemas")]
    NoTopic(Topic),
    #[error("group {0} has no inbox: `holdfast migrate` makes the services' schemas")]
    NoInbox(Group),
    #[error("topic {topic} cannot be read as {message}: {problem}")]
    Contract { topic: Topic, message: String, problem: String },
    #[error("topic {topic} no longer has what follows {offset}")]
    Lost { topic: Topic, offset: Offset },
    /// Of a bus that is not PostgreSQL: its own words.
    #[error("the event broker: {0}")]
    Broker(String),
}

impl Error {
    /// Whether trying again later may help with nothing changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_transient(error),
            Self::Broker(_) => true,
            Self::NoTopic(_) | Self::NoInbox(_) | Self::Contract { .. } | Self::Lost { .. } => false,
        }
    }
}

/// Whether the same statement may succeed later.
pub(super) fn is_transient(error: &pg::Error) -> bool {
    error.is_connection_lost() || error.sql_state().is_some_and(is_rerun)
}

/// Deadlocks, serialization failures, locks not free in time: the same transaction may well succeed next time.
fn is_rerun(state: &tokio_postgres::error::SqlState) -> bool {
    use tokio_postgres::error::SqlState;
    *state == SqlState::T_R_DEADLOCK_DETECTED
        || *state == SqlState::T_R_SERIALIZATION_FAILURE
        || *state == SqlState::LOCK_NOT_AVAILABLE
        || *state == SqlState::QUERY_CANCELED
}
