//! What the database costs: every statement's time, and where sampled its span; the pool's connections and waits.
//! In OpenTelemetry's names, semantic conventions 1.40.0.

use std::future::Future;
use std::time::Instant;

use tokio_postgres::error::SqlState;

use super::Error;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::span::Span;
use crate::telemetry::trace;

crate::label! {
    /// One value: everything here is PostgreSQL.
    pub enum DbSystem = "db.system.name" { Postgresql = "postgresql" }
}

crate::label! {
    /// What a statement does; one that begins with WITH, what it does to tables.
    pub enum Operation = "db.operation.name" {
        Select = "SELECT",
        Insert = "INSERT",
        Update = "UPDATE",
        Delete = "DELETE",
        Commit = "COMMIT",
    }
}

crate::label! {
    /// Why a statement did not do it.
    pub enum Failure = "error.type" {
        None = "",
        /// Nobody knows whether it took effect.
        ConnectionLost = "connection_lost",
        /// A statement or a lock took too long.
        Timeout = "timeout",
        /// Somebody else wrote first: decided again, a repetition or a deadlock.
        Conflict = "conflict",
        /// Nobody waits for it any more.
        Cancelled = "cancelled",
        Other = "other",
    }
}

crate::label! {
    /// Whose connections: the pools', or those that a lane or a health check keeps for itself.
    pub enum PoolName = "db.client.connection.pool.name" { Pooled = "pooled", Dedicated = "dedicated" }
}

crate::label! {
    pub enum ConnectionState = "db.client.connection.state" { Idle = "idle", Used = "used" }
}

/// A word of SQL that says what a statement does.
const VERBS: [(&str, Operation); 4] = [
    ("INSERT", Operation::Insert),
    ("UPDATE", Operation::Update),
    ("DELETE", Operation::Delete),
    ("SELECT", Operation::Select),
];

impl Operation {
    /// The first change a statement makes, or that it makes none. Cost: a pass over its text, once a connection.
    pub(super) fn of(sql: &str) -> Self {
        let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
        let words = code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        // `FOR UPDATE` locks what a SELECT reads.
        let mut before = "";
        for word in words.filter(|word| !word.is_empty()) {
            let found = VERBS.iter().find(|(verb, _)| word.eq_ignore_ascii_case(verb));
            if let Some((_, operation)) = found
                && *operation != Self::Select
                && !before.eq_ignore_ascii_case("for")
            {
                return *operation;
            }
            before = word;
        }
        Self::Select
    }

    fn name(self) -> &'static str {
        use crate::telemetry::label::Label as _;
        Self::words()[self.place()]
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        if matches!(error, Error::Late) {
            return Self::Timeout;
        }
        let Some(state) = error.sql_state() else {
            return if error.is_connection_lost() { Self::ConnectionLost } else { Self::Other };
        };
        if *state == SqlState::QUERY_CANCELED || *state == SqlState::LOCK_NOT_AVAILABLE {
            Self::Timeout
        } else if *state == SqlState::UNIQUE_VIOLATION || state.code().starts_with("40") || is_ours(state) {
            Self::Conflict
        } else if error.is_connection_lost() {
            Self::ConnectionLost
        } else {
            Self::Other
        }
    }

    fn name(self) -> &'static str {
        use crate::telemetry::label::Label as _;
        Self::words()[self.place()]
    }
}

/// Raised by our own functions where what a write was decided on is no longer so.
fn is_ours(state: &SqlState) -> bool {
    state.code().starts_with("HF")
}

/// Runs a statement, its text known, and says how long it took.
pub(super) async fn measured<T>(
    operation: Operation,
    sql: &'static str,
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    let mut span = Span::client(operation.name(), trace::current());
    span.set("db.system.name", "postgresql").set("db.operation.name", operation.name()).set("db.query.text", sql);
    let mut running = Running { operation, span, began: Instant::now(), failure: Failure::Cancelled };
    let ran = statement.await.map_err(Error::from);
    running.failure = ran.as_ref().err().map_or(Failure::None, Failure::of);
    ran
}

/// A statement under way: counted when it is dropped, answered or not.
struct Running {
    operation: Operation,
    span: Span,
    began: Instant,
    /// What it counts as if it ended now.
    failure: Failure,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.failure != Failure::None {
            self.span.fail(self.failure.name());
        }
        let series = Metrics::get().db_operations.of((DbSystem::Postgresql, self.operation, self.failure));
        series.observe_traced(self.began.elapsed(), self.span.trace_id());
    }
}

/// One connection, counted for as long as it is open.
#[derive(Debug)]
pub(super) struct Counted {
    pool: PoolName,
    state: ConnectionState,
}

impl Counted {
    /// Nobody's but its owner's.
    pub(super) fn dedicated() -> Self {
        Self::new(PoolName::Dedicated, ConnectionState::Used)
    }

    pub(super) fn pooled() -> Self {
        Self::new(PoolName::Pooled, ConnectionState::Idle)
    }

    fn new(pool: PoolName, state: ConnectionState) -> Self {
        let counted = Self { pool, state };
        counted.count(1);
        counted
    }

    pub(super) fn becomes(&mut self, state: ConnectionState) {
        self.count(-1);
        self.state = state;
        self.count(1);
    }

    fn count(&self, by: i64) {
        Metrics::get().db_connections.of((self.pool, self.state)).add(by);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_what_it_changes() {
        for (sql, expect) in [
            ("SELECT 1", Operation::Select),
            ("-- INSERT later\nselect * FROM t FOR UPDATE", Operation::Select),
            ("WITH a AS (SELECT 1), b AS (UPDATE t SET x = 1) INSERT INTO u SELECT 2", Operation::Update),
            ("DELETE FROM inserted_rows", Operation::Delete),
        ] {
            assert_eq!(Operation::of(sql), expect, "{sql}");
        }
    }
}
