//! The statements of an audit, all in one snapshot.

use holdfast_platform::pg::{Connection, Error, Execute as _, Transaction};
use tokio_postgres::Row;

use super::breach::{Breach, Breaches};
use super::report::{Orders, Stock};

/// Which services' schemas are there, and when the snapshot was taken.
#[derive(Debug)]
pub(super) struct Schemas {
    pub(super) inventory: bool,
    pub(super) orders: bool,
    /// RFC 3339, by the database's clock.
    pub(super) taken_at: String,
}

/// The database as it was at one moment.
pub(super) struct Snapshot<'a> {
    tx: Transaction<'a>,
}

impl<'a> Snapshot<'a> {
    pub(super) async fn begin(connection: &'a mut Connection) -> Result<Self, Error> {
        let tx = connection.transaction().await?;
        tx.batch_execute(include_str!("sql/begin_snapshot.sql")).await?;
        Ok(Self { tx })
    }

    pub(super) async fn load_schemas(&self) -> Result<Schemas, Error> {
        let row = self.tx.query_one(include_str!("sql/load_schemas.sql"), &[]).await?;
        Ok(Schemas { inventory: row.get("inventory"), orders: row.get("orders"), taken_at: row.get("taken_at") })
    }

    pub(super) async fn count_stock(&self) -> Result<Stock, Error> {
        let row = self.tx.query_one(include_str!("sql/count_stock.sql"), &[]).await?;
        Ok(Stock {
            levels: count(&row, "levels"),
            movements: count(&row, "movements"),
            reservation_lines: count(&row, "reservation_lines"),
        })
    }

    pub(super) async fn count_orders(&self) -> Result<Orders, Error> {
        let row = self.tx.query_one(include_str!("sql/count_orders.sql"), &[]).await?;
        Ok(Orders { total: count(&row, "total"), under_way: count(&row, "under_way"), watched: count(&row, "watched") })
    }

    /// Runs one of [`super::invariant::INVARIANTS`]' statements: they all answer the same columns, and on each row how
    /// many rows there are in all.
    pub(super) async fn load_breaches(&self, statement: &'static str, examples_max: usize) -> Result<Breaches, Error> {
        // One row at least, for its count.
        let rows_max = i64::try_from(examples_max.max(1)).unwrap_or(i64::MAX);
        let rows = self.tx.query(statement, &[&rows_max]).await?;
        let found = rows.first().map_or(0, |row| count(row, "breaches"));
        let examples = rows.iter().take(examples_max).map(|row| Breach {
            sku: row.get("sku"),
            location: row.get("location"),
            version: row.get("version"),
            reservation_id: row.get("reservation_id"),
            order_id: row.get("order_id"),
            what: row.get("what"),
        });
        Ok(Breaches { count: found, examples: examples.collect() })
    }
}

fn count(row: &Row, column: &str) -> u64 {
    u64::try_from(row.get::<_, i64>(column)).expect("a count is not negative")
}
