//! The one place where this service's statuses are born: each error with its reason from the closed list.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::Refusal;
use tonic::Status;

use crate::client::inventory::AskError;
use crate::domain::failure::{Failure, FailureReason};
use crate::domain::line::BasketError;
use crate::store::StoreError;
use crate::usecase::Error;

/// When to come back where an order or the service is busy.
const RETRY_AFTER: Duration = Duration::from_millis(500);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        refuse(error).into()
    }
}

fn refuse(error: Error) -> Refusal {
    let message = error.to_string();
    match error {
        Error::Overloaded => Refusal::new(Reason::Overloaded, message).retry_after(RETRY_AFTER),
        Error::ProviderUnknown { name, .. } => {
            Refusal::new(Reason::PaymentProviderUnknown, message).with("provider", name)
        }
        Error::Token(error) => Refusal::invalid("payment.token", error),
        Error::RequestIdReused(id) => Refusal::new(Reason::RequestIdReused, message).with("request_id", id),
        Error::ReservationTaken(id) | Error::ReservationNotHeld { id, .. } => {
            Refusal::new(Reason::ReservationState, message).with("reservation_id", id)
        }
        Error::ReservationNotFound(id) => Refusal::new(Reason::ReservationNotFound, message).with("reservation_id", id),
        Error::ReservationExpired(id) => Refusal::new(Reason::ReservationExpired, message).with("reservation_id", id),
        Error::Basket(error) => refuse_basket(error),
        Error::Ask(AskError::Refused(failure)) => refuse_failure(failure),
        Error::Ask(AskError::Unanswered(cause)) => {
            tracing::warn!(cause, "the stock cannot be asked");
            Refusal::new(Reason::Unavailable, "the stock cannot be reached: repeat the call with the same id")
                .retry_after(RETRY_AFTER)
        }
        Error::Busy(id) => Refusal::new(Reason::OrderBusy, message).with("order_id", id).retry_after(RETRY_AFTER),
        Error::Stuck(id) => Refusal::new(Reason::Unavailable, message).with("order_id", id).retry_after(RETRY_AFTER),
        Error::Failed(failure) => refuse_failure(*failure),
        Error::NotFound(id) => Refusal::new(Reason::OrderNotFound, message).with("order_id", id),
        Error::NotCancellable { id, state } => {
            Refusal::new(Reason::OrderState, message).with("order_id", id).with("state", state)
        }
        Error::Store(StoreError::Database(error)) => error.into(),
        Error::Store(StoreError::Corrupt { .. }) | Error::Unexpected(_) => {
            tracing::error!(error = message, "order cannot go on");
            Refusal::new(Reason::Internal, "something went wrong on our side")
        }
    }
}

fn refuse_basket(error: BasketError) -> Refusal {
    let message = error.to_string();
    match error {
        BasketError::PriceMissing { sku } => Refusal::new(Reason::PriceMissing, message).with("sku", sku),
        BasketError::PriceChanged { sku, seen: _, price } => Refusal::new(Reason::PriceChanged, message)
            .with("sku", sku)
            .with("currency_code", price.currency)
            .with("amount_minor", price.amount_minor),
        BasketError::Empty
        | BasketError::Currencies { .. }
        | BasketError::TotalTooLarge
        | BasketError::NotReserved { .. }
        | BasketError::LineCount { .. } => Refusal::invalid("lines", format!("cannot be sold: {message}")),
    }
}

fn refuse_failure(failure: Failure) -> Refusal {
    let reason = match failure.reason {
        FailureReason::Customer => Reason::OrderState,
        FailureReason::PaymentDeclined => Reason::PaymentDeclined,
        FailureReason::PaymentTimeout => Reason::PaymentTimeout,
        FailureReason::InsufficientStock => Reason::InsufficientStock,
        FailureReason::SkuNotFound => Reason::SkuNotFound,
        FailureReason::LocationNotFound => Reason::LocationNotFound,
        FailureReason::ReservationNotFound => Reason::ReservationNotFound,
        FailureReason::ReservationExpired => Reason::ReservationExpired,
        FailureReason::ReservationState => Reason::ReservationState,
        FailureReason::Unavailable => Reason::Unavailable,
        FailureReason::Internal => Reason::Internal,
    };
    Refusal { metadata: failure.metadata, ..Refusal::new(reason, failure.message) }
}
