//! The laws. Each wants a world of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Count, World};
use crate::bus::{Bus, Delivery, Reader, Start};

/// How long nothing may happen before it counts as not happening. Only ever delays a test that passes.
const QUIET: Duration = Duration::from_millis(300);

/// Every event of every key, once, in its order.
fn all(keys: &[&str], count: i64) -> BTreeMap<String, Vec<i64>> {
    keys.iter().map(|key| ((*key).to_owned(), (1..=count).collect())).collect()
}

/// Interleaved keys come each in its own order, and each event has one effect.
pub async fn keeps_order_per_key(world: &World, bus: Arc<dyn Bus>) {
    let keys = ["a", "b", "c"];
    let consumer = world.consume(&bus, "order", &Count::new("order"));
    for sequence in 1..=60 {
        for key in keys {
            world.append(key, sequence, 1).await;
        }
    }
    world.wait_for_effects("order", 180).await;
    consumer.abort();
    assert_eq!(world.effects("order").await, all(&keys, 60));
}

/// Whatever moment a consumer dies at, each event has one effect, in order.
pub async fn has_each_effect_once_across_kills(world: &World, bus: Arc<dyn Bus>) {
    const DEATHS: u64 = 40;
    const EVENTS: i64 = 400;
    let handler = Count::new("kills");
    let kills = async {
        for _ in 0..DEATHS {
            let consumer = world.consume(&bus, "kills", &handler);
            tokio::time::sleep(Duration::from_micros(rand::random_range(0..40_000))).await;
            consumer.abort();
            drop(consumer.await);
        }
    };
    tokio::join!(kills, async {
        world.append("a", 1, EVENTS).await;
    });
    let consumer = world.consume(&bus, "kills", &handler);
    world.wait_for_effects("kills", EVENTS).await;
    tokio::time::sleep(QUIET).await;
    consumer.abort();
    assert_eq!(world.effects("kills").await, all(&["a"], EVENTS));
}

/// What commits late is not skipped, however much was committed meanwhile with later numbers, or earlier ones.
pub async fn never_skips_late_commits(world: &World, bus: Arc<dyn Bus>) {
    let consumer = world.consume(&bus, "late", &Count::new("late"));
    world.append("a", 1, 1).await;
    world.wait_for_effects("late", 1).await;
    let first = world.append_late("b", 1).await;
    let second = world.append_late("c", 1).await;
    world.append("a", 2, 20).await;
    first.append("b", 2).await;
    second.commit().await;
    // What is committed behind a running transaction may wait for it, but must not go before it unseen.
    tokio::time::sleep(QUIET).await;
    world.append("a", 22, 5).await;
    first.commit().await;
    world.wait_for_effects("late", 29).await;
    consumer.abort();
    let effects = world.effects("late").await;
    assert_eq!(effects["a"], (1..=26).collect::<Vec<_>>());
    assert_eq!((effects["b"].as_slice(), effects["c"].as_slice()), ([1, 2].as_slice(), [1].as_slice()));
}

/// An event that cannot be handled is parked with its cause, later ones of its key wait behind it, all others go on;
/// tried again once healed, order per key holds after all.
pub async fn parks_poison_and_goes_on(world: &World, bus: Arc<dyn Bus>) {
    let handler = Count::new("poison");
    handler.poison("a", 3);
    for sequence in 1..=10 {
        world.append("a", sequence, 1).await;
        world.append("b", sequence, 1).await;
    }
    let consumer = world.consume(&bus, "poison", &handler);
    world.wait_for_parked("poison", 8).await;
    world.wait_for_effects("poison", 12).await;
    let effects = world.effects("poison").await;
    assert_eq!((&effects["a"], &effects["b"]), (&vec![1, 2], &(1..=10).collect::<Vec<_>>()));

    let till = world.till().await;
    let inbox = world.inbox("poison");
    let parked = inbox.list_parked(&till, 100).await.expect("parked events are listed");
    assert_eq!(parked.iter().map(|it| it.sequence).collect::<Vec<_>>(), (3..=10).collect::<Vec<_>>());
    assert_eq!((parked[0].cause.as_deref(), parked[1].cause.as_deref()), (Some("a 3 is poison"), None));

    // Released while it is still poison, it is parked again, in its place.
    let id = &parked[0].event_id;
    assert_eq!(inbox.release_parked(&till, Some(id)).await.expect("released"), 1);
    world.append("a", 11, 1).await;
    world.wait_for_parked("poison", 9).await;

    handler.heal();
    assert_eq!(inbox.release_parked(&till, Some(id)).await.expect("released"), 1);
    world.wait_for_parked("poison", 0).await;
    world.append("a", 12, 1).await;
    world.wait_for_effects("poison", 22).await;
    consumer.abort();
    let effects = world.effects("poison").await;
    assert_eq!(effects["a"], (1..=12).collect::<Vec<_>>());
}

/// A parked event that is given up lets those behind it go on.
pub async fn goes_on_behind_a_dropped_event(world: &World, bus: Arc<dyn Bus>) {
    let handler = Count::new("dropped");
    handler.poison("a", 2);
    world.append("a", 1, 5).await;
    let consumer = world.consume(&bus, "dropped", &handler);
    world.wait_for_parked("dropped", 4).await;
    let till = world.till().await;
    let inbox = world.inbox("dropped");
    let parked = inbox.list_parked(&till, 1).await.expect("parked events are listed");
    assert!(inbox.drop_parked(&till, &parked[0].event_id).await.expect("dropped"));
    assert!(!inbox.drop_parked(&till, &parked[0].event_id).await.expect("dropped"), "it is gone");
    world.wait_for_effects("dropped", 4).await;
    consumer.abort();
    assert_eq!(world.effects("dropped").await["a"], [1, 3, 4, 5]);
}

/// Replayed from an offset, exactly what follows it is handled again; whoever only continues handles nothing twice.
pub async fn replays_from_an_offset(world: &World, bus: Arc<dyn Bus>) {
    world.append("a", 1, 30).await;
    let consumer = world.consume(&bus, "replay", &Count::new("replay"));
    world.wait_for_effects("replay", 30).await;
    consumer.abort();
    drop(consumer.await);

    let told = read_all(bus.tail(&world.topic, Start::Beginning).await.expect("the topic is read"), 30).await;
    let from = Start::After(told[9].offset);
    bus.rewind(&world.topic, &world.group("replay"), from).await.expect("the group is moved");
    let consumer = world.consume(&bus, "replay", &Count::new("replay"));
    world.wait_for_effects("replay", 50).await;
    tokio::time::sleep(QUIET).await;
    consumer.abort();
    assert_eq!(world.effects("replay").await["a"], (1..=30).chain(11..=30).collect::<Vec<_>>());
}

/// A reader from a time misses nothing of that time or later; one from the end sees only what comes then.
pub async fn reads_from_a_time_and_from_the_end(world: &World, bus: Arc<dyn Bus>) {
    world.append("a", 1, 5).await;
    let told = read_all(bus.tail(&world.topic, Start::Beginning).await.expect("the topic is read"), 5).await;
    let event = told[2].event.as_ref().expect("an envelope");
    let time = event.occur_time.expect("it has a time").try_into().expect("after 1970");
    let since = read_all(bus.tail(&world.topic, Start::Time(time)).await.expect("the topic is read"), 3).await;
    assert!(since.iter().any(|delivery| delivery.event.as_ref() == Ok(event)), "{since:?}");

    let end = bus.tail(&world.topic, Start::End).await.expect("the topic is read");
    world.append("a", 6, 2).await;
    let after = read_all(end, 2).await;
    assert_eq!(after.iter().map(|it| it.event.as_ref().expect("an event").sequence).collect::<Vec<_>>(), [6, 7]);
}

/// Two members of a group share its events; none is handled by both, and one goes on where the other died.
pub async fn shares_within_a_group(world: &World, bus: Arc<dyn Bus>) {
    let keys = ["a", "b", "c", "d"];
    let (one, other) = (Count::new("shared"), Count::new("shared"));
    let dying = world.consume(&bus, "shared", &one);
    let staying = world.consume(&bus, "shared", &other);
    for sequence in 1..=40 {
        for key in keys {
            world.append(key, sequence, 1).await;
        }
        if sequence == 20 {
            dying.abort();
        }
    }
    world.wait_for_effects("shared", 160).await;
    tokio::time::sleep(QUIET).await;
    staying.abort();
    assert_eq!(world.effects("shared").await, all(&keys, 40));
}

async fn read_all(mut reader: Box<dyn Reader>, count: usize) -> Vec<Delivery> {
    let mut told = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), async {
        while told.len() < count {
            let more = reader.fetch(count - told.len()).await.expect("the topic is read");
            if more.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            told.extend(more);
        }
    });
    assert!(read.await.is_ok(), "only {} of {count} events came", told.len());
    told
}
