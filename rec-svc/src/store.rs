//! The log in Postgres: one function per statement.

pub(crate) mod event;
pub(crate) mod experiment;

use holdfast_platform::pg::migrate::Migration;
use holdfast_platform::pg::{self, Error};

const SCHEMA: &str = "recs";

const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_init", sql: include_str!("../migrations/0001_init.sql") },
    Migration { name: "0002_inbox", sql: include_str!("../migrations/0002_inbox.sql") },
    Migration { name: "0003_experiments", sql: include_str!("../migrations/0003_experiments.sql") },
];

/// Brings the schema `recs` forward; returns how many steps were applied.
///
/// # Errors
/// Where the database cannot be reached, refuses, or was written by a newer build.
pub async fn migrate(database_url: &str) -> Result<usize, Error> {
    let mut connection = pg::connect(database_url).await?;
    let applied = pg::migrate::migrate(&mut connection, SCHEMA, MIGRATIONS).await?;
    let events_rebased = event::rebase_log(&connection).await?;
    experiment::rebase(&connection, events_rebased).await?;
    Ok(applied)
}
