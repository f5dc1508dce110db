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

/// How often to count them.
const COUNT_PERIOD: Duration = Duration::from_secs(5);

/// When to look next, and where.
#[derive(Debug)]
pub(super) struct Pace {
    look_at: Instant,
    count_at: Instant,
    /// The key after which to go on.
    after: Option<String>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { look_at: Instant::now(), count_at: Instant::now(), after: None }
    }
}

impl<H: Handler> Consumer<H> {
    /// Tries those whose turn it is, one transaction each.
    pub(super) async fn retry_parked(&self, session: &mut Session) -> Result<(), Error> {
        if Instant::now() >= session.parked.count_at {
            session.parked.count_at = Instant::now() + COUNT_PERIOD;
            self.tally.parked(self.inbox.count_parked(&session.db).await?);
        }
        if Instant::now() < session.parked.look_at {
            return Ok(());
        }
        let after = session.parked.after.take();
        let due = self.inbox.load_due_parked(&session.db, after.as_deref(), AT_ONCE_MAX).await?;
        session.parked.after = due.next;
        for id in due.undecodable {
            self.inbox.repark(&session.db, id, "is still no envelope").await?;
        }
        let mut any_handled = false;
        for (id, event) in &due.events {
            match self.retry_one(session, *id, event).await {
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
        session.parked.look_at = if any_handled { Instant::now() } else { Instant::now() + PERIOD };
        Ok(())
    }

    async fn retry_one(&self, session: &mut Session, id: i64, event: &Envelope) -> Result<bool, Retry> {
        let span = trace::span(std::slice::from_ref(event));
        scope(span.context(), Box::pin(self.retry_in_scope(session, id, event))).await
    }

    async fn retry_in_scope(&self, session: &mut Session, id: i64, event: &Envelope) -> Result<bool, Retry> {
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
