//! From the ledger to the broker, with nothing kept: it begins at the ledger's beginning.

use std::sync::Arc;
use std::time::Duration;

use holdfast_platform::bus::kafka::Kafka;
use holdfast_platform::bus::ledger::Ledger;
use holdfast_platform::bus::testing::World;
use holdfast_platform::bus::{Error, Offset, Publisher as _};
use holdfast_platform::task::spawn_joined;
use tokio::task::JoinHandle;

const BATCH_EVENTS_MAX: usize = 500;
const PAUSE: Duration = Duration::from_millis(5);

/// Aborted when dropped.
pub(crate) struct Relay(JoinHandle<()>);

impl Relay {
    pub(crate) async fn start(world: &World, kafka: &Kafka) -> Self {
        let made = kafka.publish(&world.topic, &[]).await;
        assert!(matches!(made, Err(Error::NoTopic(_))), "a topic that was made is said to be new: {made:?}");
        let ledger = Ledger::new(&world.database_url, world.topic.clone());
        Self(spawn_joined(relay(ledger, kafka.clone())))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn relay(mut ledger: Ledger, kafka: Kafka) {
    let topic = Arc::new(ledger.topic().clone());
    let mut after = Offset::BEGINNING;
    loop {
        let batch = ledger.read(after, BATCH_EVENTS_MAX).await.expect("the ledger is read");
        let Some(last) = batch.last().map(|delivery| delivery.offset) else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let events: Vec<_> = batch.into_iter().map(|it| it.event.expect("the ledger holds events")).collect();
        match kafka.publish(&topic, &events).await {
            Ok(()) => after = last,
            // Made anew: nothing of what was published is there.
            Err(Error::NoTopic(_)) => after = Offset::BEGINNING,
            Err(Error::Broker(problem)) => println!("published again: {problem}"),
            Err(error) => panic!("not published: {error}"),
        }
    }
}
