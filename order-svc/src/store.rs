//! Orders in Postgres: one function per statement, one statement per file.

mod order;

use holdfast_platform::pg::{self, Pool, PooledConnection};

use crate::domain::text_enum::UnknownWord;

pub(crate) use order::{
    Cursor, Due, claim_due_orders, claim_order, insert_order, list_customer_orders, list_orders, load_order,
    rebase_events, save_order,
};

/// Why an order could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{0}")]
    Database(#[from] pg::Error),
    /// A row that this build cannot have written.
    #[error("order row: {column}: {problem}")]
    Corrupt { column: &'static str, problem: String },
}

impl StoreError {
    fn word(column: &'static str) -> impl FnOnce(UnknownWord) -> Self {
        move |error| Self::Corrupt { column, problem: error.to_string() }
    }
}

/// A connection for one statement: never held across a call to anybody else.
pub(crate) async fn connection(pool: &Pool) -> Result<PooledConnection, StoreError> {
    Ok(pool.get_owned().await.map_err(pg::Error::from)?)
}
