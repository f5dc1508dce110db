//! A server that behaves as a test says, on a runtime of its own: it can be killed as a process is.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::inventory::v1::{GetStockRequest, ReserveRequest, WatchStockRequest, WatchStockResponse};
use holdfast_platform::client::service_config::{MethodConfig, MethodName, ServiceConfig};
use holdfast_platform::client::{self, ClientConfig, Resolve, Wire};
use http::request::Parts;
use http_body::Frame;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Status, Streaming};

/// As many as our servers take.
const STREAMS_PER_CONNECTION: u32 = 1024;

pub(crate) type Reply = http::Response<Body>;

/// See the module.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    calls: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

impl Replica {
    /// Answers each call, counted from zero, as told.
    pub(crate) async fn start<F, R>(behave: F) -> Self
    where
        F: Fn(usize, Parts) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        Self::start_at(([127, 0, 0, 1], 0).into(), behave).await
    }

    pub(crate) async fn start_at<F, R>(address: SocketAddr, behave: F) -> Self
    where
        F: Fn(usize, Parts) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        let (calls, (stop, stopped), (tell, told)) = (Arc::default(), oneshot::channel(), oneshot::channel());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let counted = Arc::clone(&calls);
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let n = AtomicUsize::fetch_add(&counted, 1, Ordering::SeqCst);
            let reply = behave(n, request.into_parts().0);
            async move { Ok::<_, std::convert::Infallible>(reply.await) }
        });
        runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.expect("a free port");
            let _ = tell.send(listener.local_addr().expect("an address"));
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let ended = async { stopped.await.unwrap_or_default() };
            let server = Server::builder().max_concurrent_streams(STREAMS_PER_CONNECTION);
            server.serve_with_incoming_shutdown(service, incoming, ended).await.expect("a server");
        });
        let address = told.await.expect("a listener");
        Self { address, calls, stop: Some(stop), runtime: Some(runtime) }
    }

    /// One that answers everything.
    pub(crate) async fn good() -> Self {
        Self::start(|_, _| async { good() }).await
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Ends as after kill -9: its connections are cut, its port refuses.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Says that it goes (GOAWAY), takes nothing new, ends what is under way.
    pub(crate) fn drain(&mut self) {
        self.stop.take();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An empty message.
pub(crate) fn good() -> Reply {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", 0.into());
    reply(vec![Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)])
}

/// A stream that is open and says nothing.
pub(crate) fn silence() -> Reply {
    let silent = futures_util::stream::pending::<Result<Frame<Bytes>, Status>>();
    answer(Body::new(http_body_util::StreamBody::new(silent)))
}

/// A status in the head.
pub(crate) fn refused(status: Status) -> Reply {
    status.into_http()
}

/// A status after a head that promised an answer.
pub(crate) fn refused_late(status: &Status) -> Reply {
    let mut trailers = http::HeaderMap::new();
    status.add_header(&mut trailers).expect("a status");
    reply(vec![Frame::trailers(trailers)])
}

fn reply(frames: Vec<Frame<Bytes>>) -> Reply {
    let frames = futures_util::stream::iter(frames.into_iter().map(Ok::<_, Status>));
    answer(Body::new(http_body_util::StreamBody::new(frames)))
}

fn answer(body: Body) -> Reply {
    http::Response::builder().header("content-type", "application/grpc").body(body).expect("a response")
}

pub(crate) fn over<'a>(replicas: impl IntoIterator<Item = &'a Replica>) -> Wire {
    over_as(replicas, &ClientConfig::default())
}

pub(crate) fn over_as<'a>(replicas: impl IntoIterator<Item = &'a Replica>, config: &ClientConfig) -> Wire {
    let addresses: Vec<String> = replicas.into_iter().map(|replica| replica.address.to_string()).collect();
    client::connect(&format!("static:///{}", addresses.join(",")), config).expect("addresses")
}

/// A read: may be repeated and hedged.
pub(crate) async fn read(wire: &Wire) -> Result<(), Status> {
    InventoryServiceClient::new(wire.clone()).get_stock(GetStockRequest::default()).await.map(drop)
}

/// A stream, once it is open.
pub(crate) async fn watch(wire: &Wire) -> Result<Streaming<WatchStockResponse>, Status> {
    let opened = InventoryServiceClient::new(wire.clone()).watch_stock(WatchStockRequest::default()).await;
    opened.map(tonic::Response::into_inner)
}

/// A write: may be repeated.
pub(crate) async fn write(wire: &Wire) -> Result<(), Status> {
    InventoryServiceClient::new(wire.clone()).reserve(ReserveRequest::default()).await.map(drop)
}

/// Under this [`write`] may not be repeated.
pub(crate) fn writes_once() -> ClientConfig {
    let mut config = ServiceConfig::of_contracts().expect("the contracts");
    let name =
        MethodName { service: "holdfast.inventory.v1.InventoryService".to_owned(), method: "Reserve".to_owned() };
    let group = config.method_config.iter_mut().find(|group| group.name.contains(&name)).expect("a policy");
    group.name.retain(|other| *other != name);
    let mut policy = group.policy.clone();
    policy.retry_policy = None;
    config.method_config.push(MethodConfig { name: vec![name], policy });
    ClientConfig { service_config: Some(config), ..ClientConfig::default() }
}

/// What a name resolves to, set by the test.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<Option<Vec<SocketAddr>>>>);

impl Names {
    pub(crate) fn set<'a>(&self, replicas: impl IntoIterator<Item = &'a Replica>) {
        let addresses = replicas.into_iter().map(|replica| replica.address).collect();
        *self.0.lock().expect("no test panicked with it") = Some(addresses);
    }

    pub(crate) fn fail(&self) {
        *self.0.lock().expect("no test panicked with it") = None;
    }

    pub(crate) fn wire(&self) -> Wire {
        let config = ClientConfig {
            resolver: Arc::new(self.clone()),
            resolve_period: Duration::from_millis(250),
            ..ClientConfig::default()
        };
        client::connect("dns:///inventory:50051", &config).expect("a name")
    }
}

impl Resolve for Names {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let addresses = self.0.lock().expect("no test panicked with it").clone();
        Box::pin(async move { addresses.ok_or_else(|| io::Error::other("no such name")) })
    }
}
