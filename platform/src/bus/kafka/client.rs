//! What all our clients of the broker have in common. librdkafka does its network work in threads of its own; what it
//! can only do blocking happens in [`blocking`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;

use super::address::Address;
use crate::bus::Error;

/// How long one question to the brokers may take.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to leave a partition alone that has no leader yet.
const LEADER_PAUSE: Duration = Duration::from_millis(50);
/// After a broker is gone, how long at most until its address is tried again.
const RECONNECT_BACKOFF_MS_MAX: &str = "1000";
/// Where partitions moved, the new leader is asked for at least this often while one is missing.
const METADATA_REFRESH_FAST_MS: &str = "100";

pub(super) fn config(address: &Address) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &address.brokers)
        .set("client.id", "holdfast")
        .set("reconnect.backoff.max.ms", RECONNECT_BACKOFF_MS_MAX)
        .set("topic.metadata.refresh.fast.interval.ms", METADATA_REFRESH_FAST_MS)
        // Topics are made by us, with what we need of them, or not at all.
        .set("allow.auto.create.topics", "false")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Info);
    config
}

/// librdkafka's log lines become ours.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context;

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "kafka", facility, "{message}");
        }
        // What librdkafka calls an error is a broker that is away; it goes on trying by itself.
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => tracing::warn!(target: "kafka", facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(target: "kafka", facility, "{message}"),
        RDKafkaLogLevel::Debug => tracing::debug!(target: "kafka", facility, "{message}"),
    }
}

pub(super) fn log_error(error: &KafkaError, reason: &str) {
    tracing::warn!(target: "kafka", %error, "{reason}");
}

pub(super) fn broken(error: &KafkaError) -> Error {
    Error::Broker(error.to_string())
}

/// Whether the topic is not there (any more).
pub(super) fn is_no_topic(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(code, Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicId)
}

/// A partition's oldest event and the one to come. Blocks; waits out a change of leaders.
///
/// # Errors
/// Where the brokers do not answer in time.
pub(super) fn watermarks<C: ClientContext>(client: &Client<C>, name: &str, partition: i32) -> KafkaResult<(i64, i64)> {
    use RDKafkaErrorCode as Code;
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    loop {
        match client.fetch_watermarks(name, partition, REQUEST_TIMEOUT) {
            Err(error)
                if Instant::now() < deadline
                    && matches!(
                        error.rdkafka_error_code(),
                        Some(Code::NotLeaderForPartition | Code::LeaderNotAvailable | Code::ReplicaNotAvailable)
                    ) =>
            {
                std::thread::sleep(LEADER_PAUSE);
            }
            answer => return answer,
        }
    }
}

/// Runs what blocks where blocking harms nobody.
pub(super) async fn blocking<C, T>(client: &Arc<C>, ask: impl FnOnce(&C) -> T + Send + 'static) -> Result<T, Error>
where
    C: Send + Sync + 'static,
    T: Send + 'static,
{
    let client = Arc::clone(client);
    let answer = tokio::task::spawn_blocking(move || ask(&client)).await;
    answer.map_err(|_| Error::Broker("a question to the broker was cut off".to_owned()))
}

/// Closing a client waits for its threads and its goodbyes.
pub(super) fn drop_elsewhere<C: Send + 'static>(client: C) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        // At the runtime's own end it is dropped here and now.
        drop(runtime.spawn_blocking(move || drop(client)));
    }
}
