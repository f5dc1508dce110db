//! A connection that prepares each statement once, and transactions on it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::Error;
use super::bound::Bound;
use super::measure::{ConnectionState, Counted, Operation, measured};
use super::owed::Owed;

/// A statement's parameters.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Statements by the address of their text: SQL lives in `include_str!`, so the same file is the same address.
#[derive(Debug, Default, Clone)]
struct Statements(Arc<Mutex<HashMap<usize, (Statement, Operation)>>>);

impl Statements {
    async fn prepare(&self, client: &impl Prepare, sql: &'static str) -> Result<(Statement, Operation), Error> {
        let key = sql.as_ptr() as usize;
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let known = (client.prepare(sql).await?, Operation::of(sql));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, known.clone());
        Ok(known)
    }
}

trait Prepare {
    fn prepare(&self, sql: &str) -> impl Future<Output = Result<Statement, tokio_postgres::Error>> + Send;
}

impl Prepare for Client {
    async fn prepare(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        Client::prepare(self, sql).await
    }
}

impl Prepare for tokio_postgres::Transaction<'_> {
    async fn prepare(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        tokio_postgres::Transaction::prepare(self, sql).await
    }
}

/// One connection. Its driver task ends with it.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    statements: Statements,
    counted: Counted,
    bound: Bound,
    owed: Owed,
}

/// What runs statements: a connection on its own, or inside a transaction. Store functions take either.
pub trait Execute: Sync {
    /// Runs a statement and returns its rows.
    fn query(&self, sql: &'static str, params: Params<'_>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// Runs a statement that returns at most one row.
    fn query_opt(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send;

    /// Runs a statement that returns exactly one row.
    fn query_one(&self, sql: &'static str, params: Params<'_>) -> impl Future<Output = Result<Row, Error>> + Send;

    /// Runs a statement and returns how many rows it touched.
    fn execute(&self, sql: &'static str, params: Params<'_>) -> impl Future<Output = Result<u64, Error>> + Send;
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            statements: Statements::default(),
            counted: Counted::dedicated(),
            bound: Bound::default(),
            owed: Owed::default(),
        }
    }

    /// The same, counted as a pool's.
    pub(super) fn pooled(self) -> Self {
        Self { counted: Counted::pooled(), ..self }
    }

    /// Says whether somebody has it out of its pool.
    pub(super) fn becomes(&mut self, state: ConnectionState) {
        self.counted.becomes(state);
    }

    /// Begins a transaction; dropping it rolls back. Each of its statements may take what is left of the call now.
    ///
    /// # Errors
    /// Where the call's time is up, or the database does not answer.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let setting = self.bound.setting_local()?;
        let inner = self.owed.until_answered(self.client.transaction()).await?;
        if let Some(setting) = setting {
            // Polled once, it is on its way, ahead of whatever is sent next. Where it fails, so does the transaction.
            let _sent = inner.batch_execute(&setting).now_or_never();
        }
        Ok(Transaction { inner, statements: self.statements.clone(), owed: self.owed.clone() })
    }

    /// Whether statements run on it that nobody waits for.
    pub(super) fn is_owed_answers(&self) -> bool {
        self.owed.is_any()
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The connection underneath, for what has no statement of its own.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// A transaction; dropping it rolls back.
pub struct Transaction<'a> {
    inner: tokio_postgres::Transaction<'a>,
    statements: Statements,
    owed: Owed,
}

impl Transaction<'_> {
    /// Makes it durable.
    ///
    /// # Errors
    /// Where the database refuses; or does not answer, and then nobody knows.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { inner, owed, .. } = self;
        owed.until_answered(measured(Operation::Commit, "COMMIT", inner.commit())).await
    }

    pub(super) fn raw(&self) -> &tokio_postgres::Transaction<'_> {
        &self.inner
    }

    /// Runs statements without parameters, several in one text.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn batch_execute(&self, sql: &str) -> Result<(), Error> {
        Ok(self.owed.until_answered(self.inner.batch_execute(sql)).await?)
    }
}

/// The verbs, each by the driver's own: prepared once, measured, bound by the call, and owed until it is answered.
/// Boxed: many are awaited in one function, and an allocation is nothing to a round trip.
macro_rules! execute_over {
    ($target:ty, $field:ident, $bound:ident) => {
        impl Execute for $target {
            async fn query(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, Error> {
                let run = async {
                    let (statement, operation) = self.statements.prepare(&self.$field, sql).await?;
                    measured(operation, sql, self.$field.query(&statement, params)).await
                };
                Box::pin(self.owed.until_answered($bound(self, run))).await
            }

            async fn query_opt(&self, sql: &'static str, params: Params<'_>) -> Result<Option<Row>, Error> {
                let run = async {
                    let (statement, operation) = self.statements.prepare(&self.$field, sql).await?;
                    measured(operation, sql, self.$field.query_opt(&statement, params)).await
                };
                Box::pin(self.owed.until_answered($bound(self, run))).await
            }

            async fn query_one(&self, sql: &'static str, params: Params<'_>) -> Result<Row, Error> {
                let run = async {
                    let (statement, operation) = self.statements.prepare(&self.$field, sql).await?;
                    measured(operation, sql, self.$field.query_one(&statement, params)).await
                };
                Box::pin(self.owed.until_answered($bound(self, run))).await
            }

            async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, Error> {
                let run = async {
                    let (statement, operation) = self.statements.prepare(&self.$field, sql).await?;
                    measured(operation, sql, self.$field.execute(&statement, params)).await
                };
                Box::pin(self.owed.until_answered($bound(self, run))).await
            }
        }
    };
}

async fn in_call<T>(on: &Connection, run: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    on.bound.following_call(&on.client, run).await
}

/// A transaction's statements have what its beginning was given.
async fn in_transaction<T>(_: &Transaction<'_>, run: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    run.await
}

execute_over!(Connection, client, in_call);
execute_over!(Transaction<'_>, inner, in_transaction);
