//! Tells watchers what other replicas commit, by tailing the commit log while anybody watches.

use std::sync::Arc;
use std::time::Duration;

use holdfast_platform::pg;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::store::movement::{CommitPosition, load_tail_start, tail_commits};
use crate::usecase::Inventory;
use crate::usecase::watch::Note;

/// How long another replica's commit may go unnoticed.
const PERIOD: Duration = Duration::from_millis(100);
/// How long the tail may stand still and still trust its position.
const STALE_AFTER: Duration = Duration::from_secs(30);
const COMMITS_MAX: i64 = 1_000;

pub(crate) async fn run(inventory: Arc<Inventory>, stopping: CancellationToken) {
    let mut position = None;
    let mut stepped_at = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = stopping.cancelled() => return,
        }
        // After a long stand-still the log may have been shortened past our position.
        if !inventory.hub.has_listeners() || stepped_at.elapsed() > STALE_AFTER {
            position = None;
        }
        stepped_at = Instant::now();
        if !inventory.hub.has_listeners() {
            continue;
        }
        match step(&inventory, position).await {
            Ok(next) => position = Some(next),
            Err(error) => {
                warn!(%error, "commit log cannot be read, watchers of other replicas' commits wait");
                position = None;
            }
        }
    }
}

async fn step(inventory: &Inventory, position: Option<CommitPosition>) -> Result<CommitPosition, pg::Error> {
    let connection = inventory.pool.get().await?;
    let Some(mut position) = position else {
        let start = load_tail_start(&*connection).await?;
        // Whoever began to watch before the tail did may have missed what was committed in between.
        inventory.hub.send(Note::LookAgain);
        return Ok(start);
    };
    loop {
        let commits = tail_commits(&*connection, position, COMMITS_MAX).await?;
        let Some(last) = commits.last() else { return Ok(position) };
        position = last.position;
        let levels = commits.iter().flat_map(|commit| commit.levels.iter().copied());
        inventory.hub.send(Note::Moved(levels.collect()));
        if i64::try_from(commits.len()).unwrap_or(0) < COMMITS_MAX {
            return Ok(position);
        }
    }
}
