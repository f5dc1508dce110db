//! Gives back the units of holds that have run out, by the database's clock.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;
use tokio::time::Instant;

use super::Inventory;
use super::failure::Failure;
use super::read::system_now_us;
use crate::domain::command::{Command, Move, Outcome, Step};
use crate::lane::{Answer, LaneError};
use crate::metrics::Metrics;
use crate::store::reservation::load_due_reservations;

/// How many lines one round reclaims.
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
    /// Expires everything that is due, round by round.
    pub(crate) async fn reclaim_due(&self, deadline: Deadline) -> Result<(), Failure> {
        let asked = Instant::now();
        let turn = tokio::time::timeout_at(deadline.instant(), self.reclaim.turn.lock());
        let _turn = turn.await.map_err(|_elapsed| LaneError::DeadlinePassed)?;
        if self.last_began().is_some_and(|began| began >= asked) {
            return Ok(());
        }
        self.set_last_began(Instant::now());
        while self.reclaim_round(deadline).await? > 0 {}
        Ok(())
    }

    /// Expires the longest overdue; returns how many were ended. Nobody else's expiry that fails is the caller's failure:
    /// it is tried again when the next one looks.
    async fn reclaim_round(&self, deadline: Deadline) -> Result<usize, Failure> {
        let due = {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            load_due_reservations(&*connection, ROUND_MAX).await?
        };
        let expiries = due
            .into_iter()
            .map(|reservation| self.lanes.submit(Command::Move(Move { step: Step::Expire, reservation }), deadline));
        let mut ended = 0;
        for answer in join_all(expiries).await {
            match answer {
                Ok(Answer { outcome: Outcome::Moved(reservation), .. }) => {
                    ended += 1;
                    let late_us = system_now_us() - reservation.expires_at.0;
                    let late = Duration::from_micros(u64::try_from(late_us).unwrap_or_default());
                    Metrics::get().expiry_lag.observe(late);
                }
                // Somebody else ended it first, or the clock says not yet.
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a hold that has run out cannot be ended"),
            }
        }
        Ok(ended)
    }

    /// The sweeper's round.
    pub(crate) async fn sweep(&self) -> Result<(), Failure> {
        self.reclaim_due(Deadline::after(ROUND_TIMEOUT)).await
    }

    fn last_began(&self) -> Option<Instant> {
        *self.reclaim.last_began.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn set_last_began(&self, at: Instant) {
        *self.reclaim.last_began.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(at);
    }
}
