//! Publishing. An event counts as published once every in-sync broker has it (acks=all), and none of a key's events
//! ever overtakes another: the producer is idempotent, keeps one order per partition, and is thrown away with all it
//! still holds as soon as one event fails, so that a later one cannot go on without it.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::stream::{FuturesOrdered, StreamExt as _};
use holdfast_contracts::events::v1::Envelope;
use prost::Message as _;
use rdkafka::error::KafkaError;
use rdkafka::producer::future_producer::OwnedDeliveryResult;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::Mutex;

use super::address::Address;
use super::client::{self, Context, broken};
use super::record;
use super::topics::{RECORD_BYTES_MAX, Topics};
use crate::bus::{Begin, Error, Topic};

/// How long the brokers may take to have a batch; a leader that dies is replaced in less.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);
/// What waits in the producer, for all topics together.
const QUEUE_EVENTS_MAX: usize = 20_000;
const QUEUE_KBYTES_MAX: usize = 64 << 10;
/// Requests under way to one broker: as many as an idempotent producer may have.
const IN_FLIGHT_MAX: usize = 5;
/// How long an event waits for others to travel with.
const LINGER_MS: &str = "1";

/// How long a topic may be unknown before it counts as gone.
const TOPIC_GONE_MS: &str = "10000";

type Producer = FutureProducer<Context>;

pub(super) struct Publishing {
    address: Address,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None until it is needed, and after a failure.
    producer: Option<Producer>,
    /// Topics known to be there.
    known: HashSet<Topic>,
}

impl Publishing {
    pub(super) fn new(address: &Address) -> Self {
        Self { address: address.clone(), state: Mutex::default() }
    }

    /// All of them, in their order, or an error: then nobody knows how many of them are there. Of a topic that was not
    /// there, or in which there never was anything, only the first batch is taken: whatever else was once published is
    /// gone, and the caller must begin again, however often it was told before, or readers would miss it.
    pub(super) async fn publish(
        &self,
        topics: &Topics,
        topic: &Topic,
        events: &[Envelope],
        begin: Begin,
    ) -> Result<(), Error> {
        // One batch at a time: were one to fail while a later one goes on, order would be lost.
        let mut state = self.state.lock().await;
        if !state.known.contains(topic) {
            let is_empty = topics.make(topic).await? || topics.is_empty(topic).await?;
            if is_empty && begin == Begin::Next {
                return Err(Error::NoTopic(topic.clone()));
            }
            state.known.insert(topic.clone());
        }
        // Taken out: a caller that gives up midway leaves no half-sent batch to go on by itself.
        let mut guard = Guard(match state.producer.take() {
            Some(producer) => Some(producer),
            None => Some(self.producer()?),
        });
        let producer = guard.0.as_ref().expect("it was just put there");
        let name = topics.name(topic);
        let sent = tokio::time::timeout(PUBLISH_TIMEOUT, send_all(producer, &name, events)).await;
        match sent {
            Ok(Ok(())) => {
                state.producer = guard.0.take();
                Ok(())
            }
            failed => {
                // It may be gone from the broker.
                state.known.remove(topic);
                Err(match failed {
                    Ok(Err(error)) => broken(&error),
                    Ok(Ok(())) | Err(_) => Error::Broker(format!("not acknowledged within {PUBLISH_TIMEOUT:?}")),
                })
            }
        }
    }

    fn producer(&self) -> Result<Producer, Error> {
        let mut config = client::config(&self.address);
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("enable.gapless.guarantee", "true")
            .set("max.in.flight.requests.per.connection", IN_FLIGHT_MAX.to_string())
            // Events do not time out one by one, which would let later ones pass: PUBLISH_TIMEOUT ends them all.
            .set("message.timeout.ms", "0")
            .set("queue.buffering.max.messages", QUEUE_EVENTS_MAX.to_string())
            .set("queue.buffering.max.kbytes", QUEUE_KBYTES_MAX.to_string())
            .set("topic.metadata.propagation.max.ms", TOPIC_GONE_MS)
            .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
            .set("linger.ms", LINGER_MS)
            .set("compression.type", "lz4")
            // Java's own: a key is in the same partition whoever publishes it.
            .set("partitioner", "murmur2_random");
        config.create_with_context(Context).map_err(|error| broken(&error))
    }
}

/// Sends in order, a queue's length ahead of the acknowledgements.
async fn send_all(producer: &Producer, topic: &str, events: &[Envelope]) -> Result<(), KafkaError> {
    let mut under_way: FuturesOrdered<DeliveryFuture> = FuturesOrdered::new();
    for event in events {
        let value = event.encode_to_vec();
        let mut next = FutureRecord::to(topic).key(&event.key).payload(&value).headers(record::headers(event));
        loop {
            match producer.send_result(next) {
                Ok(delivery) => break under_way.push_back(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), same)) => {
                    next = same;
                    match under_way.next().await {
                        Some(delivered) => acknowledged(delivered)?,
                        // Full of what others gave up on.
                        None => tokio::task::yield_now().await,
                    }
                }
                Err((error, _)) => return Err(error),
            }
        }
    }
    while let Some(delivered) = under_way.next().await {
        acknowledged(delivered)?;
    }
    Ok(())
}

fn acknowledged<E>(delivered: Result<OwnedDeliveryResult, E>) -> Result<(), KafkaError> {
    match delivered {
        Ok(Ok(_)) => Ok(()),
        Ok(Err((error, _))) => Err(error),
        Err(_) => Err(KafkaError::Canceled),
    }
}

/// Purging a producer and waiting for its threads blocks.
struct Guard(Option<Producer>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(producer) = self.0.take() {
            client::drop_elsewhere(producer);
        }
    }
}
