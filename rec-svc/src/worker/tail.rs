//! Follows the log and folds it into the model: at start to its end, then as it grows. There is no other way in.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast_platform::pg::{self, Pool};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::metrics::Metrics;
use crate::store::event::{Position, UnreadableEvent, read_log};
use crate::usecase::LiveModel;

/// How many entries are read at once.
const PAGE_ENTRIES_MAX: usize = 5_000;
/// How many are folded before answers may read the model again: none waits for a whole page.
const FOLD_ENTRIES_MAX: usize = 200;
/// How often to look without being woken: for what another replica wrote, and for what was durable but still above the
/// oldest running transaction when we were woken.
const POLL: Duration = Duration::from_millis(50);
/// How long to leave a failing database alone.
const RETRY: Duration = Duration::from_secs(1);

/// The one writer of the model.
#[derive(Debug)]
pub(crate) struct Tail {
    pool: Pool,
    model: LiveModel,
    position: Position,
    events: watch::Sender<u64>,
}

impl Tail {
    /// At the beginning of the log, with an empty model; tells `events` how many were folded.
    pub(crate) fn new(pool: Pool, model: LiveModel, events: watch::Sender<u64>) -> Self {
        Self { pool, model, position: Position::default(), events }
    }

    /// Folds everything up to the log's end.
    pub(crate) async fn catch_up(&mut self) -> Result<(), pg::Error> {
        while self.fold_page().await? == PAGE_ENTRIES_MAX {}
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Metrics::get().fresh_at.set(now.as_secs_f64());
        Ok(())
    }

    /// Goes on until told to stop.
    pub(crate) async fn run(mut self, recorded: Arc<Notify>, stopping: CancellationToken) {
        let follow = async {
            loop {
                match self.catch_up().await {
                    Ok(()) => {
                        let _ = tokio::time::timeout(POLL, recorded.notified()).await;
                    }
                    Err(error) => {
                        warn!(%error, "the log cannot be read: recommendations stay as they are");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        };
        stopping.run_until_cancelled_owned(follow).await;
    }

    async fn fold_page(&mut self) -> Result<usize, pg::Error> {
        let entries_max = i64::try_from(PAGE_ENTRIES_MAX).unwrap_or(i64::MAX);
        let page = {
            let connection = self.pool.get().await?;
            read_log(&*connection, self.position, entries_max).await?
        };
        for entries in page.chunks(FOLD_ENTRIES_MAX) {
            self.model.write(|model| {
                for (position, event) in entries {
                    match event {
                        Ok(event) => model.fold(event),
                        Err(cause) => skip(*position, cause),
                    }
                    self.position = *position;
                }
            });
            Metrics::get().folded.add(entries.len() as u64);
            self.events.send_replace(self.model.read(|model| model.events()));
            tokio::task::yield_now().await;
        }
        Ok(page.len())
    }
}

/// A row nobody can read must not stop those after it; each replica skips the same ones.
fn skip(position: Position, cause: &UnreadableEvent) {
    error!(?position, %cause, "an unreadable event is skipped");
}
