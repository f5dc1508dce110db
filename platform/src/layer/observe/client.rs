//! The client's side: also passes the trace on, with this call's span as the parent of the server's.

use std::task::{Context, Poll};

use tonic::body::Body;
use tower::util::{BoxCloneSyncService, ServiceExt};
use tower::{Layer, Service};

use super::ending::{Followed, Observed, Side, Underway};
use crate::client::{Wire, WireError};
use crate::telemetry::rpc::RpcMethod;
use crate::telemetry::span::Span;
use crate::telemetry::trace;
use crate::trace_context::TRACEPARENT;

/// A wire over a service that sends calls, observed.
pub fn wire<S>(inner: S) -> Wire
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = WireError, Future: Send>,
    S: Clone + Send + Sync + 'static,
{
    let observed = ServiceExt::<http::Request<Body>>::map_response(ObserveClientLayer.layer(inner), |response| {
        http::Response::map(response, Body::new)
    });
    BoxCloneSyncService::new(observed)
}

/// Makes [`ObserveClient`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ObserveClientLayer;

impl<S> Layer<S> for ObserveClientLayer {
    type Service = ObserveClient<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveClient { inner }
    }
}

/// See [`super`].
#[derive(Debug, Clone)]
pub struct ObserveClient<S> {
    inner: S,
}

impl<S, Q, A> Service<http::Request<Q>> for ObserveClient<S>
where
    S: Service<http::Request<Q>, Response = http::Response<A>>,
{
    type Response = http::Response<Followed<A>>;
    type Error = S::Error;
    type Future = Observed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Q>) -> Self::Future {
        let method = RpcMethod::at(request.uri().path());
        // A caller outside any call of ours (the gateway's own, say) may have set the header itself.
        let parent = trace::current().or_else(|| trace::of_headers(request.headers()));
        let call = Underway::begin(Side::Client, method, Span::client(method.name(), parent));
        if let Some(context) = call.trace() {
            request.headers_mut().insert(TRACEPARENT, context.header());
        }
        let inner = self.inner.call(request);
        Observed::new(inner, call)
    }
}
