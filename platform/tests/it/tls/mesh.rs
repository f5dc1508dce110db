//! A mesh to test with: an authority, identities in folders of their own, a server that says who called.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use holdfast_contracts::{DESCRIPTOR_SET, MethodTable, Workload};
use holdfast_platform::layer::authorize::AuthorizeLayer;
use holdfast_platform::layer::call::CallLayer;
use holdfast_platform::method::Methods;
use holdfast_platform::peer::Peer;
use holdfast_platform::task::spawn_joined;
use holdfast_platform::tls::authority::{Authority, Issued};
use holdfast_platform::tls::{Acceptor, Files, Identity, IdentityError, TrustDomain};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
/// Longer than anything here takes on a busy machine; nothing waits for it that goes well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn domain() -> TrustDomain {
    "holdfast".parse().expect("a trust domain")
}

pub(crate) fn authority() -> Authority {
    Authority::make(DAY).expect("randomness")
}

/// One workload's folder of files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(authority: &Authority, workload: Workload) -> Self {
        Self::with(authority, &authority.issue(&domain().id_of(workload), DAY).expect("issued"))
    }

    pub(crate) fn with(believed: &Authority, own: &Issued) -> Self {
        let folder = Self(TempDir::new().expect("a folder"));
        folder.write("ca.crt", believed.cert_pem());
        folder.put(own);
        folder
    }

    /// Replaces certificate and key.
    pub(crate) fn put(&self, own: &Issued) {
        self.write("tls.crt", &own.cert);
        self.write("tls.key", &own.key);
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.path(name), contents).expect("written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) async fn load(&self, workload: Workload) -> Result<Identity, IdentityError> {
        Identity::load(Files::in_folder(self.0.path()), domain(), workload).await
    }
}

/// A workload with a good certificate of an authority.
pub(crate) async fn identity(authority: &Authority, workload: Workload) -> Identity {
    Folder::new(authority, workload).load(workload).await.expect("a good identity")
}

/// An accepted connection, as tonic's server wants one.
struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Serves health and reflection, authorised, behind an acceptor, for as long as the runtime lives.
pub(crate) async fn serve(acceptor: Acceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (accepted, incoming) = tokio::sync::mpsc::channel(16);
    spawn_joined(async move {
        loop {
            let (tcp, _) = listener.accept().await.expect("a connection");
            let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
            spawn_joined(async move {
                if let Ok((stream, peer)) = acceptor.accept(tcp).await {
                    let _ = accepted.send(Ok::<_, std::io::Error>(Connection { stream, peer })).await;
                }
            });
        }
    });
    let table = MethodTable::load().expect("this build's contracts");
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .build_v1()
        .expect("descriptors");
    let server = Server::builder()
        .layer(CallLayer::new(Methods::load().expect("this build's contracts")))
        .layer(AuthorizeLayer::mutual_tls(&table, &domain()).expect("a table"))
        .serve_with_incoming(Routes::new(health).add_service(reflection), ReceiverStream::new(incoming));
    spawn_joined(server);
    address
}

/// A client of an address that is to be `expected`; it connects when it is first used.
pub(crate) fn channel(identity: &Identity, expected: Workload, address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("https://{address}")).expect("a URI");
    endpoint.connect_with_connector_lazy(identity.connector(expected))
}

/// One call that any authenticated peer may make.
pub(crate) async fn check(channel: &Channel) -> Result<(), tonic::Status> {
    let asked = HealthClient::new(channel.clone()).check(HealthCheckRequest { service: String::new() }).await;
    asked.map(drop)
}

/// What a future comes to, unless it hangs.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not hang")
}
