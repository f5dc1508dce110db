//! What is published, and where it lands.

use std::time::Duration;

use holdfast_contracts::events::v1::Envelope;
use holdfast_platform::bus::kafka::Kafka;
use holdfast_platform::bus::testing::World;
use holdfast_platform::bus::{Begin, Bus as _, Delivery, Error, Publisher as _, Start, Topic};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;

use crate::broker;

/// What Java's own client makes of these keys: Kafka's `UtilsTest.testMurmur2`.
const MURMUR2: [(&str, i32); 5] = [
    ("21", -973_932_308),
    ("foobar", -790_332_482),
    ("a-little-bit-long-string", -985_981_536),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
    ("abc", 479_470_107),
];
/// As the tests' topics are made.
const PARTITIONS: i32 = 4;

fn event(key: &str, sequence: i64) -> Envelope {
    Envelope {
        id: format!("{key}-{sequence}"),
        key: key.to_owned(),
        sequence,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        ..Envelope::default()
    }
}

/// As a relay does at its beginning.
async fn publish(kafka: &Kafka, topic: &Topic, events: &[Envelope]) -> Result<(), Error> {
    kafka.publish(topic, events, Begin::First).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_with_nothing_in_it_takes_its_first_batch_only_however_often_another_is_tried() {
    let topic: Topic = "first".parse().expect("a topic");
    let Some(kafka) = broker::kafka("").await else { return };
    for _ in 0..3 {
        let refused = kafka.publish(&topic, &[event("a", 2)], Begin::Next).await;
        assert!(matches!(refused, Err(Error::NoTopic(_))), "{refused:?}");
    }
    kafka.publish(&topic, &[event("a", 1)], Begin::First).await.expect("it is published");
    kafka.publish(&topic, &[event("a", 2)], Begin::Next).await.expect("it is published");
    assert_eq!(read(&kafka, &topic, 2).await.len(), 2);
}

async fn read(kafka: &Kafka, topic: &Topic, count: usize) -> Vec<Delivery> {
    let mut reader = kafka.tail(topic, Start::Beginning).await.expect("the topic is read");
    let mut told = Vec::new();
    while told.len() < count {
        let more = reader.fetch(count).await.expect("the topic is read");
        if more.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        told.extend(more);
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_where_javas_client_would_put_it() {
    let topic: Topic = "keys".parse().expect("a topic");
    let Some(kafka) = broker::kafka("").await else { return };
    let events: Vec<Envelope> = MURMUR2.iter().map(|(key, _)| event(key, 1)).collect();
    publish(&kafka, &topic, &events).await.expect("they are published");
    for delivery in read(&kafka, &topic, events.len()).await {
        let found = delivery.event.expect("an envelope");
        let (_, hash) = MURMUR2.iter().find(|(key, _)| *key == found.key).expect("one of the keys");
        let expected = (hash & i32::MAX) % PARTITIONS;
        assert_eq!(delivery.offset.0[1], i64::from(expected), "{}", found.key);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_arrives_as_it_was_sent() {
    let topic: Topic = "whole".parse().expect("a topic");
    let Some(kafka) = broker::kafka("").await else { return };
    let sent = Envelope { payload: vec![7; 100_000], schema_version: 3, ..event("a", 9) };
    publish(&kafka, &topic, std::slice::from_ref(&sent)).await.expect("it is published");
    assert_eq!(read(&kafka, &topic, 1).await[0].event, Ok(sent));
}

/// One event that the broker refuses stops its batch there, and the next batch goes through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_key_passes_an_event_that_is_refused() {
    let topic: Topic = "large".parse().expect("a topic");
    let Some(kafka) = broker::kafka("").await else { return };
    let too_large = Envelope { payload: vec![7; 9 << 20], ..event("a", 2) };
    let refused = publish(&kafka, &topic, &[event("a", 1), too_large, event("a", 3)]).await;
    assert!(matches!(refused, Err(Error::Broker(_))), "{refused:?}");
    publish(&kafka, &topic, &[event("a", 1), event("a", 2), event("a", 3)]).await.expect("they are published");
    let told = read(&kafka, &topic, 3).await;
    let mut sequences: Vec<i64> = told.into_iter().map(|it| it.event.expect("an envelope").sequence).collect();
    // The first may have been there already.
    sequences.dedup();
    assert!([1, 2, 3].starts_with(&sequences), "{sequences:?}");
}

/// Somebody else's record in our topic is handed out as what it is, to be parked; it hides nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_envelope_is_told_and_passed() {
    let topic: Topic = "foreign".parse().expect("a topic");
    let Some((kafka, brokers, prefix)) = broker::kafka_and_address("").await else { return };
    publish(&kafka, &topic, &[event("a", 1)]).await.expect("it is published");
    let stranger: FutureProducer = ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a client");
    let name = format!("{prefix}.foreign");
    for bytes in [b"\xff\xff not ours".as_slice(), b""] {
        let record = FutureRecord::to(&name).key("a").payload(bytes);
        stranger.send(record, Timeout::Never).await.expect("the broker takes it");
    }
    publish(&kafka, &topic, &[event("a", 2)]).await.expect("it is published");
    let mut told = read(&kafka, &topic, 4).await;
    told.sort_by_key(|delivery| delivery.offset.0[2]);
    let sequences: Vec<i64> = told.iter().filter_map(|it| Some(it.event.as_ref().ok()?.sequence)).collect();
    let refused: Vec<&[u8]> = told.iter().filter_map(|it| Some(it.event.as_ref().err()?.bytes.as_slice())).collect();
    assert_eq!((sequences, refused), (vec![1, 2], vec![b"\xff\xff not ours".as_slice(), b""]));
}

/// A topic nobody made is refused, not waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_topic_is_refused() {
    let world = World::new().await;
    let Some(kafka) = broker::kafka(&world.database_url).await else { return };
    let tail = kafka.tail(&world.topic, Start::Beginning).await.map(drop);
    assert!(matches!(tail, Err(Error::NoTopic(_))), "{tail:?}");
    let member = kafka.subscribe(&world.topic, &world.group("any"), Start::Beginning).await.map(drop);
    assert!(matches!(member, Err(Error::NoTopic(_))), "{member:?}");
}
