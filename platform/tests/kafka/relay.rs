//! From the ledger to the broker.

use std::sync::Arc;

use holdfast_platform::bus::inbox::TABLES;
use holdfast_platform::bus::kafka::Kafka;
use holdfast_platform::bus::relay::Relay;
use holdfast_platform::bus::testing::World;
use holdfast_platform::bus::{Begin, Error, Publisher as _};
use holdfast_platform::pg;
use holdfast_platform::task::spawn_joined;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A relay under way; it dies when this is dropped.
pub(crate) struct Relaying(JoinHandle<()>);

impl Relaying {
    pub(crate) async fn start(world: &World, kafka: &Kafka) -> Self {
        let made = kafka.publish(&world.topic, &[], Begin::Next).await;
        assert!(matches!(made, Err(Error::NoTopic(_))), "a topic that was made is said to be new: {made:?}");
        let db = pg::connect(&world.database_url).await.expect("the database answers");
        db.client().batch_execute(&TABLES.replace("SCHEMA", "shop")).await.expect("the relay's tables are made");
        let relay = Relay::new(&world.database_url, world.topic.clone(), Arc::new(kafka.clone())).expect("a relay");
        Self(spawn_joined(relay.run(CancellationToken::new())))
    }
}

impl Drop for Relaying {
    fn drop(&mut self) {
        self.0.abort();
    }
}
