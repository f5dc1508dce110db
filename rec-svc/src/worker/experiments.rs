//! Keeps what this replica knows of experiments fresh, and their sums close to what was recorded.

use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::usecase::Experiments;

/// How old what a replica knows may be.
const REFRESH: Duration = Duration::from_secs(1);
/// How many refreshes pass between two folds.
const REFRESHES_PER_FOLD: u32 = 10;

/// Goes on until told to stop.
pub(crate) async fn run(experiments: Experiments, stopping: CancellationToken) {
    let keep = async {
        for turn in 0u32.. {
            if turn > 0 {
                tokio::time::sleep(REFRESH).await;
            }
            if let Err(error) = experiments.registry.refresh(&experiments.pool).await {
                warn!(%error, "experiments cannot be read: assignments stay as they are");
                continue;
            }
            if turn % REFRESHES_PER_FOLD == 0 {
                experiments.fold_all(SystemTime::now().into()).await;
            }
        }
    };
    stopping.run_until_cancelled_owned(keep).await;
}
