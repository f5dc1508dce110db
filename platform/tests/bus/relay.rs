//! The relay, with a broker that fails on demand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use holdfast_contracts::Workload;
use holdfast_contracts::events::v1::Envelope;
use holdfast_platform::bus::inbox::{Inbox, TABLES};
use holdfast_platform::bus::ledger::Ledger;
use holdfast_platform::bus::relay::{Relay, group_of, load_backlog};
use holdfast_platform::bus::testing::World;
use holdfast_platform::bus::{Begin, Error, Publisher, Topic};
use holdfast_platform::pg;
use holdfast_platform::task::spawn_joined;
use holdfast_platform::telemetry::metrics::Metrics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::metrics::until;

/// Takes half of every third batch and then says that it failed; nothing at all while it is away.
#[derive(Default)]
struct Broker {
    taken: Mutex<Vec<(String, i64)>>,
    batches: Mutex<u64>,
    away: AtomicBool,
    /// Nothing of what was published is there any more.
    emptied: AtomicBool,
}

impl Publisher for Broker {
    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        events: &'a [Envelope],
        begin: Begin,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            if begin == Begin::Next && self.emptied.load(Ordering::Relaxed) {
                return Err(Error::NoTopic(topic.clone()));
            }
            self.emptied.store(false, Ordering::Relaxed);
            if self.away.load(Ordering::Relaxed) {
                return Err(Error::Broker("away".into()));
            }
            // Slow enough for deaths to come in the middle.
            tokio::time::sleep(Duration::from_millis(2)).await;
            let mut batches = self.batches.lock().expect("no panics");
            *batches += 1;
            let taken = if (*batches).is_multiple_of(3) { events.len() / 2 } else { events.len() };
            let told = events[..taken].iter().map(|event| (event.key.clone(), event.sequence));
            self.taken.lock().expect("no panics").extend(told);
            if taken < events.len() { Err(Error::Broker("half of it".into())) } else { Ok(()) }
        }
        .boxed()
    }
}

impl Broker {
    /// What a consumer that drops repetitions sees, by key.
    fn first_seen(&self) -> BTreeMap<String, Vec<i64>> {
        let mut seen: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (key, sequence) in self.taken.lock().expect("no panics").iter() {
            let of_key = seen.entry(key.clone()).or_default();
            if !of_key.contains(sequence) {
                of_key.push(*sequence);
            }
        }
        seen
    }

    async fn wait_for(&self, count: usize) {
        let waited = tokio::time::timeout(Duration::from_secs(60), async {
            while self.first_seen().values().map(Vec::len).sum::<usize>() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(waited.await.is_ok(), "never came: {count} events");
    }
}

/// A world whose ledger has a relay's tables too.
async fn world() -> World {
    world_of("shop").await
}

async fn world_of(topic: &str) -> World {
    let world = World::of(topic).await;
    let db = pg::connect(&world.database_url).await.expect("the database answers");
    db.client().batch_execute(&TABLES.replace("SCHEMA", topic)).await.expect("the tables are made");
    world
}

fn start(world: &World, broker: &Arc<Broker>) -> JoinHandle<()> {
    let publisher: Arc<dyn Publisher> = broker.clone();
    let relay = Relay::new(&world.database_url, world.topic.clone(), publisher).expect("a relay");
    spawn_joined(relay.run(CancellationToken::new()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_is_followed_by_another_and_nothing_is_lost_or_out_of_order() {
    let (world, broker) = (world().await, Arc::new(Broker::default()));
    let mut relays: Vec<_> = (0..2).map(|_| start(&world, &broker)).collect();
    for round in 0..12 {
        let late = world.append_late("late", round + 1).await;
        world.append("a", round * 10 + 1, 10).await;
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..30))).await;
        relays.remove(0).abort();
        relays.push(start(&world, &broker));
        late.commit().await;
    }
    broker.wait_for(132).await;
    let expected = BTreeMap::from([("a".to_owned(), (1..=120).collect()), ("late".to_owned(), (1..=12).collect())]);
    assert_eq!(broker.first_seen(), expected);
    relays.iter().for_each(JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_lost_everything_is_given_it_again_from_the_beginning() {
    let (world, broker) = (world().await, Arc::new(Broker::default()));
    world.append("a", 1, 30).await;
    let relay = start(&world, &broker);
    broker.wait_for(30).await;
    broker.taken.lock().expect("no panics").clear();
    broker.emptied.store(true, Ordering::Relaxed);
    world.append("a", 31, 1).await;
    broker.wait_for(31).await;
    assert_eq!(broker.first_seen()["a"], (1..=31).collect::<Vec<_>>());
    relay.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_the_ledger_is_the_queue() {
    let (world, broker) = (world().await, Arc::new(Broker::default()));
    broker.away.store(true, Ordering::Relaxed);
    let relay = start(&world, &broker);
    world.append("a", 1, 25).await;
    let inbox = Inbox::new(world.topic.clone(), group_of(&world.topic).expect("a group"));
    let db = inbox.connect(&world.database_url).await.expect("the database answers");
    let mut ledger = Ledger::new(&world.database_url, world.topic.clone());
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let backlog = load_backlog(&mut ledger, &inbox, &db).await.expect("it is counted");
            if backlog.events == 25 {
                break backlog;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.expect("the backlog is seen").oldest.is_some());
    broker.away.store(false, Ordering::Relaxed);
    broker.wait_for(25).await;
    relay.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_told_and_what_is_published_is_counted() {
    // No other test here relays this topic.
    let (world, broker) = (world_of("inventory").await, Arc::new(Broker::default()));
    let (metrics, owner) = (Metrics::get(), (Workload::InventorySvc,));
    broker.away.store(true, Ordering::Relaxed);
    world.append("a", 1, 25).await;
    let relay = start(&world, &broker);
    until(|| metrics.outbox_pending.of(owner).get() == Some(25.0)).await;
    assert!(metrics.outbox_oldest.of(owner).get().is_some_and(|age| age > 0.0));
    assert_eq!(metrics.outbox_published.of(owner).get(), 0, "nobody took them");
    broker.away.store(false, Ordering::Relaxed);
    until(|| metrics.outbox_pending.of(owner).get() == Some(0.0)).await;
    assert_eq!(metrics.outbox_oldest.of(owner).get(), Some(0.0), "there is none");
    until(|| metrics.outbox_published.of(owner).get() == 25).await;
    relay.abort();
}
