//! Reading a topic for oneself, all its partitions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rdkafka::Message as _;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as Native, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use tokio::time::Instant;

use super::address::Address;
use super::client::{self, Context, broken, is_no_topic};
use super::place::{self, Places};
use super::record;
use super::topics::Topics;
use crate::bus::{Delivery, Error, Offset, Reader, Start, Topic};

/// What a consumer keeps fetched ahead, for all partitions: when it is full, fetching waits.
const AHEAD_EVENTS: &str = "5000";
const AHEAD_KBYTES_MAX: &str = "16384";
/// How long a broker holds a question while there is nothing new.
const BROKER_WAIT_MAX_MS: &str = "250";
/// How long a first answer may take until every partition has given what it has, or said that it has nothing.
const FIRST_FETCH_WAIT_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(2);

impl ConsumerContext for Context {}

/// What readers and groups have in common.
pub(super) fn config(address: &Address) -> ClientConfig {
    let mut config = client::config(address);
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // What is no longer there, or not there yet, is an error to be told, not a reason to go on elsewhere.
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .set("queued.min.messages", AHEAD_EVENTS)
        .set("queued.max.messages.kbytes", AHEAD_KBYTES_MAX)
        .set("fetch.wait.max.ms", BROKER_WAIT_MAX_MS);
    config
}

pub(super) struct Tail {
    topic: Topic,
    consumer: Option<Arc<BaseConsumer<Context>>>,
    partitions: BTreeMap<i32, Partition>,
    /// Whether each partition once said that it has no more: from then on nothing means nothing.
    is_warm: bool,
    /// What came after events that are still to be handed out.
    failed: Option<Error>,
}

struct Partition {
    next: i64,
    /// Everything that arrived here before this time was handed out.
    told_ms: i64,
    was_at_end: bool,
}

impl Tail {
    pub(super) async fn open(address: &Address, topics: &Topics, topic: &Topic, from: Start) -> Result<Self, Error> {
        let partitions = topics.partitions(topic).await?.ok_or_else(|| Error::NoTopic(topic.clone()))?;
        let mut config = config(address);
        // The library will not assign without a name; nothing is ever committed under it.
        config.set("group.id", format!("{}.tail", address.prefix));
        let consumer: Arc<BaseConsumer<Context>> =
            Arc::new(config.create_with_context(Context).map_err(|error| broken(&error))?);
        let name = topics.name(topic);
        let places = place::locate(&consumer, &name, topic, partitions, from).await?;
        consumer.assign(&assignment(&name, &places)?).map_err(|error| broken(&error))?;
        let told_ms = match from {
            Start::Beginning => 0,
            Start::End => now_told(),
            Start::After(Offset([time_ms, ..])) => time_ms - place::slack_ms(),
            Start::Time(time) => place::millis(time) - place::slack_ms(),
        };
        let partitions = places
            .into_iter()
            .map(|(partition, next)| (partition, Partition { next, told_ms: told_ms.max(0), was_at_end: false }));
        Ok(Self {
            topic: topic.clone(),
            consumer: Some(consumer),
            partitions: partitions.collect(),
            is_warm: false,
            failed: None,
        })
    }

    /// Takes what has arrived, up to `events_max` in all.
    fn take(&mut self, deliveries: &mut Vec<Delivery>, events_max: usize) -> Result<(), Error> {
        let consumer = self.consumer.as_ref().expect("it is there until this is dropped");
        while deliveries.len() < events_max {
            match consumer.poll(Duration::ZERO) {
                None => return Ok(()),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    if let Some(partition) = self.partitions.get_mut(&partition) {
                        partition.was_at_end = true;
                        partition.told_ms = partition.told_ms.max(now_told());
                    }
                }
                Some(Err(error)) => return Err(explain(&self.topic, &error)),
                Some(Ok(message)) => {
                    let Some(partition) = self.partitions.get_mut(&message.partition()) else { continue };
                    partition.next = message.offset() + 1;
                    let time_ms = message.timestamp().to_millis().unwrap_or_default();
                    partition.told_ms = partition.told_ms.max(time_ms);
                    let event = record::event(&message);
                    let (number, index) = (message.offset(), message.partition());
                    let told_ms = self.partitions.values().map(|it| it.told_ms).min().unwrap_or_default();
                    deliveries.push(Delivery { offset: place::offset(told_ms, index, number), event });
                }
            }
        }
        Ok(())
    }
}

impl Reader for Tail {
    fn fetch(&mut self, events_max: usize) -> BoxFuture<'_, Result<Vec<Delivery>, Error>> {
        async move {
            let mut deliveries = Vec::new();
            let deadline = Instant::now() + FIRST_FETCH_WAIT_MAX;
            loop {
                if let Some(error) = self.failed.take() {
                    return Err(error);
                }
                if let Err(error) = self.take(&mut deliveries, events_max) {
                    self.failed = Some(error);
                }
                if self.failed.is_some() && deliveries.is_empty() {
                    continue;
                }
                self.is_warm = self.is_warm || self.partitions.values().all(|partition| partition.was_at_end);
                if !deliveries.is_empty() || self.is_warm || events_max == 0 {
                    return Ok(deliveries);
                }
                if Instant::now() > deadline {
                    return Err(Error::Broker(format!("no answer within {FIRST_FETCH_WAIT_MAX:?}")));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        .boxed()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            client::drop_elsewhere(consumer);
        }
    }
}

pub(super) fn assignment(name: &str, places: &Places) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (partition, next) in places {
        list.add_partition_offset(name, *partition, Native::Offset(*next)).map_err(|error| broken(&error))?;
    }
    Ok(list)
}

/// What stopped reading, in the bus's terms.
pub(super) fn explain(topic: &Topic, error: &KafkaError) -> Error {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            Error::Lost { topic: topic.clone(), offset: Offset::BEGINNING }
        }
        Some(code) if is_no_topic(code) => Error::NoTopic(topic.clone()),
        _ => broken(error),
    }
}

/// Who has everything there is has everything that arrived up to a little while ago.
fn now_told() -> i64 {
    place::millis(SystemTime::now()) - place::slack_ms()
}
