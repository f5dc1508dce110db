//! Waiting for what must happen.

use std::future::Future;
use std::time::Duration;

/// How long a test waits for what must happen; generous, since other work shares the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something to see.
pub(crate) async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Waits for an answer, but not for ever.
pub(crate) async fn soon<T>(what: &str, answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
