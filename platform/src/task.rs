//! Tasks are named, owned and joined: the only place that spawns.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, error, info_span, warn};

/// The long-running tasks of one service: they share a stop signal and are joined at its end.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that should end soon after [`Tasks::stopping`] resolves.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let span = info_span!("task", task = name);
        let watched = async move {
            if let Err(panic) = spawn_joined(future).await
                && panic.is_panic()
            {
                error!(task = name, "task panicked");
            }
        };
        self.tracker.spawn(watched.instrument(span));
    }

    /// The signal to stop, to select on.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits for the tasks there are, without telling them to stop; whether all have ended by then.
    pub async fn ended_by(&self, until: Instant) -> bool {
        self.tracker.close();
        tokio::time::timeout_at(until, self.tracker.wait()).await.is_ok()
    }

    /// Tells every task to stop and waits for them, but no longer than `grace`.
    pub async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait()).await.is_err() {
            warn!(tasks = self.tracker.len(), "tasks still running after the grace period");
        }
    }
}

/// Starts a task whose handle the caller owns and must join.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub fn spawn_joined<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}
