//! Gives back the units of holds that have run out, whether or not anybody asks for them, and forgets commits that
//! nobody tails any more.

use std::sync::Arc;
use std::time::Duration;

use holdfast_platform::pg;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::store::movement::prune_commits;
use crate::usecase::Inventory;

/// How often the commit log is shortened.
const PRUNE_PERIOD: Duration = Duration::from_secs(60);
/// How many transactions it reaches back: many minutes even at full load.
const TRANSACTIONS_KEPT: i64 = 1_000_000;
const PRUNED_AT_ONCE_MAX: i64 = 50_000;

pub(crate) async fn run(inventory: Arc<Inventory>, period: Duration, stopping: CancellationToken) {
    let mut prune_at = Instant::now() + PRUNE_PERIOD;
    loop {
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = stopping.cancelled() => return,
        }
        if let Err(failure) = inventory.sweep().await {
            warn!(%failure, "sweep failed, trying again");
        }
        if Instant::now() >= prune_at {
            prune_at = Instant::now() + PRUNE_PERIOD;
            if let Err(error) = prune(&inventory).await {
                warn!(%error, "commit log cannot be shortened, trying again");
            }
        }
    }
}

async fn prune(inventory: &Inventory) -> Result<(), pg::Error> {
    let connection = inventory.pool.get().await?;
    prune_commits(&*connection, TRANSACTIONS_KEPT, PRUNED_AT_ONCE_MAX).await?;
    Ok(())
}
