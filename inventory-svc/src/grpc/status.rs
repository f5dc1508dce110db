//! Every refusal of this service is born here.

mod catalog;

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::Refusal;
use tonic::Status;

use crate::domain::command::Refused;
use crate::lane::LaneError;
use crate::usecase::failure::Failure;

pub(super) use catalog::{deadline_exceeded, product_not_found};

/// When to come back to a full queue.
const OVERLOAD_RETRY: Duration = Duration::from_millis(200);

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        refusal(failure).into()
    }
}

fn refusal(failure: Failure) -> Refusal {
    let message = failure.to_string();
    match failure {
        Failure::Refused(refused) => refused_decision(refused, message),
        Failure::SkuNotFound(sku) => Refusal::new(Reason::SkuNotFound, message).with("sku", sku),
        Failure::LocationNotFound(id) => Refusal::new(Reason::LocationNotFound, message).with("location_id", id),
        Failure::ReservationNotFound(id) => {
            Refusal::new(Reason::ReservationNotFound, message).with("reservation_id", id)
        }
        Failure::CursorInvalid(_) => Refusal::new(Reason::CursorInvalid, message),
        Failure::Lane(error) => match error {
            LaneError::Overloaded => Refusal::new(Reason::Overloaded, message).retry_after(OVERLOAD_RETRY),
            LaneError::DeadlinePassed => Refusal::new(Reason::DeadlineExceeded, message),
            LaneError::Unavailable => {
                Refusal::new(Reason::Unavailable, "the database cannot be reached: repeat the call with the same id")
                    .retry_after(Duration::from_secs(1))
            }
            LaneError::Internal => Refusal::new(Reason::Internal, "something went wrong on our side"),
        },
        Failure::Database(error) => error.into(),
    }
}

fn refused_decision(refused: Refused, message: String) -> Refusal {
    match refused {
        Refused::InsufficientStock { sku, location, requested, available, version } => {
            let refusal = Refusal::new(Reason::InsufficientStock, message)
                .with("sku", sku)
                .with("requested", requested)
                .with("available", available.max(0))
                .with("version", version);
            match location {
                Some(location) => refusal.with("location_id", location),
                None => refusal,
            }
        }
        Refused::VersionMismatch { sku, location, expected, version } => {
            Refusal::new(Reason::StockVersionMismatch, message)
                .with("sku", sku)
                .with("location_id", location)
                .with("expected", expected)
                .with("version", version)
        }
        Refused::VersionNeedsLocation { sku, line } => {
            let problem = format!("must be given: {sku} is kept at several, and expected_version is one level's");
            Refusal::invalid(format!("lines[{line}].location_id"), problem).with("sku", sku)
        }
        Refused::IdReused { id } => Refusal::new(Reason::RequestIdReused, message).with("request_id", id),
        Refused::Expired { id, expires_at } => Refusal::new(Reason::ReservationExpired, message)
            .with("reservation_id", id)
            .with("expire_time", super::time::rfc3339(expires_at)),
        Refused::WrongState { id, state, .. } => {
            Refusal::new(Reason::ReservationState, message).with("reservation_id", id).with("state", state)
        }
        Refused::BelowPromised { sku, location, promised, remaining, version } => {
            Refusal::new(Reason::StockBelowPromised, message)
                .with("sku", sku)
                .with("location_id", location)
                .with("promised", promised)
                .with("remaining", remaining)
                .with("version", version)
        }
        Refused::OutOfBounds { sku, location, version, .. } => {
            let mut refusal = Refusal::invalid("delta", message);
            refusal.metadata =
                vec![("sku", sku.to_string()), ("location_id", location.to_string()), ("version", version.to_string())];
            refusal
        }
        Refused::NotDue { id } => {
            Refusal::new(Reason::ReservationState, message).with("reservation_id", id).with("state", "HELD")
        }
    }
}
