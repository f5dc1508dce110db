//! How a call ends when it does not end well, whichever door it went through.

use std::error::Error as _;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Why a call has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// The shop said no, with a reason of the closed list.
    #[error("{message} ({})", .reason.as_str_name())]
    Refused { reason: Reason, message: String, retry_after: Option<Duration> },
    /// No decision arrived; the call may or may not have taken effect.
    #[error("no answer: {0}")]
    Lost(String),
    /// What answered does not speak the contract.
    #[error("not an answer of the contract: {0}")]
    Foreign(String),
}

impl CallError {
    /// Whether repeating the call with the same id can help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Refused { reason, .. } => {
                matches!(
                    reason,
                    Reason::Overloaded | Reason::Unavailable | Reason::DeadlineExceeded | Reason::OrderBusy
                )
            }
            Self::Lost(_) => true,
            Self::Foreign(_) => false,
        }
    }

    /// The reason, where the shop gave one.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            Self::Lost(_) | Self::Foreign(_) => None,
        }
    }

    /// How long the shop asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Lost(_) | Self::Foreign(_) => None,
        }
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        if let Some(reason) = reason_of(&status) {
            let retry_after = status.get_details_retry_info().and_then(|info| info.retry_delay);
            return Self::Refused { reason, message: status.message().to_owned(), retry_after };
        }
        // The outermost message of a broken connection is only "transport error": the causes say more.
        let mut told = format!("{}: {}", status.code(), status.message());
        let mut cause = status.source();
        while let Some(deeper) = cause {
            told = format!("{told}: {deeper}");
            cause = deeper.source();
        }
        match status.code() {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal => Self::Lost(told),
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::DataLoss
            | Code::Unauthenticated => Self::Foreign(told),
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_platform::status::Refusal;

    use super::*;

    #[test]
    fn only_what_a_repetition_can_help_is_transient() {
        let refused = |reason| CallError::from(Status::from(Refusal::new(reason, "x")));
        for reason in [Reason::Overloaded, Reason::Unavailable, Reason::DeadlineExceeded, Reason::OrderBusy] {
            assert!(refused(reason).is_transient(), "{reason:?}");
        }
        // PAYMENT_TIMEOUT shares its code with UNAVAILABLE, but it is an answer.
        for reason in [Reason::PaymentTimeout, Reason::InsufficientStock, Reason::PaymentDeclined, Reason::Internal] {
            assert!(!refused(reason).is_transient(), "{reason:?}");
        }
        assert!(CallError::from(Status::unavailable("connection refused")).is_transient());
        assert!(!CallError::from(Status::unimplemented("no such method")).is_transient());
    }

    #[test]
    fn the_wait_an_overloaded_shop_asks_for_is_read() {
        let overloaded = Refusal::new(Reason::Overloaded, "full").retry_after(Duration::from_millis(40));
        assert_eq!(CallError::from(Status::from(overloaded)).retry_after(), Some(Duration::from_millis(40)));
    }
}
