//! What a group has not read yet of a ledger, looked up for the metrics every few seconds, apart from the events. Where
//! two groups of one process read the same ledger, the one that looked last is told.

use std::sync::Arc;
use std::time::Duration;

use tracing::debug;

use crate::bus::tally::Tally;
use crate::bus::{Bus, Group, Topic};

/// How often to look.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Watch {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) topic: Topic,
    pub(super) group: Group,
    pub(super) tally: Tally,
}

impl Watch {
    /// Looks for as long as there is anything to see: behind a broker it is the relay that knows what waits.
    pub(super) async fn run(self) {
        let Self { bus, topic, group, tally } = self;
        loop {
            tokio::time::sleep(PERIOD).await;
            match tokio::time::timeout(PATIENCE, bus.backlog(&topic, &group)).await {
                Ok(Ok(Some(backlog))) => tally.waiting(Some(backlog)),
                Ok(Ok(None)) => return,
                // A number of long ago would pass for one of now.
                Ok(Err(error)) => {
                    debug!(%topic, %group, %error, "nobody knows how many events wait");
                    tally.waiting(None);
                }
                Err(_elapsed) => tally.waiting(None),
            }
        }
    }
}
