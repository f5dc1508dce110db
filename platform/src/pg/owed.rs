//! Answers that a connection's server still owes: a statement whose caller has gone runs on, and whoever got the connection
//! next would wait for it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many statements of one connection are under way, or were given up.
#[derive(Debug, Clone, Default)]
pub(super) struct Owed(Arc<AtomicUsize>);

impl Owed {
    /// Runs statements. Where the future is dropped before its end, they stay owed.
    pub(super) async fn until_answered<T>(&self, run: impl Future<Output = T>) -> T {
        self.0.fetch_add(1, Ordering::Relaxed);
        let answer = run.await;
        self.0.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    pub(super) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}
