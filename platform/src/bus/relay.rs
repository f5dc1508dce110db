//! Publishes a service's ledger on a bus that is not the ledger itself. One relay a topic is active, whichever process
//! comes first; when it dies, however it dies, its database connection ends with it and another takes over from the
//! stored position. What was published but not yet written down is published again: at least once, in order per key.
//!
//! Nothing queues up in here: a batch is read, made durable on the bus and written down before the next is read. While
//! the bus is away the ledger is the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use holdfast_contracts::events::v1::Envelope;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::inbox::{Inbox, Parking};
use super::ledger::{Backlog, Ledger};
use super::tally::Tally;
use super::{Begin, Delivery, Error, Group, Offset, Publisher, Topic, TopicError};
use crate::pg::{Connection, Execute as _};

/// How many events are published at once.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// How long to wait before looking again where nothing was found: from, doubling up to.
const POLL_MIN: Duration = Duration::from_millis(5);
const POLL_MAX: Duration = Duration::from_millis(40);
/// How often one that is not active asks whether it may be.
const STANDBY_PERIOD: Duration = Duration::from_millis(500);
/// How often what waits is counted.
const COUNT_PERIOD: Duration = Duration::from_secs(5);
/// How long to leave a failing database or bus alone: from, doubling up to.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// See the module. Its position is kept as that of the group `<topic>.relay`, in the owner's own schema.
pub struct Relay {
    database_url: String,
    inbox: Inbox,
    tally: Tally,
    publisher: Arc<dyn Publisher>,
}

/// The group a topic's relay keeps its position as.
///
/// # Errors
/// Never for a topic; the name is as long as a schema's may be.
pub fn group_of(topic: &Topic) -> Result<Group, TopicError> {
    format!("{topic}.relay").parse()
}

/// What was written to a ledger and not yet published. Cost: a read of at most [`super::ledger::BACKLOG_MAX`] events.
///
/// # Errors
/// Where the database cannot be reached, or publishes no such topic.
pub async fn load_backlog(ledger: &mut Ledger, inbox: &Inbox, db: &Connection) -> Result<Backlog, Error> {
    let position = inbox.load_position(db).await?.unwrap_or(Offset::BEGINNING);
    ledger.backlog(position).await
}

impl Relay {
    /// # Errors
    /// Where the topic has no relay's name.
    pub fn new(
        database_url: impl Into<String>,
        topic: Topic,
        publisher: Arc<dyn Publisher>,
    ) -> Result<Self, TopicError> {
        let inbox = Inbox::new(topic.clone(), group_of(&topic)?);
        let tally = Tally::of(&topic);
        Ok(Self { database_url: database_url.into(), inbox, tally, publisher })
    }

    /// Relays, or stands by, until told to stop.
    pub async fn run(self, stopping: CancellationToken) {
        stopping.run_until_cancelled_owned(self.relay()).await;
    }

    async fn relay(self) {
        let mut pause = RETRY_MIN;
        loop {
            let error = match self.begin().await {
                Ok((db, ledger)) => {
                    info!(topic = %self.inbox.topic(), "relaying events");
                    pause = RETRY_MIN;
                    self.follow(db, ledger).await
                }
                Err(error) => error,
            };
            warn!(topic = %self.inbox.topic(), %error, "events wait in the ledger: trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        }
    }

    /// Waits to be the active one. The lock is the connection's: it ends when that does.
    async fn begin(&self) -> Result<(Connection, Ledger), Error> {
        let db = self.inbox.connect(&self.database_url).await?;
        let topic = self.inbox.topic();
        while !db.query_one(include_str!("sql/lock_relay.sql"), &[&topic.as_str()]).await?.get::<_, bool>("locked") {
            self.tally.waiting(None);
            tokio::time::sleep(STANDBY_PERIOD).await;
        }
        self.inbox.begin_position(&db, Offset::BEGINNING).await?;
        Ok((db, Ledger::new(&self.database_url, topic.clone())))
    }

    /// Goes on until something breaks.
    async fn follow(&self, mut db: Connection, mut ledger: Ledger) -> Error {
        let (mut poll, mut count_at) = (POLL_MIN, Instant::now());
        loop {
            if Instant::now() >= count_at {
                count_at = Instant::now() + COUNT_PERIOD;
                match load_backlog(&mut ledger, &self.inbox, &db).await {
                    Ok(backlog) => self.tally.waiting(Some(backlog)),
                    Err(error) => return error,
                }
            }
            match self.relay_next(&mut db, &mut ledger).await {
                Ok(0) => {
                    tokio::time::sleep(poll).await;
                    poll = (poll * 2).min(POLL_MAX);
                }
                Ok(_) => poll = POLL_MIN,
                Err(error) => return error,
            }
        }
    }

    async fn relay_next(&self, db: &mut Connection, ledger: &mut Ledger) -> Result<usize, Error> {
        let position = self.inbox.load_position(db).await?.unwrap_or(Offset::BEGINNING);
        let batch = ledger.read(position, BATCH_EVENTS_MAX).await?;
        let Some(last) = batch.last() else { return Ok(0) };
        let events: Vec<Envelope> = batch.iter().filter_map(|delivery| delivery.event.clone().ok()).collect();
        let begin = if position == Offset::BEGINNING { Begin::First } else { Begin::Next };
        match self.publisher.publish(self.inbox.topic(), &events, begin).await {
            Ok(()) => {}
            // Nothing of what was published is there any more: the ledger has it all.
            Err(Error::NoTopic(topic)) => {
                warn!(%topic, "the bus has nothing of this topic: publishing it from its beginning");
                self.inbox.set_position(db, Offset::BEGINNING).await?;
                return Ok(batch.len());
            }
            Err(error) => return Err(error),
        }
        let tx = db.transaction().await?;
        if self.inbox.claim_position(&tx, position, last.offset).await? {
            self.inbox.park(&tx, &unpublishable(&batch), 1).await?;
            tx.commit().await?;
            self.tally.published(events.len());
        }
        // Else an operator moved it meanwhile: reading goes on from there.
        Ok(batch.len())
    }
}

/// Rows that are no events, for people to see: nobody downstream will.
fn unpublishable(batch: &[Delivery]) -> Vec<Parking<'_>> {
    let failed = batch.iter().filter_map(|delivery| {
        let undecodable = delivery.event.as_ref().err()?;
        error!(place = %delivery.offset, %undecodable, "a row of the ledger cannot be published: it is parked");
        Some(Parking { delivery, cause: Some(undecodable.cause.as_str()) })
    });
    failed.collect()
}
