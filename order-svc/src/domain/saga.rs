//! The order saga: which step follows which event. Steps say what to do next; everything before a step is done.
//!
//! ```text
//! Reserve -> Authorize -> Confirm -> Capture -> Placed             the happy line
//!               |  ^         |          |          |
//!               v  |         v          |          | cancel
//!             Lookup      Void <--------+--------> Refund
//!               |          |                        |
//!               +--------> Release            Restock
//!                             |                   |
//!                  Watch <----+---> Cancelled <---+
//! ```
//! Every step's effect is idempotent by an id derived from the order's, so a step interrupted anywhere is simply
//! done again. `Watch` is a cancelled order whose charge was never answered for: it may still appear.

use std::time::Duration;

use super::charge::ChargeStatus;
use super::failure::{Failure, FailureReason};
use super::order::{OrderState, PaymentState};
use super::text_enum::text_enum;

#[cfg(test)]
mod tests;

/// How often a new order asks for its units before it gives up; nothing is charged by then.
pub(crate) const RESERVE_ATTEMPTS_MAX: i32 = 10;
/// How often the provider is asked what became of an unanswered charge before the order is undone.
pub(crate) const LOOKUP_ATTEMPTS_MAX: i32 = 3;
/// How often a late charge is looked for; with [`Pacing`]'s defaults about a day.
pub(crate) const WATCH_LOOKS_MAX: i32 = 150;

text_enum! {
    /// What is to be done next.
    Step {
        /// Hold the units and stop the shopper's clock.
        Reserve = "RESERVE",
        Authorize = "AUTHORIZE",
        /// Find out what became of a charge that was not answered.
        Lookup = "LOOKUP",
        /// Commit the units.
        Confirm = "CONFIRM",
        Capture = "CAPTURE",
        /// At rest: sold and paid.
        Placed = "PLACED",
        /// Make sure that nothing stays authorised.
        Void = "VOID",
        /// Give the money back.
        Refund = "REFUND",
        /// Give held units back.
        Release = "RELEASE",
        /// Give committed units back.
        Restock = "RESTOCK",
        /// Look again for a charge that was never answered.
        Watch = "WATCH",
        /// At rest: undone.
        Cancelled = "CANCELLED",
    }
}

/// Where an order's saga stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saga {
    pub(crate) step: Step,
    pub(crate) state: OrderState,
    pub(crate) payment: PaymentState,
    /// Set as soon as the order is bound to be undone.
    pub(crate) failure: Option<Failure>,
    /// How often this step was tried without settling.
    pub(crate) attempts: i32,
}

/// What a step came to, or what the shopper wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The units are held and paid for next.
    Held,
    /// The stock refused: none of it is held for this order.
    HoldRefused(Failure),
    Confirmed,
    ConfirmRefused(Failure),
    /// The hold is over, whoever ended it.
    Released,
    /// The units cannot be released: they are committed.
    AlreadyConfirmed,
    /// No units are committed any more.
    Restocked,
    /// What the provider says of the payment; `None` where it knows of none.
    Charge(Option<ChargeStatus>),
    /// Nobody knows whether the step took effect.
    Unanswered,
    CancelAsked,
}

/// An event that cannot happen at a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen at step {step} of an order that is {state}")]
pub(crate) struct Unexpected {
    pub(crate) step: Step,
    pub(crate) state: OrderState,
    pub(crate) event: Event,
}

/// When a step is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Now,
    After(Duration),
    /// The saga is at rest.
    Never,
}

/// How long to wait between tries: doubling from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pacing {
    pub(crate) retry_first: Duration,
    pub(crate) retry_max: Duration,
    pub(crate) watch_first: Duration,
    pub(crate) watch_max: Duration,
}

impl Saga {
    /// A new order's.
    pub(crate) const fn start() -> Self {
        Self {
            step: Step::Reserve,
            state: OrderState::Pending,
            payment: PaymentState::None,
            failure: None,
            attempts: 0,
        }
    }

    /// Whether the client can be answered: the order is placed or undone.
    pub(crate) const fn is_answered(&self) -> bool {
        match self.state {
            OrderState::Pending => false,
            OrderState::Placed | OrderState::Cancelled => true,
        }
    }

    /// Whether the shopper's own cancellation is under way or done.
    pub(crate) fn is_cancelled_by_customer(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.reason == FailureReason::Customer)
    }

    pub(crate) fn pace(&self, pacing: &Pacing) -> Pace {
        match self.step {
            Step::Placed | Step::Cancelled => Pace::Never,
            Step::Watch => Pace::After(backoff(pacing.watch_first, pacing.watch_max, self.attempts)),
            Step::Reserve
            | Step::Authorize
            | Step::Lookup
            | Step::Confirm
            | Step::Capture
            | Step::Void
            | Step::Refund
            | Step::Release
            | Step::Restock => match self.attempts {
                0 => Pace::Now,
                attempts => Pace::After(backoff(pacing.retry_first, pacing.retry_max, attempts - 1)),
            },
        }
    }

    fn to(&self, step: Step) -> Self {
        Self { step, attempts: 0, ..self.clone() }
    }

    fn again(&self) -> Self {
        Self { attempts: self.attempts.saturating_add(1), ..self.clone() }
    }

    fn paid(self, payment: PaymentState) -> Self {
        Self { payment, ..self }
    }

    fn now(self, state: OrderState) -> Self {
        Self { state, ..self }
    }

    /// The first failure is the one that is told.
    fn because(self, failure: Failure) -> Self {
        Self { failure: self.failure.or(Some(failure)), ..self }
    }

    fn cancelled(self) -> Self {
        self.to(Step::Cancelled).now(OrderState::Cancelled)
    }

    /// The charge was never answered for: undo, and remember that it may still appear.
    fn give_up_charge(&self) -> Self {
        self.to(Step::Release).paid(PaymentState::Failed).because(Failure::new(
            FailureReason::PaymentTimeout,
            "the payment provider did not answer in time: nothing stays charged",
        ))
    }

    fn declined(&self) -> Self {
        self.to(Step::Release)
            .paid(PaymentState::Failed)
            .because(Failure::new(FailureReason::PaymentDeclined, "the payment provider declined"))
    }

    /// The money is settled; what becomes of the units follows from how far the order had come.
    fn unpaid(&self, payment: PaymentState) -> Self {
        let saga = self.clone().paid(payment);
        match self.state {
            OrderState::Pending => saga.to(Step::Release),
            OrderState::Placed => saga.to(Step::Restock),
            OrderState::Cancelled => saga.cancelled(),
        }
    }

    fn released(&self) -> Self {
        let charge_unknown =
            self.failure.as_ref().is_some_and(|failure| failure.reason == FailureReason::PaymentTimeout)
                && self.payment == PaymentState::Failed;
        if charge_unknown { self.to(Step::Watch).now(OrderState::Cancelled) } else { self.clone().cancelled() }
    }
}

/// The saga after an event.
///
/// # Errors
/// Where the event cannot happen at this step: a bug, never a caller's doing.
pub(crate) fn next(saga: &Saga, event: Event) -> Result<Saga, Unexpected> {
    use ChargeStatus as Charge;
    Ok(match (saga.step, event) {
        (Step::Reserve, Event::Held) => saga.to(Step::Authorize),
        (Step::Reserve, Event::HoldRefused(failure)) => saga.clone().because(failure).cancelled(),
        (Step::Reserve, Event::Unanswered) if saga.attempts + 1 < RESERVE_ATTEMPTS_MAX => saga.again(),
        (Step::Reserve, Event::Unanswered) => saga.to(Step::Release).because(Failure::new(
            FailureReason::Unavailable,
            "the stock cannot be reached: nothing was charged; order again under a new id",
        )),

        (Step::Authorize | Step::Lookup, Event::Charge(Some(Charge::Authorized | Charge::Captured))) => {
            saga.to(Step::Confirm).paid(PaymentState::Authorized)
        }
        (Step::Authorize | Step::Lookup, Event::Charge(Some(Charge::Declined))) => saga.declined(),
        (Step::Authorize | Step::Lookup, Event::Charge(Some(Charge::Voided | Charge::Refunded))) => {
            saga.declined().paid(PaymentState::Voided)
        }
        (Step::Authorize, Event::Unanswered | Event::Charge(None)) => saga.to(Step::Lookup),
        (Step::Lookup, Event::Charge(None)) => saga.give_up_charge(),
        (Step::Lookup, Event::Unanswered) if saga.attempts + 1 < LOOKUP_ATTEMPTS_MAX => saga.again(),
        (Step::Lookup, Event::Unanswered) => saga.give_up_charge(),

        (Step::Confirm, Event::Confirmed) => saga.to(Step::Capture).now(OrderState::Placed),
        (Step::Confirm, Event::ConfirmRefused(failure)) => saga.to(Step::Void).because(failure),
        (Step::Confirm, Event::Unanswered) => saga.again(),

        (Step::Capture, Event::Charge(Some(Charge::Captured))) => saga.to(Step::Placed).paid(PaymentState::Captured),
        (Step::Capture, Event::Unanswered | Event::Charge(Some(Charge::Authorized))) => saga.again(),
        (Step::Capture, Event::Charge(None | Some(Charge::Declined | Charge::Voided | Charge::Refunded))) => {
            saga.to(Step::Restock).paid(PaymentState::Failed).because(Failure::new(
                FailureReason::PaymentDeclined,
                "the payment provider no longer honours its authorisation",
            ))
        }
        // A capture may be under way: voiding finds out.
        (Step::Capture, Event::CancelAsked) => saga.to(Step::Void).because(cancelled_by_customer()),
        (Step::Placed, Event::CancelAsked) => saga.to(Step::Refund).because(cancelled_by_customer()),

        (Step::Void, Event::Charge(Some(Charge::Captured))) => saga.to(Step::Refund),
        (Step::Void | Step::Refund, Event::Charge(None | Some(Charge::Voided | Charge::Declined))) => {
            saga.unpaid(PaymentState::Voided)
        }
        (Step::Void | Step::Refund, Event::Charge(Some(Charge::Refunded))) => saga.unpaid(PaymentState::Refunded),
        (Step::Void, Event::Unanswered | Event::Charge(Some(Charge::Authorized))) => saga.again(),
        (Step::Refund, Event::Charge(Some(Charge::Authorized))) => saga.to(Step::Void),
        (Step::Refund, Event::Unanswered | Event::Charge(Some(Charge::Captured))) => saga.again(),

        (Step::Release, Event::Released) => saga.released(),
        (Step::Release, Event::AlreadyConfirmed) => match saga.payment {
            // An executor that had lost its lease committed them while this one was undoing the order.
            PaymentState::Voided | PaymentState::Refunded => saga.to(Step::Restock),
            // This order never came to commit them: they are somebody else's.
            PaymentState::None | PaymentState::Failed | PaymentState::Authorized | PaymentState::Captured => {
                saga.released()
            }
        },
        (Step::Restock, Event::Restocked) => saga.clone().cancelled(),
        (Step::Release | Step::Restock, Event::Unanswered) => saga.again(),

        (Step::Watch, Event::Charge(Some(Charge::Authorized))) => saga.to(Step::Void),
        (Step::Watch, Event::Charge(Some(Charge::Captured))) => saga.to(Step::Refund),
        (Step::Watch, Event::Charge(Some(Charge::Declined | Charge::Voided | Charge::Refunded))) => {
            saga.clone().cancelled()
        }
        (Step::Watch, Event::Charge(None)) if saga.attempts + 1 >= WATCH_LOOKS_MAX => saga.clone().cancelled(),
        (Step::Watch, Event::Charge(None)) => saga.again(),
        // A provider that cannot be asked has not said that there is no charge: this look does not count.
        (Step::Watch, Event::Unanswered) => saga.clone(),

        (step, event) => return Err(Unexpected { step, state: saga.state, event }),
    })
}

fn cancelled_by_customer() -> Failure {
    Failure::new(FailureReason::Customer, "cancelled by the customer")
}

/// `first`, doubled with every attempt, at most `longest`.
fn backoff(first: Duration, longest: Duration, attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(20);
    first.saturating_mul(1 << doublings).min(longest)
}
