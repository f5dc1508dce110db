//! Which partitions a member of a group has. The broker hands them out and takes them back while the member polls;
//! taken back is at once, handed out is written down here until the member knows where to begin.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::client;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// To be answered with an assignment.
    Given(Vec<i32>),
    Taken(Vec<i32>),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Membership {
    changes: Mutex<Vec<Change>>,
    is_leaving: AtomicBool,
}

impl Membership {
    /// From now on nobody asks what changed: whatever is given is accepted at once, since a consumer that owes the broker
    /// an answer cannot be closed. It is taken back in closing.
    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::SeqCst);
    }

    /// What changed since this was last asked, in order.
    pub(super) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client::log_error(&error, reason);
    }
}

impl ConsumerContext for Membership {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(|element| element.partition()).collect();
        let change = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if self.is_leaving.load(Ordering::SeqCst)
                && let Err(error) = consumer.incremental_assign(list)
            {
                tracing::debug!(target: "kafka", %error, "partitions that nobody waits for any more");
            }
            Change::Given(partitions)
        } else {
            // What of them is under way no longer counts: the member that gets them finds its claim in the way.
            if let Err(error) = consumer.incremental_unassign(list) {
                tracing::debug!(target: "kafka", %error, "partitions taken back before they were ours");
            }
            Change::Taken(partitions)
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }
}
