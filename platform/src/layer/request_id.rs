//! Gives every call an `x-request-id` (the caller's, or a new UUID), echoes it, and puts it on the call's span.

use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue};
use tower::{Layer, Service};
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestIdLayer;

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestId<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestId { inner }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct RequestId<S> {
    inner: S,
}

impl<S, B> Service<http::Request<B>> for RequestId<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        // A span only where the caller named the call or someone listens at debug: the hot path pays for neither.
        let span = match request.headers().get(REQUEST_ID).map(HeaderValue::as_bytes) {
            Some(id) => tracing::info_span!("rpc", request.id = %String::from_utf8_lossy(id)),
            None => tracing::debug_span!("rpc", path = %request.uri().path()),
        };
        self.inner.call(request).instrument(span)
    }
}
