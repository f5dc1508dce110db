//! Why an order came to nothing: kept with the order, so that every repeat of the request answers the same.

use super::text_enum::text_enum;

text_enum! {
    /// The names are those of `holdfast.common.v1.Reason`, but `CUSTOMER`.
    FailureReason {
        /// The shopper or the shop cancelled a placed order.
        Customer = "CUSTOMER",
        PaymentDeclined = "PAYMENT_DECLINED",
        /// The provider never said what became of the charge.
        PaymentTimeout = "PAYMENT_TIMEOUT",
        InsufficientStock = "INSUFFICIENT_STOCK",
        SkuNotFound = "SKU_NOT_FOUND",
        LocationNotFound = "LOCATION_NOT_FOUND",
        ReservationNotFound = "RESERVATION_NOT_FOUND",
        ReservationExpired = "RESERVATION_EXPIRED",
        ReservationState = "RESERVATION_STATE",
        /// The stock could not be asked for it in time.
        Unavailable = "UNAVAILABLE",
        /// A refusal that the saga's own requests should never meet.
        Internal = "INTERNAL",
    }
}

/// The values a failure may carry; what else a refusal says is not kept.
pub(crate) const METADATA_KEYS: [&str; 8] =
    ["sku", "location_id", "requested", "available", "version", "state", "reservation_id", "expire_time"];

/// A reason with what to tell the caller about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: FailureReason,
    /// What stopped it, with its values, lower case.
    pub(crate) message: String,
    /// Values for programs, under [`METADATA_KEYS`].
    pub(crate) metadata: Vec<(&'static str, String)>,
}

impl Failure {
    pub(crate) fn new(reason: FailureReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), metadata: Vec::new() }
    }
}
