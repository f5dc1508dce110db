//! One step's effect on the world, as an event of the saga.

use std::fmt::Display;
use std::time::Instant;

use tracing::{debug, warn};

use super::Orders;
use crate::client::inventory::{AskError, HoldState};
use crate::domain::failure::FailureReason;
use crate::domain::line::HeldLine;
use crate::domain::order::Order;
use crate::domain::saga::{Event, Step};
use crate::metrics::{Answered, Metrics};
use crate::payment::{Answer, Charge, PaymentId};

/// What a step came to, and what was learned on the way.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) event: Event,
    /// Where the units are held.
    pub(super) held: Option<Vec<HeldLine>>,
    pub(super) provider_payment_id: Option<String>,
}

impl From<Event> for Outcome {
    fn from(event: Event) -> Self {
        Self { event, held: None, provider_payment_id: None }
    }
}

impl Orders {
    /// Does what the order's step says. Idempotent: every effect has an id derived from the order's.
    pub(super) async fn perform(&self, order: &Order) -> Outcome {
        let id = PaymentId(order.id().payment_id());
        let Some(provider) = self.provider(&order.draft.method.provider) else {
            warn!(order.id = %order.id(), provider = order.draft.method.provider, "payment provider is gone");
            return Event::Unanswered.into();
        };
        match order.saga.step {
            Step::Reserve => self.hold(order).await,
            Step::Authorize => {
                let charge = Charge {
                    id,
                    amount: order.draft.total,
                    token: order.draft.method.token.clone(),
                    reference: order.id().to_string(),
                };
                self.await_provider(order, provider.authorize(&charge)).await
            }
            Step::Lookup | Step::Watch => self.await_provider(order, provider.lookup(id)).await,
            Step::Capture => self.await_provider(order, provider.capture(id)).await,
            Step::Void => self.await_provider(order, provider.void(id)).await,
            Step::Refund => self.await_provider(order, provider.refund(id)).await,
            Step::Confirm => match self.inventory.ask_confirm(order.draft.hold.reservation_id).await {
                Ok(()) => Event::Confirmed.into(),
                Err(AskError::Refused(failure)) => Event::ConfirmRefused(failure).into(),
                Err(AskError::Unanswered(cause)) => unanswered(order, cause),
            },
            Step::Release => self.release(order).await,
            Step::Restock => self.restock(order).await,
            // Resting orders are never due.
            Step::Placed | Step::Cancelled => Event::Unanswered.into(),
        }
    }

    async fn hold(&self, order: &Order) -> Outcome {
        let draft = &order.draft;
        let id = draft.hold.reservation_id;
        let mut held = None;
        if !draft.hold.taken_over {
            match self.inventory.ask_reserve(id, &draft.customer, &draft.lines).await {
                Ok(reservation) => held = Some(reservation.lines),
                Err(AskError::Refused(failure)) => return Event::HoldRefused(failure).into(),
                Err(AskError::Unanswered(cause)) => return unanswered(order, cause),
            }
        }
        match self.inventory.ask_begin_payment(id).await {
            Ok(()) => Outcome { event: Event::Held, held, provider_payment_id: None },
            // Nothing is held then, or not for us: it has ended or was bought.
            Err(AskError::Refused(failure)) => Event::HoldRefused(failure).into(),
            // The locations stay unwritten: the next try must ask exactly as this one did.
            Err(AskError::Unanswered(cause)) => unanswered(order, cause),
        }
    }

    async fn release(&self, order: &Order) -> Outcome {
        let id = order.draft.hold.reservation_id;
        match self.inventory.ask_release(id).await {
            Ok(()) => Event::Released.into(),
            Err(AskError::Refused(failure)) => match failure.reason {
                FailureReason::ReservationNotFound | FailureReason::ReservationExpired => Event::Released.into(),
                FailureReason::ReservationState => self.read_hold(order).await,
                other => unanswered(order, format!("{other}: {}", failure.message)),
            },
            Err(AskError::Unanswered(cause)) => unanswered(order, cause),
        }
    }

    /// Why the units could not be released.
    async fn read_hold(&self, order: &Order) -> Outcome {
        let id = order.draft.hold.reservation_id;
        match self.inventory.ask_reservation(id, self.config.inventory_timeout).await {
            Ok(reservation) => match reservation.state {
                HoldState::Confirmed => Event::AlreadyConfirmed.into(),
                HoldState::Released | HoldState::Expired => Event::Released.into(),
                HoldState::Held | HoldState::Paying => unanswered(order, "still held"),
            },
            Err(AskError::Refused(failure)) if failure.reason == FailureReason::ReservationNotFound => {
                Event::Released.into()
            }
            Err(error) => unanswered(order, error),
        }
    }

    async fn restock(&self, order: &Order) -> Outcome {
        match self.inventory.ask_restock(order.draft.hold.reservation_id).await {
            Ok(()) => Event::Restocked.into(),
            Err(AskError::Refused(failure)) => match failure.reason {
                FailureReason::ReservationNotFound
                | FailureReason::ReservationExpired
                | FailureReason::ReservationState => {
                    warn!(order.id = %order.id(), message = failure.message, "nothing was committed to restock");
                    Event::Restocked.into()
                }
                other => unanswered(order, format!("{other}: {}", failure.message)),
            },
            Err(AskError::Unanswered(cause)) => unanswered(order, cause),
        }
    }

    async fn await_provider(&self, order: &Order, answer: Answer<'_>) -> Outcome {
        let began = Instant::now();
        let answered = tokio::time::timeout(self.config.payment_timeout, answer).await;
        let is_answered = if matches!(answered, Ok(Ok(_))) { Answered::Yes } else { Answered::No };
        Metrics::get().payments.of((order.saga.step, is_answered)).observe(began.elapsed());
        match answered {
            Ok(Ok(receipt)) => Outcome {
                event: Event::Charge(receipt.as_ref().map(|receipt| receipt.status)),
                held: None,
                provider_payment_id: receipt.map(|receipt| receipt.provider_payment_id),
            },
            Ok(Err(error)) => unanswered(order, error),
            Err(elapsed) => unanswered(order, elapsed),
        }
    }
}

/// Silent providers are what lookups are for; a silent stock holds up the shop.
fn unanswered(order: &Order, cause: impl Display) -> Outcome {
    let (id, step, attempts) = (order.id(), order.saga.step, order.saga.attempts);
    match step {
        Step::Reserve | Step::Confirm | Step::Capture | Step::Void | Step::Refund | Step::Release | Step::Restock => {
            warn!(order.id = %id, %step, attempts, %cause, "no answer yet");
        }
        Step::Authorize | Step::Lookup | Step::Watch | Step::Placed | Step::Cancelled => {
            debug!(order.id = %id, %step, attempts, %cause, "no answer yet");
        }
    }
    Event::Unanswered.into()
}
