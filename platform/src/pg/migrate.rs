//! Migrations: each service's own schema, brought forward once, in order, by whoever comes first.

use tracing::info;

use super::{Connection, Error};

/// One shipped step; never changed after it shipped.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// `0001_init`: sorts in the order of application.
    pub name: &'static str,
    pub sql: &'static str,
}

/// Why a schema cannot be brought forward.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("schema {schema} has migration {name}, which this build does not know: it was written by a newer version")]
    FromTheFuture { schema: String, name: String },
    #[error("schema {schema}: migration {name} is not the one that was applied: a shipped migration was changed")]
    Changed { schema: String, name: String },
}

/// Serialises migrations over all processes: an arbitrary constant.
const LOCK_KEY: i64 = 0x0001_d0fa_5700;

/// Brings `schema` forward; returns how many steps were applied.
///
/// # Errors
/// Where the schema is from a newer build, a step was changed, or the database refuses one.
pub async fn migrate(connection: &mut Connection, schema: &str, migrations: &[Migration]) -> Result<usize, Error> {
    let tx = connection.transaction().await?;
    tx.batch_execute(&format!(
        "SELECT pg_advisory_xact_lock({LOCK_KEY});
         CREATE SCHEMA IF NOT EXISTS {schema};
         CREATE TABLE IF NOT EXISTS {schema}.schema_migration (
             name text PRIMARY KEY, md5 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
    ))
    .await?;
    let applied = tx.applied(schema).await?;
    for (name, _) in &applied {
        if !migrations.iter().any(|migration| migration.name == name) {
            return Err(MigrationError::FromTheFuture { schema: schema.into(), name: name.clone() }.into());
        }
    }
    let mut count = 0;
    for migration in migrations {
        let md5 = tx.md5(migration.sql).await?;
        match applied.iter().find(|(name, _)| name == migration.name) {
            Some((_, known)) if *known == md5 => {}
            Some((name, _)) => {
                return Err(MigrationError::Changed { schema: schema.into(), name: name.clone() }.into());
            }
            None => {
                tx.batch_execute(migration.sql).await?;
                tx.record(schema, migration.name, &md5).await?;
                info!(schema, migration = migration.name, "migration applied");
                count += 1;
            }
        }
    }
    tx.commit().await?;
    Ok(count)
}

impl super::Transaction<'_> {
    async fn applied(&self, schema: &str) -> Result<Vec<(String, String)>, Error> {
        let rows = self.raw().query(&format!("SELECT name, md5 FROM {schema}.schema_migration"), &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn md5(&self, text: &str) -> Result<String, Error> {
        Ok(self.raw().query_one("SELECT md5($1)", &[&text]).await?.get(0))
    }

    async fn record(&self, schema: &str, name: &str, md5: &str) -> Result<(), Error> {
        let sql = format!("INSERT INTO {schema}.schema_migration (name, md5) VALUES ($1, $2)");
        self.raw().execute(&sql, &[&name, &md5]).await?;
        Ok(())
    }
}
