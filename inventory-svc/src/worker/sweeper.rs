//! Gives back the units of holds that have run out, whether or not anybody asks for them.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::usecase::Inventory;

pub(crate) async fn run(inventory: Arc<Inventory>, period: Duration, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = stopping.cancelled() => return,
        }
        if let Err(failure) = inventory.sweep().await {
            warn!(%failure, "sweep failed, trying again");
        }
    }
}
