//! Appends to the log. The model learns of it from the log alone, as after a restart or from another replica.

use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;

use super::Recommender;
use crate::domain::Event;
use crate::metrics::Metrics;
use crate::store;

/// Why events were not recorded, or nobody knows whether they were: the ids make repeating safe.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("the caller's deadline passed before the events were durable")]
    Deadline,
    #[error(transparent)]
    Store(#[from] pg::Error),
}

impl Recommender {
    /// Returns once the events are durable, with how many were new.
    pub(crate) async fn record_events(&self, events: &[Event], deadline: Deadline) -> Result<u64, RecordError> {
        let append = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            store::event::insert_events(&*connection, events).await
        };
        let recorded =
            tokio::time::timeout_at(deadline.instant(), append).await.map_err(|_| RecordError::Deadline)??;
        Metrics::get().recorded.add(recorded);
        self.recorded.notify_one();
        Ok(recorded)
    }
}
