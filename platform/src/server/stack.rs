//! The layers every call passes, outermost first: the one list of them.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Service, ServiceBuilder};

use crate::layer;
use crate::layer::authorize::AuthorizeLayer;
use crate::layer::observe::ObserveServerLayer;
use crate::layer::shed::Limiter;
use crate::method::Methods;

/// What [`stack`] makes, for requests with one kind of body.
pub trait Layered<B>:
    Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<B, S> Layered<B> for S where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// These routes under the common layers; streams end once `end_streams` is cancelled.
pub(super) fn stack<B>(
    routes: Routes,
    methods: &Methods,
    observe: ObserveServerLayer,
    limiter: Arc<Limiter>,
    authorize: AuthorizeLayer,
    end_streams: CancellationToken,
) -> impl Layered<B> + use<B>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    ServiceBuilder::new()
        .map_response(|response: http::Response<_>| response.map(Body::new))
        .layer(observe)
        .layer(layer::panic::layer())
        .layer(layer::shed::ShedLayer::new(methods.clone(), limiter))
        .layer(layer::call::CallLayer::new(methods.clone()))
        .layer(layer::drain::DrainLayer::new(methods.clone(), end_streams))
        .layer(layer::deadline::DeadlineLayer::new(methods.clone()))
        .layer(layer::reason::layer())
        .layer(authorize)
        .service(routes.prepare())
}
