//! Places in a topic. Each partition has an order of its own, so a group stands at one place per partition.
//! One [`Offset`], as text `1790000000000.3.4711`, is a time, a partition and an event in it: what comes after it is
//! what follows that event in its partition, and in every other partition what arrived from about that time on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::topic_partition_list::{Offset as Native, TopicPartitionList};

use super::client::{self, REQUEST_TIMEOUT, blocking, broken};
use crate::bus::{Error, Offset, Start, Topic};

/// By how much the brokers' clocks may differ from each other and ours, and how long an event may be on its way through
/// the replicas: a place given as a time is taken this much earlier. Some events come twice then, none is left out.
const TIME_SLACK: Duration = Duration::from_secs(60);

/// For each partition, the number of the event to read next.
pub(super) type Places = BTreeMap<i32, i64>;

pub(super) fn offset(time_ms: i64, partition: i32, number: i64) -> Offset {
    Offset([time_ms, i64::from(partition), number])
}

/// Finds where reading begins in each of `partitions` partitions.
pub(super) async fn locate<C: ConsumerContext + 'static>(
    consumer: &Arc<BaseConsumer<C>>,
    name: &str,
    topic: &Topic,
    partitions: i32,
    start: Start,
) -> Result<Places, Error> {
    let ends = ends(consumer, name, partitions).await?;
    match start {
        Start::Beginning => Ok(ends.iter().map(|(partition, end)| (*partition, end.first)).collect()),
        Start::End => Ok(ends.iter().map(|(partition, end)| (*partition, end.next)).collect()),
        Start::Time(time) => at(consumer, name, &ends, millis(time)).await,
        Start::After(Offset::BEGINNING) => Ok(ends.iter().map(|(partition, end)| (*partition, end.first)).collect()),
        Start::After(after @ Offset([time_ms, partition, number])) => {
            let lost = || Error::Lost { topic: topic.clone(), offset: after };
            let partition = i32::try_from(partition).map_err(|_| lost())?;
            let end = ends.get(&partition).ok_or_else(lost)?;
            let next = number.checked_add(1).filter(|next| (end.first..=end.next).contains(next)).ok_or_else(lost)?;
            let mut places = at(consumer, name, &ends, time_ms).await?;
            places.insert(partition, next);
            Ok(places)
        }
    }
}

/// What a partition holds: events from `first` up to before `next`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) first: i64,
    pub(super) next: i64,
}

pub(super) async fn ends<C: ConsumerContext + 'static>(
    consumer: &Arc<BaseConsumer<C>>,
    name: &str,
    partitions: i32,
) -> Result<BTreeMap<i32, Ends>, Error> {
    let name = name.to_owned();
    let ask = move |consumer: &BaseConsumer<C>| {
        let of = |partition| {
            let (first, next) = client::watermarks(consumer.client(), &name, partition)?;
            Ok((partition, Ends { first, next }))
        };
        (0..partitions).map(of).collect::<Result<BTreeMap<_, _>, _>>()
    };
    blocking(consumer, ask).await?.map_err(|error| broken(&error))
}

async fn at<C: ConsumerContext + 'static>(
    consumer: &Arc<BaseConsumer<C>>,
    name: &str,
    ends: &BTreeMap<i32, Ends>,
    time_ms: i64,
) -> Result<Places, Error> {
    let time_ms = time_ms.saturating_sub(slack_ms()).max(0);
    let mut asked = TopicPartitionList::with_capacity(ends.len());
    for partition in ends.keys() {
        asked.add_partition_offset(name, *partition, Native::Offset(time_ms)).map_err(|error| broken(&error))?;
    }
    let ask = move |consumer: &BaseConsumer<C>| consumer.offsets_for_times(asked, REQUEST_TIMEOUT);
    let found = blocking(consumer, ask).await?.map_err(|error| broken(&error))?;
    let mut places = Places::new();
    for element in found.elements() {
        element.error().map_err(|error| broken(&error))?;
        let end = ends.get(&element.partition()).map_or(0, |end| end.next);
        // Nothing that late: what comes next is.
        let next = if let Native::Offset(next) = element.offset() { next } else { end };
        places.insert(element.partition(), next);
    }
    Ok(places)
}

pub(super) fn slack_ms() -> i64 {
    i64::try_from(TIME_SLACK.as_millis()).expect("a minute fits")
}

pub(super) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
