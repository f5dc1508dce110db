//! A service's ledger, read from outside. Its schema offers three functions, and they are all that others know of it:
//!
//! - `published_events(after bigint[], events_max bigint)`: events after a place in a fixed order that keeps each
//!   key's, none that another could still slip in before. Columns `place bigint[]`, `key text`, `sequence bigint`,
//!   `occur_time timestamptz`, `traceparent text`, `schema_version integer`, `type text`, then the fields of that
//!   message, one type a topic ([`super::encode`]).
//! - `published_end()`: the place after all there is.
//! - `published_at(timestamptz)`: a place before all events of that time and later ones.
//!
//! A place is three numbers, `{0,0,0}` before the first event; what they mean is the owner's own business.

use std::time::SystemTime;

use holdfast_contracts::events::v1::Envelope;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::encode::Encoder;
use super::{Delivery, Error, Offset, Start, Topic, Undecodable};
use crate::pg::{self, Connection, Execute as _};

/// Where the message's own columns begin.
const PAYLOAD_FIRST: usize = 7;
/// What event ids are derived under. Part of the data: another one would make every event new.
const NAMESPACE: Uuid = Uuid::from_u128(0x3b1d_77a2_0c5e_4f0b_9a44_6e1f_58c2_d903);
/// How far a backlog is counted.
pub const BACKLOG_MAX: i64 = 10_000;

/// What was written and not yet read by somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// At most [`BACKLOG_MAX`].
    pub events: u64,
    /// When the oldest was written.
    pub oldest: Option<SystemTime>,
}

/// See the module. Opens its connection when it needs it, and again where it was lost.
#[derive(Debug)]
pub struct Ledger {
    database_url: String,
    topic: Topic,
    connection: Option<Connection>,
    encoder: Option<Encoder>,
}

impl Ledger {
    pub fn new(database_url: impl Into<String>, topic: Topic) -> Self {
        Self { database_url: database_url.into(), topic, connection: None, encoder: None }
    }

    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Up to `events_max` events after a position, in the ledger's order.
    ///
    /// # Errors
    /// Where the database cannot be reached or publishes no such topic.
    pub async fn read(&mut self, after: Offset, events_max: usize) -> Result<Vec<Delivery>, Error> {
        let events_max = i64::try_from(events_max).unwrap_or(i64::MAX);
        let after: &[i64] = &after.0;
        let rows = self.connection().await?.query(include_str!("sql/read.sql"), &[&after, &events_max]).await;
        let rows = rows.map_err(|error| self.explain(error))?;
        rows.iter().map(|row| self.delivery(row)).collect()
    }

    /// Where reading is to begin.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub async fn locate(&mut self, start: Start) -> Result<Offset, Error> {
        let row = match start {
            Start::Beginning => return Ok(Offset::BEGINNING),
            Start::After(offset) => return Ok(offset),
            Start::End => self.connection().await?.query_one(include_str!("sql/end.sql"), &[]).await,
            Start::Time(time) => self.connection().await?.query_one(include_str!("sql/at.sql"), &[&time]).await,
        };
        let row = row.map_err(|error| self.explain(error))?;
        position(&row).map_err(|problem| self.broken("published_end", problem))
    }

    /// What stands after a position: the outbox's gauges. Cost: a read of at most [`BACKLOG_MAX`] events.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub async fn backlog(&mut self, after: Offset) -> Result<Backlog, Error> {
        let after: &[i64] = &after.0;
        let row = self.connection().await?.query_one(include_str!("sql/backlog.sql"), &[&after, &BACKLOG_MAX]).await;
        let row = row.map_err(|error| self.explain(error))?;
        Ok(Backlog { events: row.get::<_, i64>("events").unsigned_abs(), oldest: row.get("oldest") })
    }

    async fn connection(&mut self) -> Result<&Connection, Error> {
        if self.connection.as_ref().is_none_or(Connection::is_closed) {
            self.connection = Some(open(&self.database_url, self.topic.as_str()).await?);
        }
        Ok(self.connection.as_ref().expect("it was just opened"))
    }

    fn delivery(&mut self, row: &Row) -> Result<Delivery, Error> {
        let offset = position(row).map_err(|problem| self.broken("published_events", problem))?;
        match self.envelope(row) {
            Ok(envelope) => Ok(Delivery { offset, event: Ok(envelope) }),
            Err(Unreadable::Contract(message, problem)) => Err(self.broken(&message, problem)),
            Err(Unreadable::Row(cause)) => {
                Ok(Delivery { offset, event: Err(Undecodable { bytes: Vec::new(), cause }) })
            }
        }
    }

    fn envelope(&mut self, row: &Row) -> Result<Envelope, Unreadable> {
        let message: &str = field(row, "type")?;
        let encoder = match self.encoder.take() {
            Some(encoder) if encoder.message() == message => self.encoder.insert(encoder),
            _ => {
                let made = Encoder::new(message, row.columns(), PAYLOAD_FIRST);
                self.encoder.insert(made.map_err(|problem| Unreadable::Contract(message.to_owned(), problem))?)
            }
        };
        let payload = encoder.encode(row).map_err(Unreadable::Row)?;
        let (key, sequence): (&str, i64) = (field(row, "key")?, field(row, "sequence")?);
        Ok(Envelope {
            id: event_id(&self.topic, key, sequence).to_string(),
            r#type: message.to_owned(),
            topic: self.topic.as_str().to_owned(),
            key: key.to_owned(),
            sequence,
            occur_time: Some(field::<SystemTime>(row, "occur_time")?.into()),
            traceparent: field::<Option<&str>>(row, "traceparent")?.unwrap_or_default().to_owned(),
            schema_version: field(row, "schema_version")?,
            payload,
        })
    }

    fn broken(&self, message: &str, problem: String) -> Error {
        Error::Contract { topic: self.topic.clone(), message: message.to_owned(), problem }
    }

    fn explain(&self, error: pg::Error) -> Error {
        match error.sql_state() {
            Some(state) if *state == SqlState::UNDEFINED_FUNCTION => Error::NoTopic(self.topic.clone()),
            _ => error.into(),
        }
    }
}

enum Unreadable {
    /// What is published is not what the contract says: nothing can be read.
    Contract(String, String),
    /// This row cannot be.
    Row(String),
}

fn field<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, Unreadable> {
    row.try_get(name).map_err(|error| Unreadable::Row(format!("{name}: {error}")))
}

fn position(row: &Row) -> Result<Offset, String> {
    let numbers: Vec<i64> = row.try_get("place").map_err(|error| error.to_string())?;
    Ok(Offset(numbers.try_into().map_err(|numbers| format!("{numbers:?} is no position"))?))
}

fn event_id(topic: &Topic, key: &str, sequence: i64) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{topic}/{key}/{sequence}").as_bytes())
}

/// A connection that finds unqualified names in one schema. Its statements go through keys, as the pool's do. Were this
/// machine to die without a word, the server would notice within half a minute and free what the session has locked.
pub(super) async fn open(database_url: &str, schema: &str) -> Result<Connection, pg::Error> {
    let connection = pg::connect(database_url).await?;
    let settings = format!(
        "SET search_path = {schema}; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
         SET jit = off; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; \
         SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
    );
    connection.client().batch_execute(&settings).await?;
    Ok(connection)
}
