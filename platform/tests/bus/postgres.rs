//! PostgreSQL as the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_contracts::events::v1::Envelope;
use holdfast_platform::bus::consumer::{Config, Consumer};
use holdfast_platform::bus::postgres::PostgresBus;
use holdfast_platform::bus::testing::{Count, World, suite};
use holdfast_platform::bus::{Bus, HandleError, Handler, Start};
use holdfast_platform::pg::{Execute as _, Transaction};
use holdfast_platform::task::spawn_joined;
use tokio_util::sync::CancellationToken;

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

/// However many keys are parked, and whatever cannot be read among them: what was released has its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_event_has_its_turn_however_many_others_are_parked() {
    let world = World::new().await;
    let bus: Arc<dyn Bus> = Arc::new(PostgresBus::new(&world.database_url));
    let (till, handler) = (world.till().await, Count::new("many"));
    let fill = "INSERT INTO inbox_parked (topic, consumer, key, sequence, event_id, envelope, cause, attempts)
        SELECT 'shop', 'many', key, n, key || n, '', CASE WHEN n = 1 THEN 'is poison' END, 1 FROM
            (SELECT 'hot' AS key, n FROM generate_series(1, 20000) AS n
             UNION ALL SELECT 'cold' || n, 1 FROM generate_series(1, 2500) AS n) AS them";
    till.client().batch_execute(fill).await.expect("they are parked");
    handler.poison("z", 1);
    world.append("z", 1, 2).await;
    let consumer = world.consume(&bus, "many", &handler);
    world.wait_for_parked("many", 22_502).await;
    handler.heal();
    // As an operator who names none does: also those that are no events.
    till.client()
        .batch_execute("UPDATE inbox_parked SET released = true WHERE key >= 'cold2400' AND cause IS NOT NULL")
        .await
        .expect("released");
    world.wait_for_effects("many", 2).await;
    consumer.abort();
    assert_eq!(world.effects("many").await["z"], [1, 2]);
}

/// Has no time for more than one event at once.
struct Slow(Arc<AtomicUsize>);

impl Handler for Slow {
    type Prepared = usize;

    async fn prepare(&self, events: &[Envelope]) -> Result<usize, HandleError> {
        if events.len() > 1 { Err(HandleError::Later("too many".into())) } else { Ok(events.len()) }
    }

    async fn apply(&self, tx: &Transaction<'_>, events: usize) -> Result<(), HandleError> {
        tx.query_one("SELECT 1", &[]).await?;
        self.0.fetch_add(events, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_never_has_time_enough_is_handled_event_by_event() {
    let world = World::new().await;
    let bus: Arc<dyn Bus> = Arc::new(PostgresBus::new(&world.database_url));
    world.append("a", 1, 10).await;
    let handled = Arc::new(AtomicUsize::new(0));
    let config = Config {
        database_url: world.database_url.clone(),
        topic: world.topic.clone(),
        group: world.group("slow"),
        begin: Start::Beginning,
    };
    let consumer = Consumer::new(config, bus, Slow(Arc::clone(&handled)));
    let consumer = spawn_joined(consumer.run(CancellationToken::new()));
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        while handled.load(Ordering::Relaxed) < 10 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "only {} were handled", handled.load(Ordering::Relaxed));
    consumer.abort();
}
