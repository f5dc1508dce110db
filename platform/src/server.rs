//! The gRPC server: a service's routes with health, reflection and the common layers, on a listener.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use holdfast_contracts::{DESCRIPTOR_SET, MethodError, MethodTable};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::warn;

use crate::health::Health;
use crate::layer;
use crate::task::Tasks;

/// The largest message accepted, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// How many calls one connection may have under way.
const STREAMS_PER_CONNECTION_MAX: u32 = 1024;
/// How long open streams may go on after the stop signal.
const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// Why a server did not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("the contracts cannot be served: {0}")]
    Contracts(#[from] MethodError),
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error("the gRPC server stopped: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// Takes the address now, so that a port in use is known before anything else starts.
///
/// # Errors
/// Where the address is taken or not ours.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|cause| ServerError::Listen { address, cause })
}

/// Adds `grpc.health.v1` and reflection (v1) to a process's routes. Every contract must have its policy.
///
/// # Errors
/// Where a contract lacks its policy.
pub fn with_infrastructure(routes: Routes, health: &Health) -> Result<Routes, ServerError> {
    MethodTable::load()?;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        // What refusals carry (google.rpc.ErrorInfo and the like), so that tools can show them.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    Ok(routes.add_service(reflection).add_service(health.service()))
}

/// Serves one service's routes with all that belongs to a process: health that follows its database, reflection, the
/// common layers.
///
/// # Errors
/// Where a contract lacks its policy, or the listener fails.
pub async fn run<F>(
    listener: TcpListener,
    routes: Routes,
    package: &str,
    database_url: &str,
    stop: F,
) -> Result<(), ServerError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = Tasks::new();
    let health = Health::following(&[package], database_url, &tasks).await?;
    let served = serve(listener, with_infrastructure(routes, &health)?, stop).await;
    tasks.stop(DRAIN_GRACE).await;
    served
}

/// Serves until `stop` resolves, then lets calls under way finish, but no longer than a grace period.
///
/// # Errors
/// Where the listener fails.
pub async fn serve<F>(listener: TcpListener, routes: Routes, stop: F) -> Result<(), ServerError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let signal = async move {
        stop.await;
        drop(stopping);
    };
    let server = Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .http2_max_header_list_size(16 << 10)
        .layer(layer::observe::ObserveServerLayer)
        .layer(layer::panic::layer())
        .layer(layer::call::CallLayer)
        .layer(layer::reason::layer())
        .serve_with_incoming_shutdown(routes.prepare(), TcpIncoming::from(listener).with_nodelay(Some(true)), signal);
    tokio::select! {
        served = server => Ok(served?),
        () = async { let _ = stopped.await; tokio::time::sleep(DRAIN_GRACE).await } => {
            warn!("streams still open after the grace period are cut");
            Ok(())
        }
    }
}
