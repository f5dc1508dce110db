//! One round of a consumer: a batch from the bus to its effects.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use holdfast_contracts::events::v1::Envelope;
use tracing::error;

use super::{BATCH_EVENTS_MAX, Consumer, Round, Session, trace};
use crate::bus::inbox::{Parking, Seen};
use crate::bus::{Delivery, Error, HandleError, Handler, Offset};
use crate::pg::{Connection, Transaction};
use crate::telemetry::trace::scope;

/// How often an event is tried alone before it is parked.
pub(super) const ATTEMPTS_MAX: i32 = 3;
/// How often in a row a batch has to wait before its events are tried one by one.
const LATERS_MAX: u32 = 3;
/// How long a handler may take for one batch.
pub(super) const HANDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A batch, sorted out.
struct Sorted<'a> {
    /// To be handled.
    fresh: Vec<Envelope>,
    /// To be parked: what is no event, and what comes behind a parked one.
    parkings: Vec<Parking<'a>>,
    /// The end of the batch.
    last: Offset,
}

impl<H: Handler> Consumer<H> {
    /// Deals with the next batch: all of it, or nothing.
    pub(super) async fn settle_next(&self, session: &mut Session) -> Result<Round, Error> {
        let events_max = if session.singles > 0 { 1 } else { BATCH_EVENTS_MAX };
        let batch = session.subscription.fetch(events_max).await?;
        let Some(last) = batch.last().map(|delivery| delivery.offset) else { return Ok(Round::Idle) };
        let sorted = self.sort(&session.db, &batch, last).await?;
        let mut span = trace::span(&sorted.fresh);
        let settled = scope(span.context(), Box::pin(self.settle(session, &sorted))).await;
        if settled.is_err() {
            span.fail("refused");
        }
        span.end();
        match settled {
            Ok(false) => Ok(Round::Idle),
            Ok(true) => {
                self.tally.handled(&sorted.fresh);
                session.subscription.committed(last).await?;
                session.singles = session.singles.saturating_sub(1);
                (session.refused, session.laters) = (None, 0);
                Ok(Round::Settled)
            }
            Err(Refusal::Bus(error)) => Err(error),
            Err(Refusal::Handler(refusal)) if refusal.is_transient() => {
                session.laters += 1;
                if session.laters >= LATERS_MAX && batch.len() > 1 {
                    // All together they may be too much for the time there is.
                    (session.singles, session.laters) = (batch.len(), 0);
                }
                Ok(Round::Later(refusal.to_string()))
            }
            Err(Refusal::Handler(_)) if batch.len() > 1 => {
                // One of them is poison: they come again one by one, and it will stand alone.
                session.singles = batch.len();
                Ok(Round::Settled)
            }
            Err(Refusal::Handler(refusal)) => self.count_refusal(session, &batch[0], &refusal).await,
        }
    }

    async fn sort<'a>(&self, db: &Connection, batch: &'a [Delivery], last: Offset) -> Result<Sorted<'a>, Error> {
        let keys = batch.iter().filter_map(|delivery| Some(delivery.event.as_ref().ok()?.key.as_str()));
        let mut seen = self.inbox.load_seen(db, keys).await?;
        let (mut fresh, mut parkings) = (Vec::with_capacity(batch.len()), Vec::new());
        for delivery in batch {
            match &delivery.event {
                Err(undecodable) => parkings.push(Parking { delivery, cause: Some(&undecodable.cause) }),
                Ok(event) => {
                    let of_key = seen.entry(event.key.clone()).or_insert_with(Seen::default);
                    if event.sequence <= of_key.sequence {
                        continue;
                    }
                    of_key.sequence = event.sequence;
                    if of_key.parked {
                        parkings.push(Parking { delivery, cause: None });
                    } else {
                        fresh.push(event.clone());
                    }
                }
            }
        }
        Ok(Sorted { fresh, parkings, last })
    }

    /// False where another member has the batch.
    async fn settle(&self, session: &mut Session, sorted: &Sorted<'_>) -> Result<bool, Refusal> {
        let prepared = if sorted.fresh.is_empty() { None } else { Some(self.prepare(&sorted.fresh).await?) };
        let tx = session.db.transaction().await.map_err(Error::from)?;
        if !session.subscription.claim(&tx, sorted.last).await? {
            return Ok(false);
        }
        let parked = sorted.parkings.iter().filter_map(|parking| parking.delivery.event.as_ref().ok());
        let handled = sorted.fresh.iter();
        if !self.inbox.mark_seen(&tx, handled.chain(parked)).await? {
            return Ok(false);
        }
        self.inbox.park(&tx, &sorted.parkings, 0).await?;
        if let Some(prepared) = prepared {
            self.apply(&tx, prepared).await?;
        }
        tx.commit().await.map_err(Error::from)?;
        Ok(true)
    }

    pub(super) async fn prepare(&self, events: &[Envelope]) -> Result<H::Prepared, HandleError> {
        contained(self.handler.prepare(events)).await
    }

    pub(super) async fn apply(&self, tx: &Transaction<'_>, prepared: H::Prepared) -> Result<(), HandleError> {
        contained(self.handler.apply(tx, prepared)).await
    }

    /// An event was refused alone: it is tried a few times, then parked.
    async fn count_refusal(
        &self,
        session: &mut Session,
        delivery: &Delivery,
        refusal: &HandleError,
    ) -> Result<Round, Error> {
        let Ok(event) = &delivery.event else { return Ok(Round::Later(refusal.to_string())) };
        let before = session.refused.take().filter(|(id, _)| *id == event.id).map_or(0, |(_, times)| times);
        if before + 1 < ATTEMPTS_MAX {
            session.refused = Some((event.id.clone(), before + 1));
            return Ok(Round::Later(refusal.to_string()));
        }
        let cause = refusal.to_string();
        let tx = session.db.transaction().await?;
        if !session.subscription.claim(&tx, delivery.offset).await?
            || !self.inbox.mark_seen(&tx, std::iter::once(event)).await?
        {
            return Ok(Round::Idle);
        }
        self.inbox.park(&tx, &[Parking { delivery, cause: Some(&cause) }], before + 1).await?;
        tx.commit().await?;
        session.subscription.committed(delivery.offset).await?;
        session.singles = session.singles.saturating_sub(1);
        let (topic, group, id, key) = (&self.config.topic, &self.config.group, &event.id, &event.key);
        error!(%topic, %group, event.id = %id, key, cause, "an event cannot be handled: it and what follows it of its key are parked");
        Ok(Round::Settled)
    }
}

/// Why a batch has no effects.
enum Refusal {
    Bus(Error),
    Handler(HandleError),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Bus(error)
    }
}

impl From<HandleError> for Refusal {
    fn from(error: HandleError) -> Self {
        Self::Handler(error)
    }
}

/// A handler's answer in time; its panics are refusals.
async fn contained<T>(work: impl Future<Output = Result<T, HandleError>>) -> Result<T, HandleError> {
    match tokio::time::timeout(HANDLE_TIMEOUT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(HandleError::Poison("the handler panicked".into())),
        Err(_elapsed) => Err(HandleError::Later(format!("the handler took longer than {HANDLE_TIMEOUT:?}"))),
    }
}
