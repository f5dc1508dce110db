//! A member of a group: it reads the partitions that the broker gives it from where the group's inbox says it stands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use tokio::time::Instant;
use tracing::warn;

use super::Shared;
use super::client::{self, REQUEST_TIMEOUT, blocking, broken};
use super::group::{Stand, Standing, Stands};
use super::membership::{Change, Membership};
use super::place::{self, Places};
use super::{reader, record};
use crate::bus::{Delivery, Error, Group, Offset, Start, Subscription, Topic};
use crate::pg::{Connection, Transaction};

/// A member that says nothing this long is taken for dead: its partitions go to others.
const SESSION_TIMEOUT_MS: &str = "10000";
const HEARTBEAT_MS: &str = "3000";
/// How often a member with nothing to do looks whether the group was put somewhere else.
const REWIND_NOTICE_PERIOD: Duration = Duration::from_millis(500);

pub(super) struct Member {
    shared: Arc<Shared>,
    topic: Topic,
    standing: Standing,
    db: Connection,
    /// None only while it is dropped.
    consumer: Option<Arc<BaseConsumer<Membership>>>,
    held: BTreeMap<i32, Held>,
    /// Given by the broker, which waits for our answer.
    unanswered: Vec<i32>,
    /// Fetched and not committed, in the order they are handed out.
    pending: VecDeque<Pending>,
    /// Whether the group may stand elsewhere than this member believes.
    is_lost: bool,
    looked_at: Instant,
}

/// A partition that is this member's.
struct Held {
    /// Where the group stands.
    stand: Stand,
    /// What to read next: behind what is pending.
    next: i64,
    /// Still to be seen: the event before, as it arrived then. Another one, or none, means another topic.
    unproven_arrival_ms: Option<i64>,
}

struct Pending {
    partition: i32,
    stand_after: Stand,
    delivery: Delivery,
}

impl Held {
    fn at(stand: Stand) -> Self {
        let is_provable = stand.arrived_ms > 0 && stand.next > 0;
        Self { stand, next: stand.next, unproven_arrival_ms: is_provable.then_some(stand.arrived_ms) }
    }

    /// Where the broker is to begin.
    fn begin(&self) -> i64 {
        if self.unproven_arrival_ms.is_some() { self.next - 1 } else { self.next }
    }
}

impl Member {
    pub(super) async fn join(shared: &Arc<Shared>, topic: &Topic, group: &Group, begin: Start) -> Result<Self, Error> {
        let consumer = consumer(shared, group)?;
        let standing = Standing::new(topic, group);
        let db = standing.connect(&shared.database_url).await?;
        let partitions = shared.topics.partitions(topic).await?.ok_or_else(|| Error::NoTopic(topic.clone()))?;
        let name = shared.topics.name(topic);
        if standing.load(&db, 0..partitions).await?.is_empty() {
            let places = place::locate(&consumer, &name, topic, partitions, begin).await?;
            standing.begin(&db, &places).await?;
        }
        consumer.subscribe(&[&name]).map_err(|error| broken(&error))?;
        Ok(Self {
            shared: Arc::clone(shared),
            topic: topic.clone(),
            standing,
            db,
            consumer: Some(consumer),
            held: BTreeMap::new(),
            unanswered: Vec::new(),
            pending: VecDeque::new(),
            is_lost: false,
            looked_at: Instant::now(),
        })
    }

    fn consumer(&self) -> &Arc<BaseConsumer<Membership>> {
        self.consumer.as_ref().expect("it is there until this is dropped")
    }

    /// Takes what has arrived until `events_max` are pending.
    fn take(&mut self, events_max: usize) -> Result<(), Stop> {
        let consumer = Arc::clone(self.consumer());
        while self.pending.len() < events_max {
            match consumer.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => self.push(&message)?,
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                        return Err(Stop::OutOfRange);
                    }
                    _ => return Err(Stop::Error(reader::explain(&self.topic, &error))),
                },
            }
        }
        Ok(())
    }

    fn push(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Stop> {
        let (partition, number) = (message.partition(), message.offset());
        let arrived_ms = message.timestamp().to_millis().unwrap_or_default();
        // Of a partition that was taken back meanwhile: not ours any more.
        let Some(held) = self.held.get_mut(&partition) else { return Ok(()) };
        if let Some(unproven) = held.unproven_arrival_ms.take()
            && (number != held.next - 1 || arrived_ms != unproven)
        {
            return Err(Stop::Replaced(partition));
        }
        if number < held.next {
            return Ok(());
        }
        if number > held.next {
            let offset = place::offset(held.stand.arrived_ms, partition, held.next - 1);
            return Err(Stop::Error(Error::Lost { topic: self.topic.clone(), offset }));
        }
        held.next = number + 1;
        let delivery = Delivery { offset: place::offset(arrived_ms, partition, number), event: record::event(message) };
        let stand_after = Stand { next: number + 1, arrived_ms };
        self.pending.push_back(Pending { partition, stand_after, delivery });
        Ok(())
    }

    /// Takes note of partitions given and taken. False where nothing changed.
    async fn follow_changes(&mut self) -> Result<bool, Error> {
        let changes = self.consumer().context().changes();
        let is_changed = !changes.is_empty();
        for change in changes {
            match change {
                Change::Taken(partitions) => {
                    self.held.retain(|partition, _| !partitions.contains(partition));
                    self.pending.retain(|pending| !partitions.contains(&pending.partition));
                }
                Change::Given(partitions) => {
                    self.unanswered.clone_from(&partitions);
                    self.begin_reading(&partitions).await?;
                    self.unanswered.clear();
                }
            }
        }
        Ok(is_changed)
    }

    async fn begin_reading(&mut self, partitions: &[i32]) -> Result<(), Error> {
        let mut stands = self.load(partitions).await?;
        // Made since the group began: all in them is new to it.
        let new: Places = partitions.iter().filter(|it| !stands.contains_key(it)).map(|it| (*it, 0)).collect();
        if !new.is_empty() {
            self.standing.begin(&self.db, &new).await?;
            stands = self.load(partitions).await?;
        }
        let held: BTreeMap<i32, Held> = stands.into_iter().map(|(it, stand)| (it, Held::at(stand))).collect();
        let places: Places = held.iter().map(|(partition, held)| (*partition, held.begin())).collect();
        let list = reader::assignment(&self.shared.topics.name(&self.topic), &places)?;
        self.consumer().incremental_assign(&list).map_err(|error| broken(&error))?;
        self.held.extend(held);
        Ok(())
    }

    async fn load(&mut self, partitions: &[i32]) -> Result<Stands, Error> {
        if self.db.is_closed() {
            self.db = self.standing.connect(&self.shared.database_url).await?;
        }
        self.standing.load(&self.db, partitions.iter().copied()).await
    }

    /// Goes to where the group stands by now, where that is elsewhere than believed.
    async fn find_back(&mut self) -> Result<(), Error> {
        let partitions: Vec<i32> = self.held.keys().copied().collect();
        let stands = self.load(&partitions).await?;
        let moved: Stands = stands
            .into_iter()
            .filter(|(it, stand)| self.held.get(it).is_none_or(|held| held.stand != *stand))
            .collect();
        (self.is_lost, self.looked_at) = (false, Instant::now());
        if moved.is_empty() {
            return Ok(());
        }
        self.pending.retain(|pending| !moved.contains_key(&pending.partition));
        let held: BTreeMap<i32, Held> = moved.into_iter().map(|(it, stand)| (it, Held::at(stand))).collect();
        let places: Places = held.iter().map(|(partition, held)| (*partition, held.begin())).collect();
        let list = reader::assignment(&self.shared.topics.name(&self.topic), &places)?;
        let sought = blocking(self.consumer(), move |it| it.seek_partitions(list, REQUEST_TIMEOUT)).await?;
        for element in sought.map_err(|error| broken(&error))?.elements() {
            element.error().map_err(|error| broken(&error))?;
        }
        self.held.extend(held);
        Ok(())
    }

    /// The broker does not have what comes next. Where its log is another one than the group read (the topic was made
    /// again), the group begins it from its beginning; where events are gone that nobody read, they are lost here.
    async fn restart(&mut self, replaced: Option<i32>) -> Result<Error, Error> {
        let (name, partitions) = (self.shared.topics.name(&self.topic), self.held.keys().copied().collect::<Vec<_>>());
        let count = partitions.last().map_or(0, |last| last + 1);
        let ends = place::ends(self.consumer(), &name, count).await?;
        let (mut found, mut left) = (Stands::new(), Stands::new());
        for (partition, held) in &self.held {
            let Some(end) = ends.get(partition) else { continue };
            if replaced == Some(*partition) || held.stand.next > end.next {
                left.insert(*partition, Stand { next: end.first, arrived_ms: 0 });
            } else if held.stand.next < end.first {
                let offset = place::offset(held.stand.arrived_ms, *partition, held.stand.next - 1);
                return Ok(Error::Lost { topic: self.topic.clone(), offset });
            } else if held.stand.next == end.first {
                // The event before, which would have been the proof, was there long enough.
                left.insert(*partition, Stand { arrived_ms: 0, ..held.stand });
            }
            found.insert(*partition, held.stand);
        }
        warn!(topic = %self.topic, partitions = ?left.keys(), "the broker's log is another one: reading it from its beginning");
        self.standing.claim(&self.db, &found, &left).await?;
        Ok(Error::Broker("the topic's log was replaced".to_owned()))
    }
}

/// What ends a look at what has arrived.
enum Stop {
    /// The broker does not have what was asked for.
    OutOfRange,
    /// A partition holds another event where the last one stood.
    Replaced(i32),
    Error(Error),
}

impl Subscription for Member {
    fn fetch(&mut self, events_max: usize) -> BoxFuture<'_, Result<Vec<Delivery>, Error>> {
        async move {
            loop {
                if self.is_lost || (self.pending.is_empty() && self.looked_at.elapsed() > REWIND_NOTICE_PERIOD) {
                    self.find_back().await?;
                }
                match self.take(events_max) {
                    Ok(()) => {}
                    Err(Stop::Error(error)) => return Err(error),
                    Err(Stop::OutOfRange) => return Err(self.restart(None).await?),
                    Err(Stop::Replaced(partition)) => return Err(self.restart(Some(partition)).await?),
                }
                if !self.follow_changes().await? {
                    return Ok(self.pending.iter().take(events_max).map(|it| it.delivery.clone()).collect());
                }
            }
        }
        .boxed()
    }

    fn claim<'a>(&'a mut self, tx: &'a Transaction<'_>, offset: Offset) -> BoxFuture<'a, Result<bool, Error>> {
        async move {
            let Some(left) = stands_after(&self.pending, offset) else { return Ok(false) };
            let found: Stands = self.held.iter().map(|(partition, held)| (*partition, held.stand)).collect();
            let claimed = self.standing.claim(tx, &found, &left).await?;
            self.is_lost = !claimed;
            Ok(claimed)
        }
        .boxed()
    }

    fn committed(&mut self, offset: Offset) -> BoxFuture<'_, Result<(), Error>> {
        let left = stands_after(&self.pending, offset).unwrap_or_default();
        while let Some(pending) = self.pending.pop_front() {
            if pending.delivery.offset == offset {
                break;
            }
        }
        for (partition, stand) in &left {
            if let Some(held) = self.held.get_mut(partition) {
                held.stand = *stand;
            }
        }
        self.tell_broker(&left);
        std::future::ready(Ok(())).boxed()
    }
}

impl Member {
    /// For the broker's own tools, which show a group's lag: nothing of ours rests on it.
    fn tell_broker(&self, left: &Stands) {
        let places: Places = left.iter().map(|(partition, stand)| (*partition, stand.next)).collect();
        let told = reader::assignment(&self.shared.topics.name(&self.topic), &places)
            .and_then(|list| self.consumer().commit(&list, CommitMode::Async).map_err(|error| broken(&error)));
        if let Err(error) = told {
            tracing::debug!(target: "kafka", %error, "the broker was not told where the group stands");
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some(consumer) = self.consumer.take() else { return };
        consumer.context().leave();
        let mut owed = std::mem::take(&mut self.unanswered);
        for change in consumer.context().changes() {
            if let Change::Given(partitions) = change {
                owed.extend(partitions);
            }
        }
        let places: Places = owed.into_iter().map(|partition| (partition, 0)).collect();
        if !places.is_empty()
            && let Ok(list) = reader::assignment(&self.shared.topics.name(&self.topic), &places)
            && let Err(error) = consumer.incremental_assign(&list)
        {
            tracing::debug!(target: "kafka", %error, "partitions that nobody waits for any more");
        }
        client::drop_elsewhere(consumer);
    }
}

/// Where the group stands once everything up to `offset` is done; none where that is not pending.
fn stands_after(pending: &VecDeque<Pending>, offset: Offset) -> Option<Stands> {
    let last = pending.iter().position(|it| it.delivery.offset == offset)?;
    Some(pending.iter().take(last + 1).map(|it| (it.partition, it.stand_after)).collect())
}

pub(super) fn consumer(shared: &Shared, group: &Group) -> Result<Arc<BaseConsumer<Membership>>, Error> {
    let mut config = reader::config(&shared.address);
    config
        .set("group.id", format!("{}.{group}", shared.address.prefix))
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", SESSION_TIMEOUT_MS)
        .set("heartbeat.interval.ms", HEARTBEAT_MS)
        .set("enable.partition.eof", "false");
    let consumer = config.create_with_context(Membership::default()).map_err(|error| broken(&error))?;
    Ok(Arc::new(consumer))
}
