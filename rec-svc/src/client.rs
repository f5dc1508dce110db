//! The services this one asks.

mod catalog;
mod inventory;

use futures_util::future::BoxFuture;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::reason_of;
use tonic::{Code, Response, Status};

pub(crate) use catalog::{Catalog, Listing};
pub(crate) use inventory::Inventory;

/// Why another service gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("the caller's deadline passed while asking for {what}")]
    Deadline { what: &'static str },
    #[error("too much is queued where {what} is asked for")]
    Overloaded { what: &'static str },
    #[error("{what} is not there")]
    NotFound { what: &'static str },
    #[error("{what} cannot be asked for: {cause}")]
    Unavailable { what: &'static str, cause: Box<Status> },
}

/// Waits for an answer, but no longer than the caller does: a wire inside the process has no timeout of its own.
/// The call is boxed because the compiler cannot see that a generated client's future over a `Wire` is `Send`.
async fn ask<T>(
    what: &'static str,
    deadline: Deadline,
    call: BoxFuture<'_, Result<Response<T>, Status>>,
) -> Result<T, AskError> {
    let Ok(answer) = tokio::time::timeout_at(deadline.instant(), call).await else {
        return Err(AskError::Deadline { what });
    };
    answer.map(Response::into_inner).map_err(|status| match (status.code(), reason_of(&status)) {
        (Code::DeadlineExceeded, _) => AskError::Deadline { what },
        (Code::ResourceExhausted, _) => AskError::Overloaded { what },
        (_, Some(Reason::ProductNotFound)) => AskError::NotFound { what },
        _ => AskError::Unavailable { what, cause: Box::new(status) },
    })
}
