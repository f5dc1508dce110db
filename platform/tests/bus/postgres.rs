//! PostgreSQL as the bus.

use std::sync::Arc;

use holdfast_platform::bus::postgres::PostgresBus;
use holdfast_platform::bus::testing::{Count, World, suite};
use holdfast_platform::bus::{Bus, Start};

macro_rules! laws {
    ($($law:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            let world = World::new().await;
            let bus: Arc<dyn Bus> = Arc::new(PostgresBus::new(&world.database_url));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_member_goes_back_where_its_group_is_moved() {
    let world = World::new().await;
    let bus: Arc<dyn Bus> = Arc::new(PostgresBus::new(&world.database_url));
    world.append("a", 1, 5).await;
    let consumer = world.consume(&bus, "moved", &Count::new("moved"));
    world.wait_for_effects("moved", 5).await;
    bus.rewind(&world.topic, &world.group("moved"), Start::Beginning).await.expect("it is moved");
    world.wait_for_effects("moved", 10).await;
    consumer.abort();
    assert_eq!(world.effects("moved").await["a"], [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
}
