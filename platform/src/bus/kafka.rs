//! Apache Kafka as the bus, where one machine is outgrown. A relay publishes each ledger to a topic; consumers share its
//! partitions. What is guaranteed, and which settings of the brokers it rests on: docs/bus.md.

mod address;
mod client;
mod group;
mod member;
mod membership;
mod place;
mod publisher;
mod reader;
mod record;
mod topics;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use holdfast_contracts::events::v1::Envelope;

use self::group::Standing;
use self::member::Member;
use self::publisher::Publishing;
use self::reader::Tail;
use self::topics::Topics;
use super::ledger::Backlog;
use super::{Begin, Bus, Error, Group, Publisher, Reader, Start, Subscription, Topic};

pub use address::{Address, AddressError};

/// See the module. Cheap to share.
#[derive(Clone)]
pub struct Kafka {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    /// Where the groups' inboxes are.
    database_url: String,
    topics: Topics,
    publishing: Publishing,
}

impl Kafka {
    /// Connects when it is used: brokers that are away now may be there then.
    ///
    /// # Errors
    /// Where the client library cannot be set up.
    pub fn new(address: Address, database_url: impl Into<String>) -> Result<Self, Error> {
        let (topics, publishing) = (Topics::new(&address)?, Publishing::new(&address));
        let database_url = database_url.into();
        Ok(Self { shared: Arc::new(Shared { address, database_url, topics, publishing }) })
    }
}

impl Bus for Kafka {
    fn tail<'a>(&'a self, topic: &'a Topic, from: Start) -> BoxFuture<'a, Result<Box<dyn Reader>, Error>> {
        async move {
            let tail = Tail::open(&self.shared.address, &self.shared.topics, topic, from).await?;
            Ok(Box::new(tail) as Box<dyn Reader>)
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a Group,
        begin: Start,
    ) -> BoxFuture<'a, Result<Box<dyn Subscription>, Error>> {
        async move { Ok(Box::new(Member::join(&self.shared, topic, group, begin).await?) as Box<dyn Subscription>) }
            .boxed()
    }

    fn rewind<'a>(&'a self, topic: &'a Topic, group: &'a Group, to: Start) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let Shared { topics, database_url, .. } = &*self.shared;
            let partitions = topics.partitions(topic).await?.ok_or_else(|| Error::NoTopic(topic.clone()))?;
            let consumer = member::consumer(&self.shared, group)?;
            let places = place::locate(&consumer, &topics.name(topic), topic, partitions, to).await;
            client::drop_elsewhere(consumer);
            let standing = Standing::new(topic, group);
            standing.rewind(&mut standing.connect(database_url).await?, &places?).await
        }
        .boxed()
    }

    fn backlog<'a>(&'a self, _: &'a Topic, _: &'a Group) -> BoxFuture<'a, Result<Option<Backlog>, Error>> {
        std::future::ready(Ok(None)).boxed()
    }
}

impl Publisher for Kafka {
    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        events: &'a [Envelope],
        begin: Begin,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.shared.publishing.publish(&self.shared.topics, topic, events, begin).boxed()
    }
}
