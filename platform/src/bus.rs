//! The event bus. A service's append-only ledger is its outbox: it writes an event in the transaction that made it and
//! nothing else. What carries events from there is chosen by configuration: PostgreSQL itself ([`postgres`], consumers
//! read the ledger) or a broker (a [`relay`] publishes the ledger, consumers read the broker). Both promise the same:
//! at least once, in order per key, nothing ever skipped. The [`consumer`] makes that effects exactly once.

mod choice;
pub mod consumer;
mod encode;
mod error;
mod handler;
pub mod inbox;
pub mod kafka;
pub mod ledger;
mod offset;
pub mod postgres;
pub mod relay;
mod tally;
#[cfg(feature = "testing")]
pub mod testing;
mod topic;

use futures_util::future::BoxFuture;
use holdfast_contracts::events::v1::Envelope;

use self::ledger::Backlog;
use crate::pg::Transaction;

pub use choice::{Choice, Opened};
pub use error::Error;
pub use handler::{HandleError, Handler, decode};
pub use offset::{Offset, OffsetError, Start};
pub use topic::{Group, Topic, TopicError};

/// One event as the bus hands it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Where it stands; reading after it goes on with the next.
    pub offset: Offset,
    /// Or what stands there instead of one.
    pub event: Result<Envelope, Undecodable>,
}

/// Bytes that are no envelope: they are parked, not skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Undecodable {
    pub bytes: Vec<u8>,
    pub cause: String,
}

/// What carries events. Cheap to share.
pub trait Bus: Send + Sync {
    /// Reads a topic for oneself: no group, no position is kept.
    ///
    /// # Errors
    /// Where the bus cannot be reached, has no such topic, or nothing of it at the start asked for.
    fn tail<'a>(&'a self, topic: &'a Topic, from: Start) -> BoxFuture<'a, Result<Box<dyn Reader>, Error>>;

    /// Joins a group that reads a topic from where it left off; a new group begins at `begin`.
    ///
    /// # Errors
    /// As [`Bus::tail`]; or where the group has no inbox (its schema is not migrated).
    fn subscribe<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a Group,
        begin: Start,
    ) -> BoxFuture<'a, Result<Box<dyn Subscription>, Error>>;

    /// Moves a group, forward or back, and empties its inbox, so that events that come again are handled again. Parked
    /// ones stay parked.
    ///
    /// # Errors
    /// As [`Bus::subscribe`].
    fn rewind<'a>(&'a self, topic: &'a Topic, group: &'a Group, to: Start) -> BoxFuture<'a, Result<(), Error>>;

    /// What a group has not read yet of a ledger; none where a broker is in between: then the topic's relay knows what
    /// waits.
    ///
    /// # Errors
    /// As [`Bus::subscribe`].
    fn backlog<'a>(&'a self, topic: &'a Topic, group: &'a Group) -> BoxFuture<'a, Result<Option<Backlog>, Error>>;
}

/// Reads a topic in its order.
pub trait Reader: Send {
    /// Up to `events_max` events after those fetched before, at once: none where there are none yet. The caller
    /// decides how long to wait before it asks again.
    fn fetch(&mut self, events_max: usize) -> BoxFuture<'_, Result<Vec<Delivery>, Error>>;
}

/// A member of a group. Used as: fetch, then in one transaction of the consumer's claim and effects, then, once that is
/// durable, committed. Whatever was not committed is fetched again.
pub trait Subscription: Send {
    /// Up to `events_max` events after the last ones committed, the same ones until then; none where there are none
    /// yet. The caller decides how long to wait before it asks again.
    fn fetch(&mut self, events_max: usize) -> BoxFuture<'_, Result<Vec<Delivery>, Error>>;

    /// In the consumer's transaction, before any effect: makes what was fetched, up to `offset`, this member's. False
    /// where another member is at it or was quicker: the transaction is to be dropped, then fetch goes on behind it.
    fn claim<'a>(&'a mut self, tx: &'a Transaction<'_>, offset: Offset) -> BoxFuture<'a, Result<bool, Error>>;

    /// After the consumer's transaction is durable: goes on after `offset`. An error here may bring events again.
    fn committed(&mut self, offset: Offset) -> BoxFuture<'_, Result<(), Error>>;
}

/// What stands before a batch that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Nothing: it is the ledger's first.
    First,
    /// What was published before.
    Next,
}

/// The way into a bus that is not the ledger itself.
pub trait Publisher: Send + Sync {
    /// Returns once all of them are durable on the bus, those of one key in the order given. On an error any of them may
    /// be there: all are published again, and duplicates keep their order.
    ///
    /// Where the bus has nothing of the topic and `begin` says that more was published before, that is gone, and the
    /// answer is [`Error::NoTopic`]: the caller is to begin again, or readers would miss it.
    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        events: &'a [Envelope],
        begin: Begin,
    ) -> BoxFuture<'a, Result<(), Error>>;
}
