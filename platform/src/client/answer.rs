//! What came back for one sending, and what its status says about sending again.

use std::time::Duration;

use bytes::Bytes;
use holdfast_contracts::common::v1::Reason;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::body::Peeked;
use crate::status::ERROR_DOMAIN;

/// The server's own word on repeating, in milliseconds; below zero for never.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// See the module.
#[derive(Debug)]
pub(super) struct Answer<B> {
    pub(super) response: http::Response<Peeked<B>>,
    pub(super) verdict: Verdict,
}

/// What is known of how a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A message came, or may still come: this is the answer, whatever its end says.
    Committed,
    Refused {
        code: Code,
        pushback: Pushback,
        /// Why, where it is one of ours; the unspecified one where we do not know it yet.
        reason: Option<Reason>,
    },
}

/// What the server says about repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushback {
    Silent,
    After(Duration),
    Never,
}

/// No answer came.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: Status,
    /// Whether it is certain that no server began to work on it.
    pub(super) was_never_processed: bool,
}

impl Verdict {
    /// What a head says; none where the status is still to come. Without gRPC's own, HTTP's counts: a proxy answered.
    pub(super) fn of_head(status: http::StatusCode, headers: &HeaderMap) -> Option<Self> {
        let proxys = || match status {
            http::StatusCode::OK => None,
            http::StatusCode::TOO_MANY_REQUESTS
            | http::StatusCode::BAD_GATEWAY
            | http::StatusCode::SERVICE_UNAVAILABLE
            | http::StatusCode::GATEWAY_TIMEOUT => Some(Code::Unavailable),
            _ => Some(Code::Unknown),
        };
        Self::of(headers).or_else(|| proxys().map(Self::proxys))
    }

    /// What a head or trailers say; none where they hold no status.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get("grpc-status")?.as_bytes() {
            b"0" => Some(Self::Committed),
            code => {
                let has_details = headers.contains_key("grpc-status-details-bin");
                let status = has_details.then(|| Status::from_header_map(headers)).flatten();
                let pushback = Pushback::of(headers, status.as_ref());
                let reason = status.as_ref().and_then(reason);
                Some(Self::Refused { code: Code::from_bytes(code), pushback, reason })
            }
        }
    }

    fn proxys(code: Code) -> Self {
        Self::Refused { code, pushback: Pushback::Silent, reason: None }
    }
}

/// Whether UNAVAILABLE means that the call was not served. With another reason of ours it is the answer: of a payment
/// that timed out, say, for good.
pub(super) fn is_outage(reason: Option<Reason>) -> bool {
    matches!(reason, None | Some(Reason::Unavailable))
}

fn reason(status: &Status) -> Option<Reason> {
    let info = status.get_details_error_info().filter(|info| info.domain == ERROR_DOMAIN)?;
    Some(Reason::from_str_name(&info.reason).unwrap_or_default())
}

impl Pushback {
    fn of(headers: &HeaderMap, status: Option<&Status>) -> Self {
        if let Some(told) = headers.get(PUSHBACK) {
            let ms = told.to_str().ok().and_then(|text| text.parse::<u64>().ok());
            return ms.map_or(Self::Never, |ms| Self::After(Duration::from_millis(ms)));
        }
        match status.and_then(|status| status.get_details_retry_info()).and_then(|info| info.retry_delay) {
            Some(delay) => Self::After(delay),
            None => Self::Silent,
        }
    }
}

/// Takes a response as it is: its status, if any, is in its head.
pub(super) fn unseen<B>(response: http::Response<B>) -> Answer<B> {
    let verdict = Verdict::of_head(response.status(), response.headers()).unwrap_or(Verdict::Committed);
    Answer { response: response.map(|rest| Peeked { first: None, rest }), verdict }
}

/// Waits until a response has shown either a message or its status, which comes in the head or, without a message, in
/// trailers.
///
/// # Errors
/// Where it breaks off before either.
pub(super) async fn seen<B>(response: http::Response<B>) -> Result<Answer<B>, Status>
where
    B: Body<Data = Bytes, Error = Status> + Unpin,
{
    if Verdict::of_head(response.status(), response.headers()).is_some() {
        return Ok(unseen(response));
    }
    let (head, mut rest) = response.into_parts();
    let first = rest.frame().await.transpose()?;
    let verdict = first.as_ref().and_then(|frame| frame.trailers_ref()).and_then(Verdict::of);
    let response = http::Response::from_parts(head, Peeked { first, rest });
    Ok(Answer { response, verdict: verdict.unwrap_or(Verdict::Committed) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Refusal;

    fn check(headers: &HeaderMap, code: Code, pushback: Pushback) {
        let Some(Verdict::Refused { code: read, pushback: told, .. }) = Verdict::of(headers) else {
            panic!("no refusal")
        };
        assert_eq!((read, told), (code, pushback));
    }

    #[test]
    fn a_proxys_answer_counts_by_its_http_status() {
        let of = |status| Verdict::of_head(status, &HeaderMap::new());
        let unavailable = Verdict::proxys(Code::Unavailable);
        assert_eq!(of(http::StatusCode::SERVICE_UNAVAILABLE), Some(unavailable));
        assert_eq!(of(http::StatusCode::OK), None);
    }

    #[test]
    fn the_servers_word_on_repeating_is_read_in_both_forms() {
        let told = |ms: &'static str| {
            let mut headers = Status::unavailable("").into_http::<tonic::body::Body>().headers().clone();
            headers.insert(PUSHBACK, http::HeaderValue::from_static(ms));
            headers
        };
        check(&told("250"), Code::Unavailable, Pushback::After(Duration::from_millis(250)));
        check(&told("-1"), Code::Unavailable, Pushback::Never);
        check(&told("soon"), Code::Unavailable, Pushback::Never);

        let refusal = Refusal::new(Reason::Overloaded, "full").retry_after(Duration::from_millis(30));
        let headers = Status::from(refusal).into_http::<tonic::body::Body>().headers().clone();
        check(&headers, Code::ResourceExhausted, Pushback::After(Duration::from_millis(30)));
        check(Status::not_found("").into_http::<tonic::body::Body>().headers(), Code::NotFound, Pushback::Silent);
    }

    #[test]
    fn an_answer_that_is_final_for_its_request_is_no_outage() {
        let of = |status: Status| match Verdict::of(status.into_http::<tonic::body::Body>().headers()) {
            Some(Verdict::Refused { code: Code::Unavailable, reason, .. }) => is_outage(reason),
            other => panic!("{other:?}"),
        };
        assert!(of(Status::unavailable("")), "whoever said so");
        assert!(of(Refusal::new(Reason::Unavailable, "").into()));
        assert!(!of(Refusal::new(Reason::PaymentTimeout, "").into()));
    }
}
