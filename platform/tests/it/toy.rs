//! A service that does as it is told, under the stock service's name and policies: GetStock answers or hangs, WatchStock
//! tells one step and then nothing more.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::call::Call;
use holdfast_platform::health::Health;
use holdfast_platform::server::{self, Server, ServerError};
use holdfast_platform::{client, task};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{NamedService, ServerStreamingService, UnaryService};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Stubs<T = Channel> = InventoryServiceClient<T>;

/// See the module; clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Toy(Arc<State>);

#[derive(Debug)]
struct State {
    begun: AtomicUsize,
    running: AtomicUsize,
    /// What `hang` waits for.
    gate: Semaphore,
}

/// Counts a handler or stream as running for as long as it is there.
struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Toy {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State { begun: AtomicUsize::new(0), running: AtomicUsize::new(0), gate: Semaphore::new(0) }))
    }

    /// How many calls reached a handler.
    pub(crate) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }

    /// How many handlers and streams there are now.
    pub(crate) fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
    }

    /// Lets one hanging call answer.
    pub(crate) fn open_gate(&self) {
        self.0.gate.add_permits(1);
    }

    fn begin(&self) -> Running {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        self.0.running.fetch_add(1, Ordering::SeqCst);
        Running(self.0.clone())
    }

    pub(crate) fn routes(&self) -> Routes {
        Routes::new(self.clone())
    }

    /// The stubs of this service in this process, over no socket.
    pub(crate) fn in_process(
        &self,
    ) -> Stubs<impl tonic::client::GrpcService<Body, ResponseBody = Body, Future: Send> + Clone + use<>> {
        let limiter = server::limiter().expect("the contracts can be served");
        InventoryServiceClient::new(server::in_process(self.routes(), &limiter).expect("the contracts can be served"))
    }

    /// Serves over TCP with health and reflection; `shape` has the last word on the server.
    pub(crate) async fn serve(&self, shape: impl FnOnce(Server) -> Server) -> Served {
        let health = Health::serving(&["holdfast.inventory.v1"]).await.expect("the contracts can be served");
        let routes = server::with_infrastructure(self.routes(), &health).expect("the contracts can be served");
        let listener = server::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let server = shape(Server::new(routes));
        let stopped = stop.clone().cancelled_owned();
        let serving = task::spawn_joined(async move { server.serve(listener, stopped).await });
        Served { address, stop, serving }
    }
}

/// A server on a port of its own.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<Result<(), ServerError>>,
}

impl Served {
    pub(crate) fn channel(&self) -> Channel {
        client::channel(&format!("http://{}", self.address)).expect("an address")
    }

    pub(crate) fn stubs(&self) -> Stubs {
        InventoryServiceClient::new(self.channel())
    }

    /// Waits for the server's own end.
    pub(crate) async fn ended(self) {
        in_time(self.serving).await.expect("it does not panic").expect("it served");
    }
}

/// Stubs over a connection that knows nothing of deadlines: the runtime's own channel would give up by itself, at the
/// same time as the server, and say CANCELLED.
pub(crate) async fn patient_stubs(
    address: SocketAddr,
) -> Stubs<impl tonic::client::GrpcService<Body, ResponseBody = hyper::body::Incoming, Future: Send> + Clone + use<>> {
    let socket = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket));
    let (sender, connection) = handshake.await.expect("it speaks HTTP/2");
    drop(task::spawn_joined(connection));
    let service = tower::service_fn(move |request| sender.clone().send_request(request));
    InventoryServiceClient::with_origin(service, format!("http://{address}").parse().expect("a URI"))
}

/// Waits, but not for ever.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes far less")
}

/// Waits until something holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    in_time(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Asks for what is answered at once: its version is how many milliseconds the call has left.
pub(crate) fn now() -> pb::GetStockRequest {
    pb::GetStockRequest { sku: "now".into(), ..Default::default() }
}

/// Asks for what is answered once the gate opens.
pub(crate) fn hang() -> pb::GetStockRequest {
    pb::GetStockRequest { sku: "hang".into(), ..Default::default() }
}

pub(crate) fn watch() -> pb::WatchStockRequest {
    pb::WatchStockRequest::default()
}

/// A request whose caller waits this long.
pub(crate) fn within<T>(timeout: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

impl NamedService for Toy {
    const NAME: &'static str = "holdfast.inventory.v1.InventoryService";
}

impl tower::Service<http::Request<Body>> for Toy {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let toy = self.clone();
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/holdfast.inventory.v1.InventoryService/GetStock" => {
                    tonic::server::Grpc::new(tonic_prost::ProstCodec::default()).unary(toy, request).await
                }
                "/holdfast.inventory.v1.InventoryService/WatchStock" => {
                    tonic::server::Grpc::new(tonic_prost::ProstCodec::default()).server_streaming(toy, request).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

impl UnaryService<pb::GetStockRequest> for Toy {
    type Response = pb::Stock;
    type Future = Pin<Box<dyn Future<Output = Result<Response<pb::Stock>, Status>> + Send>>;

    fn call(&mut self, request: Request<pb::GetStockRequest>) -> Self::Future {
        let (toy, running) = (self.clone(), self.begin());
        Box::pin(async move {
            if request.get_ref().sku == "hang" {
                toy.0.gate.acquire().await.expect("it is never closed").forget();
            }
            let left = Call::current().map_or(Duration::ZERO, |call| call.deadline.remaining());
            drop(running);
            let version = i64::try_from(left.as_millis()).expect("few");
            Ok(Response::new(pb::Stock { sku: request.into_inner().sku, version, ..Default::default() }))
        })
    }
}

impl ServerStreamingService<pb::WatchStockRequest> for Toy {
    type Response = pb::WatchStockResponse;
    type ResponseStream = BoxStream<'static, Result<pb::WatchStockResponse, Status>>;
    type Future = std::future::Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: Request<pb::WatchStockRequest>) -> Self::Future {
        let running = self.begin();
        let first = stream::once(std::future::ready(Ok(pb::WatchStockResponse::default())));
        let steps = first.chain(stream::pending()).map(move |step| {
            let _running = &running;
            step
        });
        std::future::ready(Ok(Response::new(steps.boxed())))
    }
}
