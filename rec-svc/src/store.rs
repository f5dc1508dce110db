//! The log in Postgres: one function per statement.

pub(crate) mod event;

use holdfast_platform::pg::migrate::Migration;
use holdfast_platform::pg::{self, Error};

const SCHEMA: &str = "recs";

const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_init", sql: include_str!("../migrations/0001_init.sql") },
    Migration { name: "0002_inbox", sql: include_str!("../migrations/0002_inbox.sql") },
];

/// Brings the schema `recs` forward; returns how many steps were applied.
///
/// # Errors
/// Where the database cannot be reached, refuses, or was written by a newer build.
pub async fn migrate(database_url: &str) -> Result<usize, Error> {
    let mut connection = pg::connect(database_url).await?;
    let applied = pg::migrate::migrate(&mut connection, SCHEMA, MIGRATIONS).await?;
    event::rebase_log(&connection).await?;
    Ok(applied)
}
