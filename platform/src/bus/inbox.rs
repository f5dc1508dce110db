//! What a group has seen, in the consumer's own schema and transaction: that makes effects exactly once. Three tables
//! beside the consumer's own, made by its migrations (`inbox/tables.sql` is the text to copy): `inbox_position`, where
//! the group stands; `inbox`, each key's last event; `inbox_parked`, events that cannot be handled and those behind them.

mod parked;

use std::collections::HashMap;

use holdfast_contracts::events::v1::Envelope;
use tokio_postgres::error::SqlState;

use super::{Error, Group, Offset, Topic};
use crate::pg::{self, Connection, Execute, Params};

pub use parked::Parked;
pub(super) use parked::Parking;

/// The tables, for a migration: `SCHEMA` stands for the consumer's.
pub const TABLES: &str = include_str!("inbox/tables.sql");

/// One group's side of one topic.
#[derive(Debug, Clone)]
pub struct Inbox {
    topic: Topic,
    group: Group,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// The last event's; 0 before the first.
    pub(super) sequence: i64,
    /// One of its events is parked: later ones wait behind it.
    pub(super) parked: bool,
}

impl Inbox {
    pub fn new(topic: Topic, group: Group) -> Self {
        Self { topic, group }
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// A connection on which the group's tables are found: handlers' transactions run on such a one.
    ///
    /// # Errors
    /// Where the database cannot be reached.
    pub async fn connect(&self, database_url: &str) -> Result<Connection, Error> {
        Ok(super::ledger::open(database_url, self.group.schema()).await?)
    }

    /// Where the group stands; none before it began.
    ///
    /// # Errors
    /// Where there is no inbox, or the database does not answer.
    pub async fn load_position(&self, db: &impl Execute) -> Result<Option<Offset>, Error> {
        let found = db.query_opt(include_str!("inbox/load_position.sql"), &[&self.topic.as_str(), &self.name()]).await;
        let Some(row) = found.map_err(|error| self.explain(error))? else { return Ok(None) };
        let numbers: Vec<i64> = row.get("place");
        Ok(Some(Offset(numbers.try_into().expect("the table's CHECK allows three numbers only"))))
    }

    /// Writes down where a new group begins; leaves one that stands somewhere alone.
    ///
    /// # Errors
    /// As [`Inbox::load_position`].
    pub async fn begin_position(&self, db: &impl Execute, position: Offset) -> Result<(), Error> {
        let sql = include_str!("inbox/begin_position.sql");
        self.run(db, sql, &[&self.topic.as_str(), &self.name(), &position.0.as_slice()]).await?;
        Ok(())
    }

    /// Moves the group from where it was seen; false where it is there no longer or another is moving it.
    ///
    /// # Errors
    /// As [`Inbox::load_position`].
    pub async fn claim_position(&self, db: &impl Execute, found: Offset, left: Offset) -> Result<bool, Error> {
        let sql = include_str!("inbox/claim_position.sql");
        let params: Params<'_> = &[&self.topic.as_str(), &self.name(), &found.0.as_slice(), &left.0.as_slice()];
        Ok(self.run(db, sql, params).await? == 1)
    }

    /// Puts the group somewhere, whatever its members are doing: they go on from there.
    ///
    /// # Errors
    /// As [`Inbox::load_position`].
    pub async fn set_position(&self, db: &impl Execute, position: Offset) -> Result<(), Error> {
        let sql = include_str!("inbox/set_position.sql");
        self.run(db, sql, &[&self.topic.as_str(), &self.name(), &position.0.as_slice()]).await?;
        Ok(())
    }

    /// Forgets which events were seen: a replay hands them to the handler again. Parked ones stay parked.
    ///
    /// # Errors
    /// As [`Inbox::load_position`].
    pub async fn forget_seen(&self, db: &impl Execute) -> Result<u64, Error> {
        self.run(db, include_str!("inbox/forget_seen.sql"), &[&self.topic.as_str(), &self.name()]).await
    }

    /// What is known of some keys.
    pub(super) async fn load_seen<'a>(
        &self,
        db: &impl Execute,
        keys: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<String, Seen>, Error> {
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        let params: Params<'_> = &[&self.topic.as_str(), &self.name(), &keys];
        let rows = db.query(include_str!("inbox/load_seen.sql"), params).await.map_err(|error| self.explain(error))?;
        let seen =
            rows.iter().map(|row| (row.get("key"), Seen { sequence: row.get("sequence"), parked: row.get("parked") }));
        Ok(seen.collect())
    }

    /// Writes down that these events are seen; false where another member saw one of them or a later one meanwhile.
    pub(super) async fn mark_seen<'a>(
        &self,
        db: &impl Execute,
        events: impl Iterator<Item = &'a Envelope>,
    ) -> Result<bool, Error> {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for event in events {
            last.insert(&event.key, event.sequence);
        }
        if last.is_empty() {
            return Ok(true);
        }
        let (keys, sequences): (Vec<&str>, Vec<i64>) = last.into_iter().unzip();
        let params: Params<'_> = &[&self.topic.as_str(), &self.name(), &keys, &sequences];
        Ok(self.run(db, include_str!("inbox/mark_seen.sql"), params).await? == keys.len() as u64)
    }

    async fn run(&self, db: &impl Execute, sql: &'static str, params: Params<'_>) -> Result<u64, Error> {
        db.execute(sql, params).await.map_err(|error| self.explain(error))
    }

    fn name(&self) -> &str {
        self.group.name()
    }

    fn explain(&self, error: pg::Error) -> Error {
        match error.sql_state() {
            Some(state) if *state == SqlState::UNDEFINED_TABLE => Error::NoInbox(self.group.clone()),
            _ => error.into(),
        }
    }
}
