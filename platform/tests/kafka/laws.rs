//! What holds on every bus holds on Kafka.

use std::sync::Arc;

use holdfast_platform::bus::testing::{Count, World, suite};
use holdfast_platform::bus::{Bus, Start};
use tokio::task::JoinHandle;

use crate::broker;
use crate::relay::Relaying;

macro_rules! laws {
    ($($law:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            let world = World::new().await;
            let Some(kafka) = broker::kafka(&world.database_url).await else { return };
            let _relay = Relaying::start(&world, &kafka).await;
            let bus: Arc<dyn Bus> = Arc::new(kafka);
            suite::$law(&world, bus).await;
        })*
    };
}

laws!(
    keeps_order_per_key,
    has_each_effect_once_across_kills,
    never_skips_late_commits,
    parks_poison_and_goes_on,
    goes_on_behind_a_dropped_event,
    replays_from_an_offset,
    reads_from_a_time_and_from_the_end,
    shares_within_a_group,
);

/// Members need not be stopped for a replay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_rewound_under_its_running_members() {
    let world = World::new().await;
    let Some(kafka) = broker::kafka(&world.database_url).await else { return };
    let _relay = Relaying::start(&world, &kafka).await;
    let bus: Arc<dyn Bus> = Arc::new(kafka);
    let members: Vec<_> = (0..2).map(|_| world.consume(&bus, "again", &Count::new("again"))).collect();
    world.append("a", 1, 20).await;
    world.append("b", 1, 20).await;
    world.wait_for_effects("again", 40).await;
    bus.rewind(&world.topic, &world.group("again"), Start::Beginning).await.expect("the group is moved");
    world.wait_for_effects("again", 80).await;
    members.iter().for_each(JoinHandle::abort);
    let twice: Vec<i64> = (1..=20).chain(1..=20).collect();
    assert_eq!(world.effects("again").await, [("a".to_owned(), twice.clone()), ("b".to_owned(), twice)].into());
}
