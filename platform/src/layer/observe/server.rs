//! The server's side.

use std::task::{Context, Poll};

use tower::{Layer, Service};

use super::ending::{Followed, Observed, Side, Underway};
use crate::telemetry::rpc::RpcMethod;
use crate::telemetry::span::Span;
use crate::telemetry::trace;

/// Makes [`ObserveServer`]: the outermost of a server's layers.
#[derive(Debug, Clone, Copy)]
pub struct ObserveServerLayer {
    is_on: bool,
}

impl Default for ObserveServerLayer {
    fn default() -> Self {
        Self { is_on: true }
    }
}

impl ObserveServerLayer {
    /// Looks away, to measure what looking costs.
    pub fn off() -> Self {
        Self { is_on: false }
    }
}

impl<S> Layer<S> for ObserveServerLayer {
    type Service = ObserveServer<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveServer { inner, is_on: self.is_on }
    }
}

/// See [`super`].
#[derive(Debug, Clone)]
pub struct ObserveServer<S> {
    inner: S,
    is_on: bool,
}

impl<S, Q, A> Service<http::Request<Q>> for ObserveServer<S>
where
    S: Service<http::Request<Q>, Response = http::Response<A>>,
{
    type Response = http::Response<Followed<A>>;
    type Error = S::Error;
    type Future = Observed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Q>) -> Self::Future {
        if !self.is_on {
            return Observed::unseen(self.inner.call(request));
        }
        let method = RpcMethod::at(request.uri().path());
        let span = Span::server(method.name(), trace::of_headers(request.headers()));
        let call = Underway::begin(Side::Server, method, span);
        let inner = call.step(|| self.inner.call(request));
        Observed::new(inner, call)
    }
}
