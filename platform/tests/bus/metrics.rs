//! What consumers tell of the events that they read.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::Workload;
use holdfast_contracts::events::v1::Envelope;
use holdfast_platform::bus::postgres::PostgresBus;
use holdfast_platform::bus::testing::{Count, World};
use holdfast_platform::bus::{Bus, HandleError, Handler};
use holdfast_platform::pg::Transaction;
use holdfast_platform::telemetry::metrics::Metrics;

/// How long what must happen may take on a slow, busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "it never comes");
}

/// Asks for time, always.
#[derive(Debug, Clone, Copy)]
struct Stuck;

impl Handler for Stuck {
    type Prepared = ();

    async fn prepare(&self, _: &[Envelope]) -> Result<(), HandleError> {
        Err(HandleError::Later("not today".into()))
    }

    async fn apply(&self, _: &Transaction<'_>, (): ()) -> Result<(), HandleError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_what_was_late_and_what_is_put_aside_is_told() {
    // No other test here reads this topic.
    let (world, metrics, owner) = (World::of("orders").await, Metrics::get(), (Workload::OrderSvc,));
    let bus: Arc<dyn Bus> = Arc::new(PostgresBus::new(&world.database_url));
    world.append("a", 1, 3).await;
    world.append("b", 1, 2).await;
    let stuck = world.consume(&bus, "told", &Stuck);
    until(|| metrics.outbox_pending.of(owner).get() == Some(5.0)).await;
    assert!(metrics.outbox_oldest.of(owner).get().is_some_and(|age| age > 0.0));
    assert_eq!(metrics.event_lag.of(owner).count(), 0, "none has come to its consumer");
    stuck.abort();

    let handler = Count::new("told");
    handler.poison("a", 2);
    let consumer = world.consume(&bus, "told", &handler);
    world.wait_for_effects("told", 3).await;
    until(|| metrics.events_parked.of(owner).get() == Some(2.0)).await;
    until(|| metrics.outbox_pending.of(owner).get() == Some(0.0)).await;
    assert_eq!(metrics.outbox_oldest.of(owner).get(), Some(0.0), "there is none");
    assert_eq!(metrics.event_lag.of(owner).count(), 3, "what is put aside has not come");
    consumer.abort();
}
