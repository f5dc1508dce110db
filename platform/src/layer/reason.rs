//! What the gRPC runtime refuses by itself, before any handler sees it, gets a reason like every other refusal. It
//! calls bytes that are no message an internal error, though the fault is the caller's.

use holdfast_contracts::common::v1::Reason;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::util::MapResponseLayer;

use crate::status::Refusal;

type Explain = fn(http::Response<Body>) -> http::Response<Body>;

pub fn layer() -> MapResponseLayer<Explain> {
    MapResponseLayer::new(explain as Explain)
}

fn explain(response: http::Response<Body>) -> http::Response<Body> {
    // A status in the head: no handler has answered anything.
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    match reason(&status) {
        Some(reason) => Status::from(Refusal::new(reason, status.message())).into_http(),
        None => response,
    }
}

/// The reason for a status that carries none; handlers' refusals all do.
fn reason(status: &Status) -> Option<Reason> {
    if !status.details().is_empty() {
        return None;
    }
    let says = |start: &str| status.message().starts_with(start);
    match status.code() {
        Code::Internal if says("failed to decode") || says("Missing request message") => Some(Reason::MalformedBody),
        Code::OutOfRange => Some(Reason::RequestTooLarge),
        Code::Unimplemented if says("Content is compressed") => Some(Reason::UnsupportedMediaType),
        Code::Unimplemented => Some(Reason::RouteNotFound),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::reason_of;

    fn check(told: Status, expect: Option<Reason>) {
        let response = explain(told.into_http());
        let status = Status::from_header_map(response.headers()).expect("a status");
        assert_eq!(reason_of(&status), expect, "{status:?}");
    }

    #[test]
    fn the_runtimes_own_refusals_have_a_reason_and_handlers_keep_theirs() {
        check(Status::internal("failed to decode Protobuf message: invalid varint"), Some(Reason::MalformedBody));
        check(Status::out_of_range("decoded message length too large"), Some(Reason::RequestTooLarge));
        check(Status::unimplemented(""), Some(Reason::RouteNotFound));
        check(Status::not_found("unknown service"), None);
        check(Refusal::new(Reason::Internal, "failed to decode").into(), Some(Reason::Internal));
    }
}
