//! How a connection to an endpoint is made: TCP, or what the configuration hands in (TLS).

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::util::{BoxCloneSyncService, ServiceExt};
use tower::{BoxError, Service};

/// How long a new connection may take, its handshakes included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A byte stream that HTTP/2 can run over.
pub trait Io: Read + Write + Send + Unpin + 'static {}

impl<T: Read + Write + Send + Unpin + 'static> Io for T {}

/// Makes connections to URIs such as `https://10.1.2.3:50051`: the authority is the address to dial, not the name to
/// verify; who must answer there is the connector's own knowledge.
#[derive(Debug, Clone)]
pub struct Connector {
    connect: BoxCloneSyncService<Uri, Box<dyn Io>, BoxError>,
    pub(super) scheme: http::uri::Scheme,
}

impl Connector {
    /// Connections that a service makes, `https` to the servers: whatever `tonic`'s `connect_with_connector_lazy` takes.
    pub fn tls<C>(connector: C) -> Self
    where
        C: Service<Uri> + Clone + Send + Sync + 'static,
        C::Response: Io,
        C::Error: Into<BoxError>,
        C::Future: Send + 'static,
    {
        Self { connect: boxed(connector), scheme: http::uri::Scheme::HTTPS }
    }

    /// Plaintext TCP.
    pub(super) fn tcp() -> Self {
        Self { connect: boxed(Tcp), scheme: http::uri::Scheme::HTTP }
    }

    /// # Errors
    /// Where no connection is made, or not in time.
    pub(super) async fn connect(&self, to: Uri) -> Result<Box<dyn Io>, BoxError> {
        let connecting = self.connect.clone().oneshot(to);
        tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|late| Err(late.into()))
    }
}

fn boxed<C>(connector: C) -> BoxCloneSyncService<Uri, Box<dyn Io>, BoxError>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Io,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
{
    BoxCloneSyncService::new(connector.map_response(|io| Box::new(io) as Box<dyn Io>).map_err(Into::into))
}

#[derive(Debug, Clone, Copy)]
struct Tcp;

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(async move {
            let authority = to.authority().ok_or_else(|| io::Error::other("an address without a host"))?;
            let port = authority.port_u16().unwrap_or(DEFAULT_PORT);
            let host = authority.host().trim_matches(['[', ']']).to_owned();
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// Where a plaintext address names none.
const DEFAULT_PORT: u16 = 80;
