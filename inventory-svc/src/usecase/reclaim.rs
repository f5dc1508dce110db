//! Gives back the units of holds that have run out, by the database's clock.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;
use tokio::time::Instant;

use super::Inventory;
use super::failure::Failure;
use crate::domain::command::{Command, Move, Step};
use crate::store::reservation::load_due_reservations;

/// How many reservations one round reclaims.
const ROUND_MAX: i64 = 256;
/// How long the sweeper gives a round.
const ROUND_TIMEOUT: Duration = Duration::from_secs(10);

/// One round at a time: whoever waits for a round that began after they asked is served by it.
#[derive(Debug, Default)]
pub(crate) struct Reclaim {
    turn: tokio::sync::Mutex<()>,
    last_began: Mutex<Option<Instant>>,
}

impl Inventory {
    /// Expires what is due; returns how many reservations that was.
    pub(crate) async fn reclaim_due(&self, deadline: Deadline) -> Result<usize, Failure> {
        let asked = Instant::now();
        let _turn = self.reclaim.turn.lock().await;
        if self.last_began().is_some_and(|began| began >= asked) {
            return Ok(0);
        }
        self.set_last_began(Instant::now());
        let due = {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            load_due_reservations(&*connection, ROUND_MAX).await?
        };
        let count = due.len();
        let expiries = due
            .into_iter()
            .map(|reservation| self.lanes.submit(Command::Move(Move { step: Step::Expire, reservation }), deadline));
        // A refusal means somebody else ended it first, or the clock says not yet: both are as well.
        for answer in join_all(expiries).await {
            answer?;
        }
        Ok(count)
    }

    /// The sweeper's round: everything that is due.
    pub(crate) async fn sweep(&self) -> Result<(), Failure> {
        while self.reclaim_due(Deadline::after(ROUND_TIMEOUT)).await? >= usize::try_from(ROUND_MAX).unwrap_or(1) {}
        Ok(())
    }

    fn last_began(&self) -> Option<Instant> {
        *self.reclaim.last_began.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn set_last_began(&self, at: Instant) {
        *self.reclaim.last_began.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(at);
    }
}
