//! Topics on the broker: what they are called, whether they are there, how they are made.

use std::sync::Arc;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use tracing::info;

use super::address::Address;
use super::client::{self, Context, REQUEST_TIMEOUT, blocking, broken};
use crate::bus::{Error, Topic};

const REPLICAS_WANTED: usize = 3;
/// With three copies, an acknowledged event is on two: any one broker may be lost.
const IN_SYNC_MIN: usize = 2;
/// Larger than any event: what gRPC carries is smaller.
pub(super) const RECORD_BYTES_MAX: usize = 8 << 20;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) struct Topics {
    address: Address,
    admin: Arc<AdminClient<Context>>,
}

impl Topics {
    pub(super) fn new(address: &Address) -> Result<Self, Error> {
        let admin = client::config(address).create_with_context(Context).map_err(|error| broken(&error))?;
        Ok(Self { address: address.clone(), admin: Arc::new(admin) })
    }

    pub(super) fn name(&self, topic: &Topic) -> String {
        format!("{}.{topic}", self.address.prefix)
    }

    /// How many partitions a topic has; none where there is no such topic.
    pub(super) async fn partitions(&self, topic: &Topic) -> Result<Option<i32>, Error> {
        let name = self.name(topic);
        let ask = move |admin: &AdminClient<Context>| admin.inner().fetch_metadata(Some(&name), REQUEST_TIMEOUT);
        let metadata = blocking(&self.admin, ask).await?.map_err(|error| broken(&error))?;
        let found = metadata.topics().first();
        match found.and_then(|topic| topic.error()).map(RDKafkaErrorCode::from) {
            Some(code) if client::is_no_topic(code) => Ok(None),
            Some(code) => Err(Error::Broker(code.to_string())),
            None => Ok(found.and_then(|topic| i32::try_from(topic.partitions().len()).ok()).filter(|count| *count > 0)),
        }
    }

    /// Makes a topic. False where it is there already, as it is.
    pub(super) async fn make(&self, topic: &Topic) -> Result<bool, Error> {
        let name = self.name(topic);
        let replicas = self.replicas().await?;
        let in_sync_min = if replicas >= REPLICAS_WANTED { IN_SYNC_MIN } else { 1 }.to_string();
        let retention_ms = (u64::from(self.address.retention_days) * DAY_MS).to_string();
        let record_bytes_max = RECORD_BYTES_MAX.to_string();
        let replication = TopicReplication::Fixed(i32::try_from(replicas).expect("a bound that fits"));
        let new = NewTopic::new(&name, i32::from(self.address.partitions), replication)
            .set("min.insync.replicas", &in_sync_min)
            .set("unclean.leader.election.enable", "false")
            .set("cleanup.policy", "delete")
            .set("retention.ms", &retention_ms)
            .set("max.message.bytes", &record_bytes_max)
            // The broker's clock, which only rises: a replay of old events is not deleted as old, and a reader that
            // begins at a time misses nothing.
            .set("message.timestamp.type", "LogAppendTime");
        let options =
            AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT)).request_timeout(Some(REQUEST_TIMEOUT));
        let answers = self.admin.create_topics([&new], &options).await.map_err(|error| broken(&error))?;
        match answers.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
            Some(Err((_, code))) => Err(Error::Broker(format!("topic {name} cannot be made: {code}"))),
            Some(Ok(_)) | None => {
                info!(topic = name, replicas, partitions = self.address.partitions, "made a topic");
                Ok(true)
            }
        }
    }

    /// Whether nothing was ever published to it, as it is now.
    pub(super) async fn is_empty(&self, topic: &Topic) -> Result<bool, Error> {
        let partitions = self.partitions(topic).await?.ok_or_else(|| Error::NoTopic(topic.clone()))?;
        let name = self.name(topic);
        let ask = move |admin: &AdminClient<Context>| {
            let end = |partition| Ok(client::watermarks(admin.inner(), &name, partition)?.1);
            (0..partitions).map(end).collect::<Result<Vec<i64>, KafkaError>>()
        };
        let ends = blocking(&self.admin, ask).await?.map_err(|error| broken(&error))?;
        Ok(ends.iter().all(|end| *end == 0))
    }

    async fn replicas(&self) -> Result<usize, Error> {
        if let Some(replicas) = self.address.replicas {
            return Ok(usize::from(replicas));
        }
        let ask = |admin: &AdminClient<Context>| admin.inner().fetch_metadata(None, REQUEST_TIMEOUT);
        let metadata = blocking(&self.admin, ask).await?.map_err(|error| broken(&error))?;
        Ok(metadata.brokers().len().clamp(1, REPLICAS_WANTED))
    }
}
