//! A trace collector: what OTLP/gRPC brings it keeps.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use holdfast_platform::server;
use holdfast_platform::task::spawn_joined;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::MutexGuard;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A process sends its spans to one place: tests that look at them take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[derive(Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    spans: Kept,
    _turn: MutexGuard<'static, ()>,
}

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<Span>>>);

impl Sink {
    pub(crate) async fn open() -> Self {
        let (turn, spans) = (TURN.lock().await, Kept::default());
        let listener = server::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = TraceServiceServer::new(spans.clone());
        let serving = tonic::transport::Server::builder().add_service(service);
        drop(spawn_joined(serving.serve_with_incoming(TcpIncoming::from(listener))));
        Self { address, spans, _turn: turn }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans of a trace that came so far.
    pub(crate) fn trace(&self, trace_id: u128) -> Vec<Span> {
        let mut spans = self.all();
        spans.retain(|span| span.trace_id == trace_id.to_be_bytes());
        spans
    }

    pub(crate) fn all(&self) -> Vec<Span> {
        self.spans.0.lock().expect("nobody panics with it").clone()
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().expect("nobody panics with it").extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
