//! What holds on every bus holds on Kafka.

use std::sync::Arc;

use holdfast_platform::bus::Bus;
use holdfast_platform::bus::testing::{World, suite};

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
