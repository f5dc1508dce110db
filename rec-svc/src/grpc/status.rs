//! Where every refusal of this service is born.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::Refusal;

use crate::client::AskError;
use crate::usecase::{ExperimentError, RecordError, SimilarItemsError};

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

impl From<ExperimentError> for Refusal {
    fn from(error: ExperimentError) -> Self {
        let message = error.to_string();
        match error {
            ExperimentError::Deadline => Self::new(Reason::DeadlineExceeded, message),
            ExperimentError::NotFound(id) => Self::new(Reason::ExperimentNotFound, message).with("experiment_id", id),
            ExperimentError::Design(cause) => Self::invalid("experiment", cause),
            ExperimentError::Flag(cause) => Self::invalid("flag", cause),
            ExperimentError::OutcomeReserved { .. } => Self::invalid("outcomes", message),
            ExperimentError::Change { id, .. } => Self::new(Reason::ExperimentState, message).with("experiment_id", id),
            ExperimentError::HoldoutRises(id) => Self::new(Reason::ExperimentState, message).with("layer_id", id),
            ExperimentError::BucketsTaken { id, layer, .. } => {
                Self::new(Reason::BucketsTaken, message).with("experiment_id", id).with("layer_id", layer)
            }
            ExperimentError::Stored(cause) => {
                tracing::error!(%cause, "somebody wrote past the service");
                Self::new(Reason::Internal, "something went wrong on our side")
            }
            ExperimentError::Store(error) => error.into(),
        }
    }
}
