//! Reads a call's deadline, request id, trace and peer, once, and runs its handler as part of it ([`Call`]).

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

use crate::call::Call;
use crate::deadline::{Deadline, timeout_of};
use crate::method::Methods;
use crate::peer::Peer;
use crate::telemetry::trace;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id taken from a caller.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// See the module.
#[derive(Debug, Clone)]
pub struct CallLayer {
    methods: Methods,
}

impl CallLayer {
    /// The methods' policies bound the deadlines.
    pub fn new(methods: Methods) -> Self {
        Self { methods }
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = InCall<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InCall { inner, methods: self.methods.clone() }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct InCall<S> {
    inner: S,
    methods: Methods,
}

impl<S, B> Service<http::Request<B>> for InCall<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<Arc<Call>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let call = Arc::new(Call {
            deadline: deadline(&request, &self.methods),
            request_id: request_id(request.headers()),
            trace: trace::current().or_else(|| trace::of_headers(request.headers())),
            peer: request.extensions().get::<Peer>().cloned().unwrap_or_default(),
        });
        let handling = call.clone().within(|| self.inner.call(request));
        call.scope(handling)
    }
}

/// As long as the caller waits, at most as long as the method may take.
fn deadline<B>(request: &http::Request<B>, methods: &Methods) -> Deadline {
    let method = methods.at(request.uri().path());
    let asked = timeout_of(request.headers()).unwrap_or(method.timeout_default);
    Deadline::after(asked.min(method.timeout_max))
}

/// The caller's id, where it is one that may go into logs and headers.
pub fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_sane = |id: &HeaderValue| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
            && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte))
    };
    headers.get(REQUEST_ID).filter(|id| is_sane(id)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_passed_on() {
        let of = |id: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id).expect("bytes a header may have"));
            request_id(&headers)
        };
        assert!(of(b"order-7/2").is_some());
        for bad in [&b""[..], b"a b", b"a\"b", &[b'a'; 129]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
