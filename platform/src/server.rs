//! The gRPC server: a service's routes with health, reflection and the common layers, on a listener.

mod accept;
mod connection;
mod preface;
mod stack;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::{DESCRIPTOR_SET, MethodError, MethodTable};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tracing::warn;

pub use self::accept::{Acceptor, Plaintext, accept};
use self::connection::Ends;
pub use self::stack::Layered;
use self::stack::stack;
use crate::health::Health;
use crate::layer::authorize::{AuthorizeError, AuthorizeLayer};
use crate::layer::observe::ObserveServerLayer;
use crate::layer::shed::Limiter;
use crate::method::Methods;
use crate::task::Tasks;

/// The largest message accepted, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Connections beyond these wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 8192;
/// How long what is under way may go on after the stop where nobody says.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(15);
/// How long a cut connection may take to be gone.
const CUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a server did not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("the contracts cannot be served: {0}")]
    Contracts(#[from] MethodError),
    #[error("nobody can say who may call what: {0}")]
    Authorize(#[from] AuthorizeError),
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error("the gRPC server stopped: {0}")]
    Serve(#[from] std::io::Error),
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

/// Routes under the common layers, for callers in this process: what a wire without a socket runs.
///
/// # Errors
/// Where a contract lacks its policy.
pub fn in_process(routes: Routes, limiter: &Arc<Limiter>) -> Result<impl Layered<Body> + use<>, ServerError> {
    let (methods, authorize) = (Methods::load()?, AuthorizeLayer::in_process());
    Ok(stack(routes, &methods, ObserveServerLayer::default(), limiter.clone(), authorize, CancellationToken::new()))
}

/// How many calls may be under way, for all servers of one process.
///
/// # Errors
/// Where a contract lacks its policy.
pub fn limiter() -> Result<Arc<Limiter>, ServerError> {
    Ok(Limiter::new(Methods::load()?.len()))
}

/// Serves routes in plaintext until `stop` resolves, then drains ([`Server`] says how) with the defaults.
///
/// # Errors
/// Where a contract lacks its policy, or the listener fails.
pub async fn serve<F>(listener: TcpListener, routes: Routes, stop: F) -> Result<(), ServerError>
where
    F: Future<Output = ()> + Send,
{
    Server::new(routes).serve(listener, stop).await
}

/// A gRPC server: a service's routes under the common layers, and how it ends:
///
/// 1. `stop` resolves: nothing new is accepted, and every connection is told to go away (GOAWAY): calls under way go on,
///    new ones find another replica.
/// 2. Open streams end with UNAVAILABLE and RetryInfo; the service then ends what made them ([`Server::ending`]).
/// 3. What is under way after the grace period is cut.
///
/// That health says NOT_SERVING before all that, and for how long, is up to who resolves `stop`
/// ([`crate::process::Process`]).
pub struct Server<A = Plaintext> {
    routes: Routes,
    acceptor: A,
    authorize: AuthorizeLayer,
    observe: ObserveServerLayer,
    limiter: Option<Arc<Limiter>>,
    grace: Duration,
    end_streams: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Server {
    pub fn new(routes: Routes) -> Self {
        let (authorize, end_streams) = (AuthorizeLayer::in_process(), Box::pin(std::future::ready(())));
        let observe = ObserveServerLayer::default();
        Self { routes, acceptor: Plaintext, authorize, observe, limiter: None, grace: GRACE_DEFAULT, end_streams }
    }
}

impl<A: Acceptor> Server<A> {
    /// Connections are made by this acceptor (mutual TLS), and what their peers may call is said by this table.
    #[must_use]
    pub fn secured<B: Acceptor>(self, acceptor: B, authorize: AuthorizeLayer) -> Server<B> {
        let Self { routes, acceptor: _, authorize: _, observe, limiter, grace, end_streams } = self;
        Server { routes, acceptor, authorize, observe, limiter, grace, end_streams }
    }

    /// Without metrics and spans of its calls, to measure what those cost.
    #[must_use]
    pub fn unobserved(mut self) -> Self {
        self.observe = ObserveServerLayer::off();
        self
    }

    /// Shares its limit on calls under way with other servers of this process; one of its own otherwise.
    #[must_use]
    pub fn limiter(mut self, limiter: Arc<Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// How long what is under way may go on after `stop`.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How the service ends what makes its streams; run once, when the server is told to stop and their callers are told.
    #[must_use]
    pub fn ending(mut self, end_streams: impl Future<Output = ()> + Send + 'static) -> Self {
        self.end_streams = Box::pin(end_streams);
        self
    }

    /// Serves until `stop` resolves, then drains.
    ///
    /// # Errors
    /// Where a contract lacks its policy, or the listener fails.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> Result<(), ServerError> {
        let Self { routes, acceptor, authorize, observe, limiter, grace, end_streams } = self;
        let (ends, streams_end) = (Ends::default(), CancellationToken::new());
        let methods = Methods::load()?;
        let limiter = limiter.unwrap_or_else(|| Limiter::new(methods.len()));
        let service = stack(routes, &methods, observe, limiter, authorize, streams_end.clone());
        let http2 = connection::http2();
        let connections = Tasks::new();
        let serving =
            |socket| connection::serve(socket, acceptor.clone(), http2.clone(), service.clone(), ends.clone());
        let accepted = accept(listener, CONNECTIONS_MAX, &connections, stop, serving).await;
        let cut_at = Instant::now() + grace;
        ends.go_away.cancel();
        // Before the service ends them: an end of its own would not say when to open them again.
        streams_end.cancel();
        if tokio::time::timeout_at(cut_at, end_streams).await.is_err() {
            warn!("the service did not end its streams within the grace period");
        }
        if !connections.ended_by(cut_at).await {
            warn!("connections with calls still under way after the grace period are cut");
        }
        ends.cut.cancel();
        connections.stop(CUT_TIMEOUT).await;
        Ok(accepted?)
    }
}
