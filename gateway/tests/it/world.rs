//! A gateway on a loopback port, its fake services, and an HTTP client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::{Config, Deps, Service};
use holdfast_contracts::MethodTable;
use holdfast_platform::client::{self, Wire};
use holdfast_platform::health::Health;
use holdfast_platform::{server, task};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::fake::Fake;

pub(crate) const PACKAGES: [&str; 3] = ["holdfast.inventory.v1", "holdfast.order.v1", "holdfast.rec.v1"];

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) fake: Arc<Fake>,
    pub(crate) client: Client<HttpConnector, Full<Bytes>>,
    stop: DropGuard,
    served: JoinHandle<std::io::Result<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let fake = Arc::new(Fake::default());
        let wire = client::in_process(server::with_infrastructure(fake.routes(), &health().await).expect("routes"));
        Self::over(config, fake, wire).await
    }

    /// The same with a socket between the gateway and its services.
    pub(crate) async fn over_tcp() -> Self {
        let fake = Arc::new(Fake::default());
        let routes = server::with_infrastructure(fake.routes(), &health().await).expect("routes");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        // It ends with the test's runtime.
        drop(task::spawn_joined(server::serve(listener, routes, std::future::pending())));
        Self::over(Config::default(), fake, client::tcp(&url).expect("a URL")).await
    }

    pub(crate) async fn over(config: Config, fake: Arc<Fake>, wire: Wire) -> Self {
        let table = MethodTable::load().expect("contracts");
        let wires = PACKAGES.map(|package| (package, wire.clone()));
        let deps = Deps::per_package(&table, &wires);
        Self::serve(fake, Service::new(config, deps, table).expect("a gateway")).await
    }

    pub(crate) async fn serve(fake: Arc<Fake>, service: Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let served = task::spawn_joined(service.serve(listener, stopped));
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { address, fake, client, stop: stop.drop_guard(), served }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(format!("http://{}{path}", self.address))
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.client.request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Full::default()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, json: impl Into<Bytes>) -> Answer {
        self.body(Method::POST, path, json).await
    }

    pub(crate) async fn body(&self, method: Method, path: &str, json: impl Into<Bytes>) -> Answer {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(Full::new(json.into())).expect("a request")).await
    }

    /// Stops the gateway and waits for its end.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let ended = tokio::time::timeout(Duration::from_secs(10), self.served).await;
        ended.expect("ends in time").expect("no panic").expect("no error");
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The problem document, checked for what all have.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, reason: &str) -> Value {
        let json = self.json();
        assert_eq!((self.status.as_u16(), &json["reason"]), (status, &Value::from(reason)), "{json}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(json["status"], status);
        assert_eq!(json["type"], format!("https://holdfast.dev/errors/{reason}"));
        assert_eq!(json["instance"], self.header("x-request-id").expect("echoed"));
        assert!(json["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(json["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        json
    }
}

async fn health() -> Health {
    Health::serving(&PACKAGES).await.expect("contracts")
}
