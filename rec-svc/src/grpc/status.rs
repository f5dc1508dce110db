//! Where every refusal of this service is born.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::Refusal;

use crate::client::AskError;
use crate::usecase::{RecordError, SimilarItemsError};

/// When to try again what could not be answered now.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Deadline { .. } => Self::new(Reason::DeadlineExceeded, error.to_string()),
            AskError::Overloaded { .. } => Self::new(Reason::Overloaded, error.to_string()).retry_after(RETRY_AFTER),
            AskError::NotFound { what } | AskError::Unavailable { what, .. } => {
                tracing::warn!(%error, "a service we need gave no answer");
                let message = format!("cannot say what is available: {what} cannot be asked for");
                Self::new(Reason::Unavailable, message).retry_after(RETRY_AFTER)
            }
        }
    }
}

impl From<SimilarItemsError> for Refusal {
    fn from(error: SimilarItemsError) -> Self {
        match error {
            SimilarItemsError::ProductNotFound(ref product) => {
                Self::new(Reason::ProductNotFound, error.to_string()).with("product_id", product)
            }
            SimilarItemsError::Ask(error) => error.into(),
        }
    }
}

impl From<RecordError> for Refusal {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Deadline => Self::new(Reason::DeadlineExceeded, error.to_string()),
            RecordError::Store(error) => error.into(),
        }
    }
}
