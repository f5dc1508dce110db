//! Calls over gRPC: a handful of HTTP/2 connections, shared by all shoppers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use holdfast_platform::client;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;

use super::error::CallError;
use super::rpc::Rpc;

/// Shoppers that share one connection; a server takes 1,024 calls at a time on each.
const SHOPPERS_PER_CONNECTION: usize = 128;
/// The most connections opened.
const CONNECTIONS_MAX: usize = 16;
/// How much longer than the server a client waits, so that the server's own refusal is what arrives.
const DEADLINE_SLACK: Duration = Duration::from_millis(500);

/// The gRPC door.
#[derive(Debug, Clone)]
pub(crate) struct GrpcWire {
    channels: Arc<[Channel]>,
    next: Arc<AtomicUsize>,
}

impl GrpcWire {
    /// Connects when first used.
    pub(crate) fn new(url: &str, concurrency: usize) -> anyhow::Result<Self> {
        let connections = concurrency.div_ceil(SHOPPERS_PER_CONNECTION).clamp(1, CONNECTIONS_MAX);
        let channels = (0..connections)
            .map(|_| client::channel(url))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{url} is not the address of a gRPC server, such as http://127.0.0.1:50051"))?;
        Ok(Self { channels: channels.into(), next: Arc::default() })
    }

    pub(crate) async fn call<R: Rpc>(&self, request: R, timeout: Duration) -> Result<R::Answer, CallError> {
        let mut request = Request::new(request);
        request.set_timeout(timeout);
        let mut grpc = self.grpc();
        let answered = async {
            grpc.ready().await.map_err(|error| CallError::Lost(error.to_string()))?;
            let codec = ProstCodec::<R, R::Answer>::default();
            Ok(grpc.unary(request, PathAndQuery::from_static(R::PATH), codec).await?.into_inner())
        };
        match tokio::time::timeout(timeout + DEADLINE_SLACK, answered).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::Lost(format!("nothing came within {timeout:?}"))),
        }
    }

    pub(crate) async fn stream<R: Rpc>(&self, request: R) -> Result<Streaming<R::Answer>, CallError> {
        let mut grpc = self.grpc();
        grpc.ready().await.map_err(|error| CallError::Lost(error.to_string()))?;
        let codec = ProstCodec::<R, R::Answer>::default();
        let stream = grpc.server_streaming(Request::new(request), PathAndQuery::from_static(R::PATH), codec).await?;
        Ok(stream.into_inner())
    }

    fn grpc(&self) -> Grpc<Channel> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        Grpc::new(self.channels[turn % self.channels.len()].clone())
    }
}
