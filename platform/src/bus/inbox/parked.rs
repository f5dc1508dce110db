//! Events that could not be handled, and those of the same key behind them.

use std::time::SystemTime;

use holdfast_contracts::events::v1::Envelope;
use prost::Message as _;

use super::Inbox;
use crate::bus::{Delivery, Error};
use crate::pg::{Execute, Params};

/// A parked event, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    pub topic: String,
    pub key: String,
    pub sequence: i64,
    pub event_id: String,
    /// None where what came was no envelope.
    pub event: Option<Envelope>,
    /// None where it only waits behind an earlier event of its key.
    pub cause: Option<String>,
    pub attempts: i32,
    /// Whether it is to be tried again.
    pub released: bool,
    pub parked_at: SystemTime,
}

/// Why an event is parked.
pub(in crate::bus) struct Parking<'a> {
    pub(in crate::bus) delivery: &'a Delivery,
    /// None behind another of its key.
    pub(in crate::bus) cause: Option<&'a str>,
}

/// How many keys are looked at at once: each costs a step along an index.
const KEYS_MAX: i64 = 1_000;

/// What was found to be tried again.
pub(in crate::bus) struct Due {
    /// By the number of its row.
    pub(in crate::bus) events: Vec<(i64, Envelope)>,
    /// Rows that are no envelopes: trying again cannot help.
    pub(in crate::bus) undecodable: Vec<i64>,
    /// After which key to go on; none where all were looked at.
    pub(in crate::bus) next: Option<String>,
}

impl Inbox {
    /// The group's parked events, of every topic, oldest first.
    ///
    /// # Errors
    /// Where there is no inbox, or the database does not answer.
    pub async fn list_parked(&self, db: &impl Execute, count_max: i64) -> Result<Vec<Parked>, Error> {
        let rows = db.query(include_str!("list_parked.sql"), &[&self.name(), &count_max]).await;
        let rows = rows.map_err(|error| self.explain(error))?;
        let parked = rows.iter().map(|row| Parked {
            topic: row.get("topic"),
            key: row.get("key"),
            sequence: row.get("sequence"),
            event_id: row.get("event_id"),
            event: Envelope::decode(row.get::<_, &[u8]>("envelope")).ok().filter(|event| !event.id.is_empty()),
            cause: row.get("cause"),
            attempts: row.get("attempts"),
            released: row.get("released"),
            parked_at: row.get("parked_at"),
        });
        Ok(parked.collect())
    }

    /// Has one of the group's parked events, or all of them, tried again by its consumer; returns how many.
    ///
    /// # Errors
    /// As [`Inbox::list_parked`].
    pub async fn release_parked(&self, db: &impl Execute, event_id: Option<&str>) -> Result<u64, Error> {
        self.run(db, include_str!("release_parked.sql"), &[&self.name(), &event_id]).await
    }

    /// Gives a parked event up for good; those behind it go on. False where the group has none of that id.
    ///
    /// # Errors
    /// As [`Inbox::list_parked`].
    pub async fn drop_parked(&self, db: &impl Execute, event_id: &str) -> Result<bool, Error> {
        Ok(self.run(db, include_str!("drop_parked.sql"), &[&self.name(), &event_id]).await? > 0)
    }
}

impl Inbox {
    pub(in crate::bus) async fn park(
        &self,
        db: &impl Execute,
        parkings: &[Parking<'_>],
        attempts: i32,
    ) -> Result<(), Error> {
        if parkings.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = parkings.iter().map(|it| key(it.delivery)).collect();
        let sequences: Vec<i64> = parkings.iter().map(|it| sequence(it.delivery)).collect();
        let ids: Vec<String> = parkings.iter().map(|it| event_id(it.delivery)).collect();
        let bytes: Vec<Vec<u8>> = parkings.iter().map(|it| bytes(it.delivery)).collect();
        let causes: Vec<Option<&str>> = parkings.iter().map(|it| it.cause).collect();
        let (topic, name) = (self.topic.as_str(), self.name());
        let params: Params<'_> = &[&topic, &name, &keys, &sequences, &ids, &bytes, &causes, &attempts];
        self.run(db, include_str!("park.sql"), params).await?;
        Ok(())
    }

    pub(in crate::bus) async fn count_parked(&self, db: &impl Execute) -> Result<i64, Error> {
        let params: Params<'_> = &[&self.topic.as_str(), &self.name()];
        let row = db.query_one(include_str!("count_parked.sql"), params).await.map_err(|error| self.explain(error))?;
        Ok(row.get("events"))
    }

    /// Parked events whose turn it is, each the first of its key: of keys after the one given, at most `count_max`.
    pub(in crate::bus) async fn load_due_parked(
        &self,
        db: &impl Execute,
        after: Option<&str>,
        count_max: i64,
    ) -> Result<Due, Error> {
        let (key, sequence) = after.map_or(("", i64::MIN), |key| (key, i64::MAX));
        let params: Params<'_> = &[&self.topic.as_str(), &self.name(), &key, &sequence, &KEYS_MAX, &count_max];
        let rows = db.query(include_str!("load_due_parked.sql"), params).await.map_err(|error| self.explain(error))?;
        let (mut events, mut undecodable) = (Vec::new(), Vec::new());
        for row in &rows {
            let Some(bytes) = row.get::<_, Option<&[u8]>>("envelope") else { continue };
            match Envelope::decode(bytes).ok().filter(|event| !event.id.is_empty()) {
                Some(event) => events.push((row.get("id"), event)),
                None => undecodable.push(row.get("id")),
            }
        }
        let (keys, due) = (rows.len() as i64, (events.len() + undecodable.len()) as i64);
        let is_end = keys < KEYS_MAX && due < count_max;
        let next = rows.last().filter(|_| !is_end).map(|row| row.get("key"));
        Ok(Due { events, undecodable, next })
    }

    /// Takes a parked event out, to be handled in the same transaction; false where another member does.
    pub(in crate::bus) async fn take_parked(&self, db: &impl Execute, id: i64) -> Result<bool, Error> {
        Ok(self.run(db, include_str!("take_parked.sql"), &[&id]).await? == 1)
    }

    /// Writes down that it failed again.
    pub(in crate::bus) async fn repark(&self, db: &impl Execute, id: i64, cause: &str) -> Result<(), Error> {
        self.run(db, include_str!("repark.sql"), &[&id, &cause]).await?;
        Ok(())
    }
}

/// What is no envelope has no key: it stands alone, and blocks nothing.
fn key(delivery: &Delivery) -> String {
    match &delivery.event {
        Ok(event) => event.key.clone(),
        Err(_) => format!("undecodable at {}", delivery.offset),
    }
}

fn sequence(delivery: &Delivery) -> i64 {
    delivery.event.as_ref().map_or(0, |event| event.sequence)
}

fn event_id(delivery: &Delivery) -> String {
    match &delivery.event {
        Ok(event) => event.id.clone(),
        Err(_) => delivery.offset.to_string(),
    }
}

fn bytes(delivery: &Delivery) -> Vec<u8> {
    match &delivery.event {
        Ok(event) => event.encode_to_vec(),
        Err(undecodable) => undecodable.bytes.clone(),
    }
}
