//! An inventory service that answers with an empty message, fails a share of its calls, and counts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::server;
use holdfast_platform::task::Tasks;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// What a call that fails is told.
pub(super) const FAILED: &str = "this call fails";

/// See the module; clones count together.
#[derive(Debug, Clone)]
pub(super) struct Echo {
    /// From 0, none, to 1, all.
    failing: f64,
    calls: Arc<AtomicU64>,
}

impl Echo {
    /// Serves one on a free port until the tasks stop.
    pub(super) async fn serve(failing: f64, tasks: &Tasks) -> anyhow::Result<(Self, SocketAddr)> {
        let echo = Self { failing, calls: Arc::default() };
        let listener = server::listen(([127, 0, 0, 1], 0).into()).await?;
        let address = listener.local_addr()?;
        let (routes, stopping) = (Routes::new(echo.clone()), tasks.stopping());
        tasks.spawn("echo", async move {
            if let Err(error) = server::serve(listener, routes, stopping.cancelled_owned()).await {
                tracing::error!(%error, "the echo stopped");
            }
        });
        Ok((echo, address))
    }

    /// How many calls reached it.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "holdfast.inventory.v1.InventoryService";
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = futures_util::future::BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = Answer { fails: rand::random::<f64>() < self.failing };
        Box::pin(async move {
            let codec = tonic_prost::ProstCodec::<pb::Stock, pb::GetStockRequest>::default();
            Ok(tonic::server::Grpc::new(codec).unary(answer, request).await)
        })
    }
}

struct Answer {
    fails: bool,
}

impl tonic::server::UnaryService<pb::GetStockRequest> for Answer {
    type Response = pb::Stock;
    type Future = std::future::Ready<Result<Response<pb::Stock>, Status>>;

    fn call(&mut self, _: Request<pb::GetStockRequest>) -> Self::Future {
        let failed = Err(Status::unavailable(FAILED));
        std::future::ready(if self.fails { failed } else { Ok(Response::new(pb::Stock::default())) })
    }
}
