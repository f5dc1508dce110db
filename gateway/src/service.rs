//! The gateway as others hold it: a tower service, or a server on a listener.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use holdfast_contracts::MethodTable;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::body::Body;
use crate::config::Config;
use crate::deps::Deps;
use crate::gateway::Gateway;
use crate::health::Readiness;
use crate::openapi::OpenApi;
use crate::route::{self, StartError};
use crate::serve;

/// A gateway, ready to answer. Clones share everything.
#[derive(Debug, Clone)]
pub struct Service {
    gateway: Arc<Gateway>,
}

impl Service {
    /// Compiles the method table into routes; nothing is connected yet.
    ///
    /// # Errors
    /// Where a route cannot be served, two are the same, or a service has no upstream.
    pub fn new(config: Config, deps: Deps, table: MethodTable) -> Result<Self, StartError> {
        crate::declare_metrics();
        let routes = route::compile(&table, &deps)?;
        let gateway = Gateway {
            openapi: OpenApi::generate(&table, &routes),
            routes,
            readiness: Readiness::new(deps.upstreams),
            requests: Arc::new(Semaphore::new(config.requests_max)),
            watches: Arc::new(Semaphore::new(config.watches_max)),
            stop: CancellationToken::new(),
            config,
        };
        Ok(Self { gateway: Arc::new(gateway) })
    }

    /// Serves HTTP/1.1 and HTTP/2 until `stop` resolves; then ends event streams and lets requests under way
    /// finish, but no longer than `drain_timeout`.
    ///
    /// # Errors
    /// Where the listener fails for good.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        serve::serve(self.gateway, listener, stop).await
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let gateway = self.gateway.clone();
        Box::pin(async move { Ok(gateway.respond(request).await) })
    }
}
