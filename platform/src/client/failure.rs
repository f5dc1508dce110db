//! What a transport's error says: which status, and whether it is certain that no server began to work.

use holdfast_contracts::common::v1::Reason;
use std::error::Error as _;
use tonic::Status;
use tracing::debug;

use super::answer::Failure;
use super::endpoint::Outcome;
use crate::status::Refusal;

/// A request that got no head. `was_unsent` where hyper gave it back.
pub(super) fn unanswered(error: hyper::Error, was_unsent: bool) -> (Failure, Outcome) {
    let was_never_processed = was_unsent || was_refused_unseen(&error);
    // A server that says it goes, or is full, does not fail.
    let outcome = match (was_unsent, was_never_processed) {
        (true, _) => Outcome::Abandoned,
        (false, true) => Outcome::Unwell,
        (false, false) => Outcome::Failed,
    };
    (Failure { status: broken_off(error), was_never_processed }, outcome)
}

/// The server said so itself: the stream is above the last one it took up before it goes (GOAWAY), or was refused before
/// any processing (RFC 9113, 6.8 and 8.7).
fn was_refused_unseen(error: &hyper::Error) -> bool {
    let Some(h2) = error.source().and_then(|source| source.downcast_ref::<h2::Error>()) else { return false };
    h2.is_remote() && (h2.is_go_away() || h2.reason() == Some(h2::Reason::REFUSED_STREAM))
}

/// The status for an answer that broke off. What lost its connection is UNAVAILABLE, as gRPC says; the peer's own resets
/// keep their meaning.
pub(super) fn broken_off(error: hyper::Error) -> Status {
    debug!(%error, cause = error.source().map(tracing::field::display), "a call broke off");
    let h2 = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    match h2 {
        Some(h2) if h2.is_reset() && h2.reason() != Some(h2::Reason::REFUSED_STREAM) => {
            Status::from_error(error.into())
        }
        _ => Refusal::new(Reason::Unavailable, "the connection was lost").into(),
    }
}
