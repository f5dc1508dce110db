//! A [`Wire`] whose error and future have types of their own: over the wire's boxed ones the compiler cannot prove
//! the generated clients' futures to be Send.

use std::task::{Context, Poll};

use holdfast_platform::client::Wire;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};

/// See the module.
#[derive(Clone)]
pub(super) struct NamedWire(Wire);

/// Why the wire did not carry a call.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WireError(String);

impl NamedWire {
    pub(super) const fn new(wire: Wire) -> Self {
        Self(wire)
    }
}

impl Service<http::Request<Body>> for NamedWire {
    type Response = http::Response<Body>;
    type Error = WireError;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        self.0.poll_ready(cx).map_err(|error| WireError(error.to_string()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move { answer.await.map_err(|error| WireError(error.to_string())) })
    }
}
