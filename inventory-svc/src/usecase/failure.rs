//! Why a verb did not do what it was asked.

use holdfast_contracts::{LocationId, RequestId, Sku};
use holdfast_platform::pg;

use crate::domain::command::Refused;
use crate::lane::LaneError;

/// See the module. `grpc::status` tells it to the caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("no variant has SKU {0}")]
    SkuNotFound(Sku),
    #[error("no location has id {0}")]
    LocationNotFound(LocationId),
    #[error("no reservation has id {0}")]
    ReservationNotFound(RequestId),
    #[error("{0}")]
    CursorInvalid(&'static str),
    #[error("{0}")]
    Lane(#[from] LaneError),
    #[error("{0}")]
    Database(#[from] pg::Error),
}
