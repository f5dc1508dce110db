//! Gives back the units of holds that have run out, whether or not anybody asks for them, and forgets commits that
//! nobody tails any more.

use std::sync::Arc;
use std::time::Duration;

use holdfast_platform::pg;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::metrics::Metrics;
use crate::store::level::load_oversold;
use crate::store::movement::prune_commits;
use crate::usecase::Inventory;

/// How often the commit log is shortened.
const PRUNE_PERIOD: Duration = Duration::from_secs(60);
/// How many transactions it reaches back: many minutes even at full load.
const TRANSACTIONS_KEPT: i64 = 1_000_000;
/// How many commits one statement forgets: there is another right after it until none is left to forget.
const PRUNED_AT_ONCE_MAX: i64 = 50_000;
/// How often the database is asked whether anything is oversold.
const OVERSOLD_PERIOD: Duration = Duration::from_secs(15);

pub(crate) async fn run(inventory: Arc<Inventory>, period: Duration, stopping: CancellationToken) {
    let mut prune_at = Instant::now() + PRUNE_PERIOD;
    let mut look_at = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = stopping.cancelled() => return,
        }
        if let Err(failure) = inventory.sweep().await {
            warn!(%failure, "sweep failed, trying again");
        }
        if Instant::now() >= look_at {
            look_at = Instant::now() + OVERSOLD_PERIOD;
            if let Err(error) = look_for_oversold(&inventory).await {
                // What is not known is not told.
                Metrics::get().oversold.clear();
                warn!(%error, "nobody knows whether anything is oversold, trying again");
            }
        }
        if Instant::now() >= prune_at {
            prune_at = Instant::now() + PRUNE_PERIOD;
            if let Err(error) = prune(&inventory, TRANSACTIONS_KEPT, PRUNED_AT_ONCE_MAX).await {
                warn!(%error, "commit log cannot be shortened, trying again");
            }
        }
    }
}

async fn look_for_oversold(inventory: &Inventory) -> Result<(), pg::Error> {
    let connection = inventory.pool.get().await?;
    let units = load_oversold(&*connection).await?;
    Metrics::get().oversold.set(units as f64);
    if units > 0 {
        error!(units, "units are promised that are not there");
    }
    Ok(())
}

/// However fast commits come, the log gets no longer than it may be.
async fn prune(inventory: &Inventory, transactions_kept: i64, at_once_max: i64) -> Result<(), pg::Error> {
    let connection = inventory.pool.get().await?;
    while prune_commits(&*connection, transactions_kept, at_once_max).await? >= at_once_max {}
    Ok(())
}
