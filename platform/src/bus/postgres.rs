//! PostgreSQL as the bus: consumers read the owner's ledger themselves. Nothing is copied and nobody relays; a group's
//! position stands in its inbox and moves in the transaction of its effects.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::inbox::Inbox;
use super::ledger::{Backlog, Ledger};
use super::relay::load_backlog;
use super::{Bus, Delivery, Error, Group, Offset, Reader, Start, Subscription, Topic};
use crate::pg::{Connection, Transaction};

/// See the module.
#[derive(Debug, Clone)]
pub struct PostgresBus {
    database_url: String,
}

impl PostgresBus {
    pub fn new(database_url: impl Into<String>) -> Self {
        Self { database_url: database_url.into() }
    }

    fn ledger(&self, topic: &Topic) -> Ledger {
        Ledger::new(&self.database_url, topic.clone())
    }
}

impl Bus for PostgresBus {
    fn tail<'a>(&'a self, topic: &'a Topic, from: Start) -> BoxFuture<'a, Result<Box<dyn Reader>, Error>> {
        async move {
            let mut ledger = self.ledger(topic);
            let position = ledger.locate(from).await?;
            // Tells an unknown topic now.
            ledger.read(position, 0).await?;
            Ok(Box::new(Tail { ledger, position }) as Box<dyn Reader>)
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a Group,
        begin: Start,
    ) -> BoxFuture<'a, Result<Box<dyn Subscription>, Error>> {
        async move {
            let inbox = Inbox::new(topic.clone(), group.clone());
            let db = inbox.connect(&self.database_url).await?;
            let mut ledger = self.ledger(topic);
            let position = match inbox.load_position(&db).await? {
                Some(position) => position,
                None => {
                    let position = ledger.locate(begin).await?;
                    inbox.begin_position(&db, position).await?;
                    inbox.load_position(&db).await?.unwrap_or(position)
                }
            };
            ledger.read(position, 0).await?;
            let database_url = self.database_url.clone();
            Ok(Box::new(Member { database_url, ledger, inbox, db, position: Some(position) }) as Box<dyn Subscription>)
        }
        .boxed()
    }

    fn rewind<'a>(&'a self, topic: &'a Topic, group: &'a Group, to: Start) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let mut ledger = self.ledger(topic);
            let position = ledger.locate(to).await?;
            ledger.read(position, 0).await?;
            let inbox = Inbox::new(topic.clone(), group.clone());
            let mut db = inbox.connect(&self.database_url).await?;
            let tx = db.transaction().await?;
            // First the position: no member claims a batch until what was seen is forgotten too.
            inbox.set_position(&tx, position).await?;
            inbox.forget_seen(&tx).await?;
            Ok(tx.commit().await?)
        }
        .boxed()
    }

    fn backlog<'a>(&'a self, topic: &'a Topic, group: &'a Group) -> BoxFuture<'a, Result<Option<Backlog>, Error>> {
        async move {
            let inbox = Inbox::new(topic.clone(), group.clone());
            let db = inbox.connect(&self.database_url).await?;
            Ok(Some(load_backlog(&mut self.ledger(topic), &inbox, &db).await?))
        }
        .boxed()
    }
}

struct Tail {
    ledger: Ledger,
    position: Offset,
}

impl Reader for Tail {
    fn fetch(&mut self, events_max: usize) -> BoxFuture<'_, Result<Vec<Delivery>, Error>> {
        async move {
            let deliveries = self.ledger.read(self.position, events_max).await?;
            if let Some(last) = deliveries.last() {
                self.position = last.offset;
            }
            Ok(deliveries)
        }
        .boxed()
    }
}

struct Member {
    database_url: String,
    ledger: Ledger,
    inbox: Inbox,
    db: Connection,
    /// Where the group stands, as far as this member knows; none where another moved it.
    position: Option<Offset>,
}

impl Member {
    async fn position(&mut self) -> Result<Offset, Error> {
        if let Some(position) = self.position {
            return Ok(position);
        }
        if self.db.is_closed() {
            self.db = self.inbox.connect(&self.database_url).await?;
        }
        let loaded = self.inbox.load_position(&self.db).await?;
        let position = loaded.ok_or_else(|| Error::NoInbox(self.inbox.group().clone()))?;
        self.position = Some(position);
        Ok(position)
    }
}

impl Subscription for Member {
    fn fetch(&mut self, events_max: usize) -> BoxFuture<'_, Result<Vec<Delivery>, Error>> {
        async move {
            let position = self.position().await?;
            let deliveries = self.ledger.read(position, events_max).await?;
            if deliveries.is_empty() {
                // An operator may have moved the group: nothing else would tell.
                self.position = None;
            }
            Ok(deliveries)
        }
        .boxed()
    }

    fn claim<'a>(&'a mut self, tx: &'a Transaction<'_>, offset: Offset) -> BoxFuture<'a, Result<bool, Error>> {
        async move {
            let found = self.position().await?;
            let claimed = self.inbox.claim_position(tx, found, offset).await?;
            // Until it is committed, nobody knows where the group stands.
            self.position = None;
            Ok(claimed)
        }
        .boxed()
    }

    fn committed(&mut self, offset: Offset) -> BoxFuture<'_, Result<(), Error>> {
        self.position = Some(offset);
        std::future::ready(Ok(())).boxed()
    }
}
