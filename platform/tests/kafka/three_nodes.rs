//! Three nodes: leaders are killed under load, then the topic is deleted. Nothing is lost, skipped or reordered.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use holdfast_platform::bus::kafka::Kafka;
use holdfast_platform::bus::testing::{Count, World};
use holdfast_platform::bus::{Bus, Start};
use holdfast_platform::task::spawn_joined;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

use crate::broker::{Cluster, script};
use crate::relay::Relaying;

const KEYS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a topic may take to be gone, or a new leader to be there.
const PATIENCE: Duration = Duration::from_secs(90);

/// Sequences by key.
type Sequences = BTreeMap<String, Vec<i64>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_leaders_and_a_deleted_topic_cost_nothing() {
    let began = Instant::now();
    let Some(cluster) = tokio::task::spawn_blocking(|| Cluster::start(3)).await.expect("the brokers start") else {
        return;
    };
    let world = Arc::new(World::new().await);
    let (kafka, _) = cluster.bus(&world.database_url);
    let relay = Relaying::start(&world, &kafka).await;
    let bus: Arc<dyn Bus> = Arc::new(kafka.clone());
    let members: Vec<_> = (0..2).map(|_| world.consume(&bus, "drill", &Count::new("drill"))).collect();
    let admin = admin(&cluster);

    let appended = Arc::new(AtomicI64::new(0));
    let load = spawn_joined(append_for_ever(Arc::clone(&world), Arc::clone(&appended)));
    println!("three nodes serve after {:?}", began.elapsed());
    let mut due = 300;
    for _ in 0..2 {
        world.wait_for_effects("drill", due).await;
        let leader = leader(&admin).await;
        kill_dead(&cluster, leader);
        // Far beyond what was under way when it died.
        due = appended.load(Ordering::Relaxed) + 600;
        world.wait_for_effects("drill", due).await;
        println!("600 events later {:?}", began.elapsed());
        let data = cluster.dir.clone();
        let started = tokio::task::spawn_blocking(move || script(["start"], &data)).await.expect("it is joined");
        started.expect("the node comes back");
        println!("it is back after {:?}", began.elapsed());
        due = appended.load(Ordering::Relaxed) + 300;
    }
    world.wait_for_effects("drill", due).await;
    load.abort();
    drop(load.await);
    let expected = ledger(&world).await;
    let count = count_of(&expected);
    world.wait_for_effects("drill", count).await;
    assert_eq!(world.effects("drill").await, expected, "each event once, in its key's order");
    assert_eq!(without_repetitions(read(&kafka, &world, count).await), expected, "the log itself has no gap");
    println!("{count} events over two killed leaders, after {:?}", began.elapsed());

    delete(&admin, "shop").await;
    // The relay and both members find out by themselves, and the ledger has it all.
    world.append("z", 1, 1).await;
    world.wait_for_effects("drill", count + 1).await;
    println!("replayed and one more after {:?}", began.elapsed());
    assert_eq!(without_repetitions(read(&kafka, &world, count + 1).await), ledger(&world).await);
    let newcomer = world.consume(&bus, "newcomer", &Count::new("newcomer"));
    world.wait_for_effects("newcomer", count + 1).await;
    for member in members.into_iter().chain([newcomer]) {
        member.abort();
    }
    drop(relay);
    for group in ["drill", "newcomer"] {
        assert_eq!(world.effects(group).await, ledger(&world).await, "{group}");
    }
}

async fn append_for_ever(world: Arc<World>, appended: Arc<AtomicI64>) {
    for sequence in 1.. {
        for key in KEYS {
            world.append(key, sequence, 1).await;
            appended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What was acknowledged to whoever wrote it.
async fn ledger(world: &World) -> Sequences {
    let db = holdfast_platform::pg::connect(&world.database_url).await.expect("the database answers");
    let rows = db.client().query("SELECT key, sequence FROM shop.event ORDER BY key, sequence", &[]).await;
    let mut sequences = Sequences::new();
    for row in rows.expect("the ledger is read") {
        sequences.entry(row.get(0)).or_default().push(row.get(1));
    }
    sequences
}

/// The topic from its beginning, until so many different events came.
async fn read(kafka: &Kafka, world: &World, count: i64) -> Sequences {
    let mut reader = kafka.tail(&world.topic, Start::Beginning).await.expect("the topic is read");
    let mut sequences = Sequences::new();
    let reading = async {
        while count_of(&without_repetitions(sequences.clone())) < count {
            let more = reader.fetch(10_000).await.expect("the topic is read");
            if more.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            for delivery in more {
                let event = delivery.event.expect("an envelope");
                sequences.entry(event.key).or_default().push(event.sequence);
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "the topic never had {count} events");
    sequences
}

fn count_of(sequences: &Sequences) -> i64 {
    sequences.values().map(|of_key| i64::try_from(of_key.len()).expect("a count")).sum()
}

/// As an inbox would: whatever is not later than what came before is a repetition.
fn without_repetitions(mut sequences: Sequences) -> Sequences {
    for of_key in sequences.values_mut() {
        let mut last = 0;
        of_key.retain(|sequence| {
            let is_new = *sequence > last;
            last = last.max(*sequence);
            is_new
        });
    }
    sequences
}

fn admin(cluster: &Cluster) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", cluster.brokers()).create().expect("a client")
}

/// The full name of the one topic whose name ends so.
fn find(admin: &AdminClient<DefaultClientContext>, topic: &str) -> String {
    let metadata = admin.inner().fetch_metadata(None, REQUEST_TIMEOUT).expect("the brokers answer");
    let suffix = format!(".{topic}");
    let found = metadata.topics().iter().find(|it| it.name().ends_with(&suffix)).expect("the topic is there");
    found.name().to_owned()
}

/// The node that leads the topic's first partition.
async fn leader(admin: &AdminClient<DefaultClientContext>) -> i32 {
    tokio::task::block_in_place(|| {
        let name = find(admin, "shop");
        let metadata = admin.inner().fetch_metadata(Some(&name), REQUEST_TIMEOUT).expect("the brokers answer");
        metadata.topics()[0].partitions()[0].leader()
    })
}

fn kill_dead(cluster: &Cluster, node: i32) {
    let pid = std::fs::read_to_string(cluster.dir.join(format!("node-{node}/pid"))).expect("its pid");
    println!("killing node {node}, process {}", pid.trim());
    let killed = Command::new("kill").args(["-KILL", pid.trim()]).status().expect("kill is there");
    assert!(killed.success());
}

async fn delete(admin: &AdminClient<DefaultClientContext>, topic: &str) {
    let name = tokio::task::block_in_place(|| find(admin, topic));
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
    let deleted = admin.delete_topics(&[&name], &options).await.expect("the brokers answer");
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    println!("deleted {name}");
}
