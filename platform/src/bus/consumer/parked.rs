//! Parked events that are to be tried again: released by an operator, or behind one that is gone.

use std::time::Duration;

use holdfast_contracts::events::v1::Envelope;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Consumer, Session, trace};
use crate::bus::{Error, HandleError, Handler};
use crate::telemetry::trace::scope;

/// How often to look for them.
const PERIOD: Duration = Duration::from_millis(500);
/// How many to try before going on with what is new.
const AT_ONCE_MAX: i64 = 50;

/// When to look next.
#[derive(Debug)]
pub(super) struct Pace(Instant);

impl Default for Pace {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl<H: Handler> Consumer<H> {
    /// Tries those whose turn it is, one transaction each.
    pub(super) async fn retry_parked(&self, session: &mut Session) -> Result<(), Error> {
        if Instant::now() < session.parked.0 {
            return Ok(());
        }
        self.tally.parked(self.inbox.count_parked(&session.db).await?);
        let due = self.inbox.load_due_parked(&session.db, AT_ONCE_MAX).await?;
        let mut any_handled = false;
        for (id, event) in &due {
            let span = trace::span(std::slice::from_ref(event));
            match scope(span.context(), self.retry_one(session, *id, event)).await {
                Ok(handled) => any_handled |= handled,
                Err(Retry::Bus(error)) => return Err(error),
                Err(Retry::Handler(refusal)) if refusal.is_transient() => {
                    warn!(event.id = %event.id, %refusal, "a parked event is tried again later");
                }
                Err(Retry::Handler(refusal)) => {
                    self.inbox.repark(&session.db, *id, &refusal.to_string()).await?;
                    warn!(event.id = %event.id, key = %event.key, %refusal, "a parked event still cannot be handled");
                }
            }
        }
        // What waited behind those that are gone now has its turn at once.
        session.parked.0 = if any_handled { Instant::now() } else { Instant::now() + PERIOD };
        Ok(())
    }

    async fn retry_one(&self, session: &mut Session, id: i64, event: &Envelope) -> Result<bool, Retry> {
        let prepared = self.prepare(std::slice::from_ref(event)).await?;
        let tx = session.db.transaction().await.map_err(Error::from)?;
        if !self.inbox.take_parked(&tx, id).await? {
            return Ok(false);
        }
        self.apply(&tx, prepared).await?;
        tx.commit().await.map_err(Error::from)?;
        info!(event.id = %event.id, key = %event.key, "a parked event was handled");
        Ok(true)
    }
}

enum Retry {
    Bus(Error),
    Handler(HandleError),
}

impl From<Error> for Retry {
    fn from(error: Error) -> Self {
        Self::Bus(error)
    }
}

impl From<HandleError> for Retry {
    fn from(error: HandleError) -> Self {
        Self::Handler(error)
    }
}
